"""Bearing geometry and the fault orders that follow from it; the geometry of known bearings is in data/bearings.csv."""

import csv
from dataclasses import dataclass
from math import cos, isfinite, radians
from pathlib import Path
from typing import NamedTuple


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


def read_bearings(path: Path) -> dict[str, Bearing]:
    """Return {designation: bearing} of a table with one row a bearing; its unit and source are for people."""
    with path.open(newline="", encoding="utf-8") as file:
        return {
            row["designation"]: Bearing(
                int(row["rolling_elements"]),
                float(row["element_diameter"]),
                float(row["pitch_diameter"]),
                float(row["contact_angle"]),
            )
            for row in csv.DictReader(file)
        }


BEARINGS = read_bearings(Path(__file__).resolve().parent.parent / "data" / "bearings.csv")
DEFAULT_BEARING = "6205-2RS"
