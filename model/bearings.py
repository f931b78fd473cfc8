"""Bearing geometry and the fault orders that follow from it; the bearings that are known are in data/bearings.csv."""

import csv
from dataclasses import dataclass
from math import acos, cos, degrees, isfinite, radians
from pathlib import Path
from typing import NamedTuple

ROUNDED = 0.005  # of an order; published ones agree with each other to that


class FaultOrders(NamedTuple):
    """Fault rates as multiples of the shaft rate, inner race turning."""

    bpfo: float
    bpfi: float
    bsf: float
    ftf: float


@dataclass(frozen=True)
class Bearing:
    """One row of rolling elements; diameters in any one unit, contact angle in degrees."""

    rolling_elements: int
    element_diameter: float
    pitch_diameter: float
    contact_angle: float = 0.0

    def __post_init__(self) -> None:
        if not (isfinite(self.rolling_elements) and 3 <= self.rolling_elements == int(self.rolling_elements)):
            raise ValueError(f"rolling_elements is {self.rolling_elements}, expected a whole number from 3")
        if not (isfinite(self.pitch_diameter) and 0 < self.element_diameter < self.pitch_diameter):
            raise ValueError(
                f"element_diameter is {self.element_diameter} and pitch_diameter {self.pitch_diameter}, "
                "expected 0 < element_diameter < pitch_diameter"
            )
        if not 0 <= self.contact_angle < 90:
            raise ValueError(f"contact_angle is {self.contact_angle} degrees, expected from 0 to below 90")

    @property
    def orders(self) -> FaultOrders:
        """The fault orders for rolling without slip.

        BSF is the rate at which an element turns; a defect on it strikes a race at 2 x BSF.
        Formula: Randall and Antoni, Rolling element bearing diagnostics - a tutorial, MSSP 25 (2011), equations 1 to 4.
        """
        ratio = self.element_diameter / self.pitch_diameter * cos(radians(self.contact_angle))
        return FaultOrders(
            bpfo=self.rolling_elements / 2 * (1 - ratio),
            bpfi=self.rolling_elements / 2 * (1 + ratio),
            bsf=self.pitch_diameter / (2 * self.element_diameter) * (1 - ratio**2),
            ftf=(1 - ratio) / 2,
        )

    @classmethod
    def from_orders(cls, orders: FaultOrders) -> "Bearing":
        """Return the bearing of published orders, its pitch diameter 1: the formulas of `orders` solved for geometry.

        Published orders have few digits, so a contact angle of which they say less than 6 degrees is taken for 0.
        Raises ValueError where they belong to no bearing, as where a digit is misprinted.
        """
        elements = round(orders.bpfo + orders.bpfi)
        ratio = (orders.bpfi - orders.bpfo) / elements if elements else 0
        if not 0 < ratio < 1 or orders.bsf <= 0:
            raise ValueError(f"bpfo is {orders.bpfo:g}, bpfi {orders.bpfi:g} and bsf {orders.bsf:g}, "
                             "expected 0 < bpfo < bpfi and 0 < bsf")  # fmt: skip
        diameter = (1 - ratio**2) / (2 * orders.bsf)
        angle = degrees(acos(ratio / diameter)) if ratio < diameter else 0.0
        bearing = cls(elements, ratio, 1.0) if angle < 6 else cls(elements, diameter, 1.0, angle)
        for name, found, published in zip(FaultOrders._fields, bearing.orders, orders, strict=True):
            if abs(found / published - 1) > ROUNDED:
                raise ValueError(f"{name} is {published:g}, where the other orders give {found:.4g}")
        return bearing


class Listed(NamedTuple):
    """A bearing of a table, who makes or runs it, and the ISO 15 designation of its boundary dimensions, if any."""

    bearing: Bearing
    maker: str
    same_size_as: str


def read_bearings(path: Path) -> dict[str, Listed]:
    """Return {designation: bearing} of a table: a row has a geometry, or published orders where that is not known.

    Columns: designation, maker, same_size_as, rolling_elements, element_diameter, pitch_diameter (both in `unit`),
    contact_angle (degrees), bpfo, bpfi, bsf, ftf, source; unit and source are for people. Raises ValueError in words.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        return dict(read_row(row, f"{path.name}, line {number}") for number, row in enumerate(csv.DictReader(file), 2))


def read_row(row: dict[str, str], place: str) -> tuple[str, Listed]:
    cells = {name: (value or "").strip() for name, value in row.items() if name}
    designation = cells.get("designation", "")
    if not designation:
        raise ValueError(f"{place}: a designation is missing")
    try:
        bearing = make_bearing(cells)
    except ValueError as error:
        raise ValueError(f"{place}, {designation}: {error}") from error
    return designation, Listed(bearing, cells.get("maker", ""), cells.get("same_size_as", ""))


def make_bearing(cells: dict[str, str]) -> Bearing:
    if cells.get("rolling_elements"):
        elements, diameter, pitch = (
            read_number(cells, name) for name in ("rolling_elements", "element_diameter", "pitch_diameter")
        )
        elements = int(elements) if elements.is_integer() else elements
        return Bearing(elements, diameter, pitch, float(cells.get("contact_angle") or 0))
    return Bearing.from_orders(FaultOrders(*(read_number(cells, name) for name in FaultOrders._fields)))


def read_number(cells: dict[str, str], name: str) -> float:
    try:
        return float(cells.get(name, ""))
    except ValueError:
        raise ValueError(f"{name} is {cells.get(name, '')!r}, expected a number: a geometry, or all orders") from None


LISTED = read_bearings(Path(__file__).resolve().parent.parent / "data" / "bearings.csv")
BEARINGS = {designation: listed.bearing for designation, listed in LISTED.items()}
DEFAULT_BEARING = "6205-2RS"
