"""The form fields of `POST /diagnose/`: what they may be, and what a person meant by them."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from model.bearings import DEFAULT_BEARING, LISTED, Bearing, Listed, read_bearings
from model.sizes import Estimate, Size, estimate, read_size

KNOWN = dict(LISTED)  # designations; a person's own table adds to them
GEOMETRY = tuple(Bearing.__dataclass_fields__)
HIGHEST_ORDER = 150  # 200 small rolling elements have 100

Rate = Annotated[float | None, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
Speed = Annotated[float | None, Field(ge=10, le=1_000_000, allow_inf_nan=False)]
Unit = Literal["", "g", "m/s2", "mm/s"]


class Fields(BaseModel):
    """What a person says of a recording; None for what the file may say itself."""

    model_config = ConfigDict(extra="forbid")

    sampling_rate: Rate = Field(None, description="Hz, 11,000 or more", examples=[12000])
    rpm: Speed = Field(
        None,
        description="turns a minute of the shaft, on which the inner race sits; needed where neither the file nor the "
        "shaft's own lines say it clearly",
        examples=[1797],
    )
    bearing: str = Field(
        DEFAULT_BEARING,
        max_length=500,
        description="designation, or geometry: rolling elements, element diameter, pitch diameter, contact angle in "
        'degrees, as "9, 7.94, 39.04, 0" or as a JSON object; both diameters in one unit. Of a ball bearing of the '
        "series 60, 62 or 63 that is not in the table, or of bore x outside diameter x width in mm, as 45 x 100 x 25, "
        "the geometry is estimated; its lines alone decide then",
    )
    channel: str = Field(
        "", max_length=200, description="drive_end where the file has several and none is named; all for every channel"
    )
    unit: Unit = Field(
        "", description="of the samples, where the file does not say it; it is shown, and changes nothing"
    )
    baseline_sampling_rate: Rate = Field(None, description="of the baseline, where it differs and its file is silent")
    baseline_rpm: Speed = Field(None, description="of the baseline, where it differs and its file is silent")
    series: bool = Field(True, description="false leaves out what only plots need")

    @field_validator("bearing")
    @classmethod
    def check_bearing(cls, value: str) -> str:
        parse_bearing(value)
        return value.strip()


def add_bearings(path: Path) -> None:
    """Let the designations of a person's own table be known, before those of data/bearings.csv.

    Raises OSError, and ValueError in words where a row is wrong.
    """
    KNOWN.update(read_bearings(path))


def parse_bearing(text: str) -> Bearing | Estimate:
    """Return the bearing that a designation or a geometry names, or an estimate of it. Raises ValueError in words."""
    text = text.strip()
    known = {plain(name): listed for name, listed in KNOWN.items()}
    if plain(text) in known:
        return known[plain(text)].bearing
    if text.startswith("{"):
        return bearing_of(read_object(text))
    marks = r"[;\s]+" if ";" in text else r"[,\s]+"  # between semicolons a comma is a decimal one
    numbers = [part.replace(",", ".") for part in re.split(marks, text) if part]
    if len(numbers) in (3, 4) and all(map(is_number, numbers)):  # before a designation: 1.6312 is none
        return bearing_of(dict(zip(GEOMETRY, map(float, numbers), strict=False)))
    if size := read_size(text):
        return estimate(size)
    raise ValueError(
        f"bearing is {text[:60]!r}, which is not in the table; expected a designation of it, as {DEFAULT_BEARING}, "
        "a ball bearing's of the series 60, 62 or 63, its bore x outside diameter x width in mm, as 45 x 100 x 25, "
        "or the geometry: rolling elements, element diameter, pitch diameter and, if not 0, contact angle, as in "
        "9, 7.94, 39.04, 0"
    )


def plain(designation: str) -> str:
    return re.sub(r"[\s_-]", "", designation).lower()


def describe_similar(size: Size) -> str:
    """Return which bearings of the table have an estimated one's size, or an empty text."""
    same = [(name, each) for name, each in KNOWN.items() if each.same_size_as and read_size(each.same_size_as) == size]
    if not same:
        return ""
    found = ", ".join(f"{name} ({each.maker}, BPFO {each.bearing.orders.bpfo:.3g})" for name, each in same)
    return f"of the same size and known: {found}; one of them as the bearing says more, if it is of that make"


def read_object(text: str) -> dict[str, float]:
    try:
        geometry = json.loads(text, parse_int=float)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"bearing is no JSON object: {error}") from error
    wrong = {name: value for name, value in geometry.items() if name not in GEOMETRY or type(value) is not float}
    if wrong:
        raise ValueError(f"bearing holds {str(wrong)[:80]}, expected numbers named {', '.join(GEOMETRY)}")
    return geometry


def bearing_of(geometry: dict[str, float]) -> Bearing:
    missing = [name for name in GEOMETRY[:3] if name not in geometry]
    if missing:
        raise ValueError(f"bearing lacks {', '.join(missing)}")
    elements = geometry["rolling_elements"]
    if elements > 200:
        raise ValueError(f"rolling_elements is {elements:g}, expected 200 at most")
    bearing = Bearing(**geometry | {"rolling_elements": int(elements) if elements.is_integer() else elements})
    if max(bearing.orders) > HIGHEST_ORDER:
        raise ValueError(
            f"the geometry gives a fault order of {max(bearing.orders):.3g}, expected {HIGHEST_ORDER} at most: "
            "are both diameters in one unit?"
        )
    return bearing


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def known_bearings() -> dict[str, dict[str, Any]]:
    """Return geometry, fault orders, maker and size of every designation."""
    return {name: describe_bearing(listed) for name, listed in KNOWN.items()}


def describe_bearing(listed: Listed) -> dict[str, Any]:
    orders = {"orders": listed.bearing.orders._asdict()}
    return asdict(listed.bearing) | orders | {"maker": listed.maker, "same_size_as": listed.same_size_as}
