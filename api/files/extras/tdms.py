"""Recordings in LabVIEW's TDMS files. npTDMS reads them."""

import io
from datetime import UTC
from typing import Any

import numpy as np

from api.files.channels import Channels, Vector, make_recordings, positive, read_along, select
from api.files.errors import UnreadableError
from api.files.extras.libraries import load_library
from api.files.limits import Limits
from api.files.said import find_rate, find_speed
from api.files.time_axes import FIRST_ROWS, match_axes

MAGIC = b"TDSm"
UNITS = ("unit_string", "NI_UnitDescription", "Unit")


def read_tdms(content: bytes, channel: str | None, limits: Limits) -> Channels:
    nptdms = load_library("nptdms", "a LabVIEW TDMS file")
    with nptdms.TdmsFile.open(io.BytesIO(content)) as file:
        if file.file_status.incomplete_final_segment:
            raise UnreadableError("the TDMS file is incomplete: its last segment breaks off")
        found = {name: each for name, each in name_channels(file).items() if is_signal(each)}
        if not found:
            raise UnreadableError("the TDMS file holds no channel of numbers, expected a recording")
        axes = match_channels(found)
        chosen = select(list(axes), channel)
        for name in chosen:
            limits.check_length(len(found[name]), None)
        limits.check_unpacked(8 * sum(len(found[name]) for name in {*chosen, *(axes[name] for name in chosen)} if name))
        vectors = {name: read_vector(file, found[name], found.get(axes[name])) for name in chosen}
        return make_recordings(vectors, list(axes), limits)


def match_channels(found: dict[str, Any]) -> dict[str, str]:
    """Return {channel: its time axis, or none}, by paths, which tell the group; a quotation mark ends them."""
    names = {each.path[:-1]: name for name, each in found.items()}
    lengths = {path: len(found[name]) for path, name in names.items()}
    axes = match_axes(lengths, lambda path: found[names[path]][:FIRST_ROWS])
    return {names[path]: names.get(axis, "") for path, axis in axes.items()}


def read_vector(file: Any, channel: Any, axis: Any) -> Vector:
    said = {**file.properties, **file[channel.group_name].properties, **channel.properties}
    vector = Vector(channel[:], read_rate(said), find_speed(said), read_unit(said), read_start(said))
    return vector if axis is None else read_along(vector, axis.name, axis[:])


def name_channels(file: Any) -> dict[str, Any]:
    """Return {name: channel}; a name that several groups have gets its group's before it."""
    found = [each for group in file.groups() for each in group.channels()]
    names = [each.name for each in found]
    return {each.name if names.count(each.name) == 1 else f"{each.group_name}/{each.name}": each for each in found}


def is_signal(channel: Any) -> bool:
    return len(channel) > 1 and channel.dtype is not None and np.dtype(channel.dtype).kind in "iuf"


def read_rate(said: dict[str, Any]) -> float | None:
    step = said.get("wf_increment")
    rate = positive(1 / step if isinstance(step, float) and step > 0 else None)
    return round(rate, 6) if rate else find_rate(said)


def read_unit(said: dict[str, Any]) -> str:
    return next((said[name] for name in UNITS if isinstance(said.get(name), str)), "")


def read_start(said: dict[str, Any]) -> str:
    start = said.get("wf_start_time")
    if not isinstance(start, np.datetime64) or np.isnat(start):
        return ""
    return start.astype("datetime64[us]").item().replace(tzinfo=UTC).isoformat()
