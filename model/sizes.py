"""A ball bearing known by its size alone: its boundary dimensions by ISO 15, and between which orders its faults lie.

A designation fixes bore and outside diameter; the number of balls and their diameter are the maker's. They are
estimated from the deep groove ball bearings of data/bearings.csv, whose geometry or orders are published.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import asin, ceil, log, pi, sin, sqrt
from typing import NamedTuple

import numpy as np

from model.bearings import LISTED, Bearing, FaultOrders, Listed

# Outside diameters (mm) of the bore codes 00 to 20 in the diameter series 0, 2 and 3: ISO 15:2017, tables 4 to 6.
SMALL_BORES = (10, 12, 15, 17)  # mm, of the codes 00 to 03; beyond, five times the code
OUTER_DIAMETERS = {
    "0": (26, 28, 32, 35, 42, 47, 55, 62, 68, 75, 80, 90, 95, 100, 110, 115, 125, 130, 140, 145, 150),
    "2": (30, 32, 35, 40, 47, 52, 62, 72, 80, 85, 90, 100, 110, 120, 125, 130, 140, 150, 160, 170, 180),
    "3": (35, 37, 42, 47, 52, 62, 72, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 215),
}
DESIGNATION = re.compile(r"(?<!\d)6(?:2(?=[23]\d\d(?!\d)))?([023])(\d\d)(?!\d)")  # 6309, 62205, SKF 6309-2Z/C3
DIMENSIONS = re.compile(
    r"(\d+(?:\.\d+)?) ?[x\u00d7*] ?(\d+(?:\.\d+)?)(?: ?[x\u00d7*] ?\d+(?:\.\d+)?)?(?: ?mm)?", re.IGNORECASE
)
SECTIONS = (0.38, 1.2)  # of the diameter series 0, 2 and 3: what is slimmer or stouter has other proportions
CELL = 0.03  # share of the ball diameter that one bearing stands for: the room that lines may slip in, on both sides


class Size(NamedTuple):
    """Boundary dimensions in mm."""

    bore: float
    outer_diameter: float


class Proportions(NamedTuple):
    """Between what the proportions of bearings lie.

    section: the balls' diameter over the pitch diameter, in sections: the difference of outside diameter and bore over
    their mean. filling: the share of the pitch circle that the balls take.
    """

    section: tuple[float, float]
    filling: tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """The bearings that one of this size may be, so close to one another that lines of any between them are found."""

    size: Size
    bearings: tuple[Bearing, ...]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the lowest and the highest of each fault order."""
        each = zip(*(bearing.orders for bearing in self.bearings), strict=True)
        return {name: (min(orders), max(orders)) for name, orders in zip(FaultOrders._fields, each, strict=True)}


def read_size(text: str) -> Size | None:
    """Return the size that a designation (6309-2Z) or dimensions in mm (45 x 100 x 25) say, or None."""
    if dimensions := DIMENSIONS.fullmatch(text.strip()):
        return Size(float(dimensions[1]), float(dimensions[2]))
    designation = DESIGNATION.search(text)
    return size_of(designation[1], int(designation[2])) if designation else None


def size_of(series: str, code: int) -> Size | None:
    """Return the size of a bore code in a diameter series, or None where the tables end."""
    outer_diameters = OUTER_DIAMETERS[series]
    if code >= len(outer_diameters):
        return None
    return Size(SMALL_BORES[code] if code < len(SMALL_BORES) else 5 * code, outer_diameters[code])


@lru_cache(maxsize=64)
def estimate(size: Size) -> Estimate:
    """Return the bearings that one of a size may be. Raises ValueError where its proportions are of no known series."""
    slimmest, stoutest = SECTIONS
    if size.outer_diameter <= 0 or not slimmest <= section(size) <= stoutest:
        raise ValueError(
            f"bore is {size.bore:g} mm and outside diameter {size.outer_diameter:g} mm, expected the proportions of "
            "the series 60, 62 or 63: bearings of others are not estimated, give their geometry"
        )
    return Estimate(size, tuple(spread(size, learn_proportions(LISTED.values()))))


def learn_proportions(listed: Iterable[Listed]) -> Proportions:
    """Return between what the proportions of bearings lie, of those whose size is known."""
    known = [(each.bearing, size) for each in listed if (size := read_size(each.same_size_as))]
    ratios = np.array([ball_ratio(bearing) for bearing, _ in known])
    sections = ratios / [section(size) for _, size in known]
    fillings = np.array([filling(bearing.rolling_elements, ball_ratio(bearing)) for bearing, _ in known])
    return Proportions(tolerance_interval(sections), tolerance_interval(fillings))


def ball_ratio(bearing: Bearing) -> float:
    return bearing.element_diameter / bearing.pitch_diameter


def section(size: Size) -> float:
    return 2 * (size.outer_diameter - size.bore) / (size.outer_diameter + size.bore)


def filling(balls: int, ratio: float) -> float:
    """Return the share of the pitch circle that balls take, each seen under twice the arcsine of its ratio."""
    return balls * asin(ratio) / pi


def tolerance_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the interval that holds 95 % of normal values with 95 % confidence.

    Formula: Howe, Two-sided tolerance limits for normal populations, J. Am. Stat. Assoc. 64 (1969) 610, with the
    quantile of chi squared by Wilson and Hilferty, PNAS 17 (1931) 684.
    """
    number = len(values)
    freedom = number - 1
    chi_squared = freedom * (1 - 2 / (9 * freedom) - 1.645 * sqrt(2 / (9 * freedom))) ** 3
    factor = 1.960 * sqrt(freedom * (1 + 1 / number) / chi_squared)
    middle, reach = float(values.mean()), factor * float(values.std(ddof=1))
    return middle - reach, middle + reach


def spread(size: Size, proportions: Proportions) -> list[Bearing]:
    """Return bearings of a size over the proportions, a pitch diameter of 1 and a cell of the ball diameter each."""
    smallest, largest = np.multiply(proportions.section, section(size))
    least, most = proportions.filling
    bearings = []
    for balls in range(3, ceil(most * pi / asin(smallest)) + 1):
        low, high = max(smallest, sin(least * pi / balls)), min(largest, sin(min(most * pi / balls, pi / 2)))
        if low < high:
            cells = ceil(log(high / low) / CELL)
            ratios = low * (high / low) ** ((np.arange(cells) + 0.5) / cells)
            bearings += [Bearing(balls, float(ratio), 1.0) for ratio in ratios]
    return bearings
