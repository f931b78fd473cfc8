"""Recordings in LabVIEW's TDMS files. npTDMS reads them."""

import io
from datetime import UTC
from typing import Any

import numpy as np

from api.files.channels import Channels, Vector, make_recordings, positive, select
from api.files.errors import UnreadableError
from api.files.extras.libraries import load_library
from api.files.limits import Limits
from api.files.said import find_rate, find_speed

MAGIC = b"TDSm"
UNITS = ("unit_string", "NI_UnitDescription", "Unit")


def read_tdms(content: bytes, channel: str | None, limits: Limits) -> Channels:
    nptdms = load_library("nptdms", "a LabVIEW TDMS file")
    with nptdms.TdmsFile.open(io.BytesIO(content)) as file:
        if file.file_status.incomplete_final_segment:
            raise UnreadableError("the TDMS file is incomplete: its last segment breaks off")
        channels = {name: each for name, each in name_channels(file).items() if is_signal(each)}
        if not channels:
            raise UnreadableError("the TDMS file holds no channel of numbers, expected a recording")
        chosen = {name: channels[name] for name in select(list(channels), channel)}
        for each in chosen.values():
            limits.check_length(len(each), None)
        limits.check_unpacked(8 * sum(map(len, chosen.values())))
        vectors = {name: read_vector(file, each) for name, each in chosen.items()}
        return make_recordings(vectors, list(channels), limits)


def read_vector(file: Any, channel: Any) -> Vector:
    said = {**file.properties, **file[channel.group_name].properties, **channel.properties}
    return Vector(channel[:], read_rate(said), find_speed(said), read_unit(said), read_start(said))


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
