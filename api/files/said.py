"""What a file says of its recording besides the samples: numbers and texts by name, however the name is written."""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from api.files.channels import positive

# As they are without capitals, underscores and spaces.
RATE_NAMES = ("fs", "sr", "samplingrate", "samplerate", "samplingfrequency", "samplefrequency")
RPM_NAMES = ("rpm", "speedrpm")
UNIT_NAMES = ("unit", "units", "unitstring")
POSITIONS = {"DE": "drive_end", "FE": "fan_end", "BA": "base"}
UNITS = ("g", "m/s2", "mm/s")  # that a form may give
CWRU_SIGNAL = re.compile(r"X(\d{1,6})_(DE|FE|BA)_time")


def find_rate(said: Mapping[str, Any]) -> float | None:
    """Return the sampling rate in Hz that is said, if any."""
    return first_positive(plain_names(said), RATE_NAMES)


def find_speed(said: Mapping[str, Any]) -> float | None:
    """Return the turns a minute that are said, if any."""
    return first_positive(plain_names(said), RPM_NAMES)


def find_unit(said: Mapping[str, Any]) -> str:
    texts = plain_names(said)
    return next((text for name in UNIT_NAMES if isinstance(text := texts.get(name), str) and text.strip()), "")


def find_unit_of(column: str) -> str:
    """Return the unit that a column's name ends in, as "acc (g)" and "acc [m/s2]" do; a number counts columns."""
    unit = re.search(r"[(\[](?!\d+[)\]])([^()\[\]]{1,12})[)\]](?:\[\d+\])?$", column)
    return unit[1].strip() if unit else ""


def plain_unit(unit: str) -> str:
    """Return g, m/s2 or mm/s where that is meant, as by "m/s^2" or "G"; any other unit as it is written."""
    plain = re.sub(r"\s|\^|\*\*", "", unit).replace("\u00b2", "2").lower()
    return plain if plain in UNITS else unit


def plain_names(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower().replace("_", "").replace(" ", ""): value for name, value in said.items()}


def first_positive(said: Mapping[str, Any], names: Iterable[str]) -> float | None:
    return next((number for name in names if (number := positive(as_number(said.get(name))))), None)


def as_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def find_record_speed(name: str, said: Mapping[str, Any]) -> float | None:
    """Return the turns a minute of the CWRU record that a variable belongs to, if any: X105RPM of X105_DE_time."""
    match = CWRU_SIGNAL.fullmatch(name)
    return positive(as_number(said.get(f"X{match[1]}RPM"))) if match else None


def name_positions(names: Iterable[str], file_name: str) -> dict[str, str]:
    """Return {variable: channel} for the record of a CWRU file that the file's name means.

    99.mat also holds record 98's variables: these keep their own names, and so do all where the name settles nothing.
    """
    found = {name: match for name in names if (match := CWRU_SIGNAL.fullmatch(name))}
    records = {match[1] for match in found.values()}
    if len(records) > 1:
        numbers = {int(digits) for digits in re.findall(r"\d{1,6}", PurePath(file_name).stem)}
        records = {record for record in records if int(record) in numbers}
    if len(records) != 1:
        return {}
    return {name: POSITIONS[match[2]] for name, match in found.items() if match[1] in records}
