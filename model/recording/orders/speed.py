"""Whether the recording's own lines bear out the stated rate and speed, within some percent.

A wrong sampling rate and a wrong speed look alike: all lines lie at another multiple of the stated shaft rate. The
shaft's harmonics and the bearing's lines speak for one factor together; slip moves the bearing's lines alone.
numpy only: the service imports this module.
"""

from typing import NamedTuple

import numpy as np

from model.bearings import FaultOrders
from model.recording import thresholds
from model.recording.orders.combs import find, find_highest_decoy, near, score, take_out_families
from model.recording.orders.families import Family, list_families
from model.recording.orders.spectra import OrderSpectra

FINE, COARSE = 0.0005, 0.002  # shares between factors at which the shaft's and the bearing's combs are scored
SHAFT_TEETH = (6, 12, 24, 40)  # of combs in the spectrum
ENVELOPE_TEETH = (4, 8)  # of combs in the envelope spectra
EDGES = np.array([0, 1, -2, -1])  # of the factors; the best one there is the slope of something beyond
DECOYS = np.concatenate([np.arange(0.82, 0.93, 0.0007), np.arange(1.07, 1.18, 0.0007)])  # factors of no shaft


class Support(NamedTuple):
    """What the shaft's combs say for each of factors (factors,), and what they say together with the bearing's.

    In support neither counts for more than so much; unlimited is the sum without limits, whose peaks are sharp.
    """

    factors: np.ndarray
    shaft: np.ndarray
    support: np.ndarray
    unlimited: np.ndarray


def find_factor(spectra: OrderSpectra, orders: FaultOrders, limits: thresholds.Speed) -> float:
    """Return the true shaft rate over the stated one: near 1 where that is borne out, 1 if nothing is clear."""
    factors, shaft, support, unlimited = weigh_factors(spectra, orders, limits)
    stated = np.abs(factors - 1) <= limits.stated
    best = int(np.where(stated, -np.inf, unlimited).argmax())
    enough = max(limits.borne_out, limits.borne_out_share * shaft[best])
    borne_out = shaft[stated].max() >= enough or shaft[best] < limits.least_shaft
    if borne_out or support[best] <= max(limits.least, support[stated].max() + limits.margin):
        best = int(np.where(stated, unlimited, -np.inf).argmax())
    if support[best] <= limits.least or best in EDGES % len(factors):
        return 1.0
    alike = unlimited >= unlimited[best] - (1 - limits.alike) * abs(unlimited[best])
    alike &= (np.abs(factors / factors[best] - 1) <= limits.slip) & (stated == stated[best])
    return float(factors[alike].mean())  # combs of few teeth score alike over some bins: the middle is the best guess


def is_stated(factor: float, limits: thresholds.Speed) -> bool:
    """Return whether a factor is so near to 1 that the stated rate and speed are borne out."""
    return abs(factor - 1) <= limits.stated


def weigh_factors(spectra: OrderSpectra, orders: FaultOrders, limits: thresholds.Speed) -> Support:
    """Return the factors that are tried and what the shaft's and the bearing's combs together say for each."""
    factors = np.arange(1 - limits.reach, 1 + limits.reach + FINE / 2, FINE)
    scores = score_shaft(spectra, np.concatenate([DECOYS, factors]))
    decoys = np.quantile(scores[:, : len(DECOYS)], limits.decoy_share, axis=1)
    shaft = (scores[:, len(DECOYS) :] - decoys[:, None]).max(axis=0)
    bearing = limits.bearing_weight * score_bearing(spectra, list_families(orders), factors, limits.slip)
    most = limits.most_shaft, limits.bearing_weight * limits.most_bearing
    return Support(factors, shaft, np.clip(shaft, 0, most[0]) + np.clip(bearing, 0, most[1]), shaft + bearing)


def score_shaft(spectra: OrderSpectra, factors: np.ndarray) -> np.ndarray:
    """Return scores (combs, factors) of the shaft's harmonics, in deviations of noise."""
    rows = [(spectra.shaft_heights, teeth) for teeth in SHAFT_TEETH]
    rows += [(spectra.heights.mean(axis=0), teeth) for teeth in ENVELOPE_TEETH]
    return np.stack([score_teeth(heights, spectra.spacing, factors, teeth) for heights, teeth in rows])


def score_teeth(heights: np.ndarray, spacing: float, factors: np.ndarray, teeth: int) -> np.ndarray:
    index = np.rint(np.arange(1, teeth + 1)[:, None] * factors / spacing).astype(int)
    inside = index < np.count_nonzero(heights)
    total = np.where(inside, heights[np.where(inside, index, 0)], 0).sum(axis=0)
    return total / np.sqrt(np.maximum(inside.sum(axis=0), 1)) / max(float(heights.std()), 1e-9)


def score_bearing(
    spectra: OrderSpectra, families: tuple[Family, ...], factors: np.ndarray, slip: float
) -> np.ndarray:  # fmt: skip
    """Return by how much the bearing's best comb exceeds every decoy, at factors (factors,) and with slip on top."""
    coarse = np.arange(factors[0] - slip, factors[-1] + slip, COARSE)
    best = np.max([score_family(spectra, family, coarse) for family in families], axis=0)
    there = float(coarse[int(np.argmax(best))])
    found = [find(spectra, spectra.heights, family, slip, there) for family in families]
    null = take_out_families(spectra, spectra.heights, families, found, there)
    decoy = max(find_highest_decoy(spectra, null, families, family, slip, there) for family in families)
    exact = np.interp(factors, coarse, best)
    reach = round(slip / FINE)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(exact, reach, mode="edge"), 2 * reach + 1)
    return around.max(axis=1) - decoy


def score_family(spectra: OrderSpectra, family: Family, factors: np.ndarray) -> np.ndarray:
    """Return the score of a family's best comb in any band at each of factors (factors,)."""
    each = [near(family.order * factor, COARSE, spectra.spacing) for factor in factors]
    repeated = np.repeat(factors, [len(fundamentals) for fundamentals in each])
    scores = score(spectra, spectra.heights, np.concatenate(each), family.sideband, repeated).max(axis=0)
    return np.maximum.reduceat(scores, np.cumsum([0, *(len(fundamentals) for fundamentals in each[:-1])]))


def describe_factor(factor: float) -> str:
    """Return a warning that says by how much rate or speed seem off; an empty text for a factor of 1."""
    if factor == 1.0:
        return ""
    off = 100 * (factor - 1)
    return (
        f"the shaft's and the bearing's own lines lie at {factor:.3f} times the stated orders: the speed seems "
        f"{abs(off):.1f} % {'higher' if off > 0 else 'lower'} than stated, or the sampling rate "
        f"{'lower' if off > 0 else 'higher'}; the lines were looked for there"
    )
