"""How far a machine is from its own past, in units of a warning, and which part of it speaks."""

from typing import NamedTuple

import numpy as np

from model.bearings import FaultOrders
from model.machine.combs import ORDERS, find_families
from model.machine.indicators import HALF_OCTAVES
from model.machine.levels import ENVELOPE_BANDS
from model.machine.thresholds import Severity

UNPLACED = "of which part is not known"


class Part(NamedTuple):
    """A change: size 1 is a warning's. kind is "lines", "impacts" or "level"; fault is of a family of lines, or empty;
    where is the order or the number of the envelope band; growth in natural logarithm or dB; moment: times healthy. The
    name of other lines is what they are of a family that grew as well, UNPLACED without orders, or empty."""

    size: float
    kind: str
    fault: str = ""
    name: str = ""
    where: float = 0.0
    growth: float = 0.0
    moment: float = 1.0


def find_line_parts(growth: np.ndarray, deviation: float, orders: FaultOrders | None, limits: Severity) -> list[Part]:
    """Return the growth of each family's lines and of the highest other comb.

    growth (orders,) is that of the smoothed combs, natural logarithm; deviation is its own on a healthy machine.
    """
    parts, other = [], np.ones(len(ORDERS), bool)
    for fault, name, order, near in find_families(orders, limits.slip) if orders else ():
        grown = float(growth[near].max())
        size = min(grown / deviation / limits.line_deviations, grown / limits.line_growth)
        parts.append(Part(size, "lines", fault, name, order, grown))
        other &= ~near
    place = int(np.where(other, growth, -np.inf).argmax())
    grown = float(growth[place])
    size = min(grown / deviation / limits.other_deviations, grown / limits.other_growth)
    order = float(ORDERS[place])
    name = relate(order, parts, limits.slip) if orders else UNPLACED
    return [*parts, Part(size, "lines", "", name, order, grown)]


def relate(order: float, families: list[Part], slip: float) -> str:
    """Return which multiple or sideband of a family that grew lies within a share `slip` of an order, or nothing."""
    for family in families:
        related = {
            f"2nd harmonic of {family.name}": (2 * family.where,),
            f"3rd harmonic of {family.name}": (3 * family.where,),
            f"sideband of {family.name}": (family.where - 1, family.where + 1),
        }
        for name, others in related.items():
            if family.size >= 1 and any(abs(order / other - 1) <= slip for other in others):
                return name
    return ""


def find_impact_part(levels: np.ndarray, moments: np.ndarray, limits: Severity) -> Part:
    """Return the band that is louder (dB) and more impulsive (natural logarithm) than before, (bands,) each."""
    loud = levels[1 + HALF_OCTAVES :]
    sizes = np.minimum(loud / limits.band_level, moments / limits.moment)
    band = int(sizes.argmax())
    return Part(
        float(sizes[band]), "impacts", where=band, growth=float(loud[band]), moment=float(np.exp(moments[band]))
    )


def find_level_part(levels: np.ndarray, limits: Severity) -> Part:
    return Part(float(levels[0]) / limits.level, "level", growth=float(levels[0]))


def combine(parts: list[Part]) -> float:
    """Return the severity: the root of the sum of squares of the largest part of each kind, of those above 0."""
    largest = [max((part.size for part in parts if part.kind == kind), default=0.0) for kind in KINDS]
    return float(np.sqrt(sum(max(size, 0.0) ** 2 for size in largest)))


def describe(part: Part) -> str:
    """Return a part in words, with figures."""
    if part.kind == "level":
        return f"level rose {part.growth:.1f} dB"
    if part.kind == "impacts":
        low, high = (edge / 1_000 for edge in ENVELOPE_BANDS[int(part.where)])
        return f"impacts in {low:g} to {high:g} kHz: level +{part.growth:.1f} dB, impulsiveness {part.moment:.1f} times"
    decibels = 20 / np.log(10) * part.growth
    if part.fault:
        return f"{part.name} line (order {part.where:.2f}) grew {decibels:.1f} dB"
    relation = f" ({part.name})" if part.name else ", of no part of this bearing,"
    return f"lines at order {part.where:.2f}{relation} grew {decibels:.1f} dB"


def explain(parts: list[Part]) -> str:
    """Return what grew most, and the next where it is of a warning's size on its own."""
    ranked = sorted(parts, key=lambda part: -part.size)
    return "; ".join(describe(part) for place, part in enumerate(ranked[:3]) if part.size >= 1 or not place)


KINDS = ("lines", "impacts", "level")
