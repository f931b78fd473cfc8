"""Recordings in Universal Files of dataset 58, as text (58) or binary (58b). pyuff reads a dataset."""

import re
from typing import Any

import numpy as np

from api.files.channels import Channels, Vector, make_recordings, positive, select
from api.files.errors import UnreadableError
from api.files.extras.libraries import load_library
from api.files.limits import Limits
from api.files.time_axes import time_unit

MARK = re.compile(rb" {4}-1(?=[\r\n]| {74}|\Z)")  # where a dataset begins or ends; binary numbers may stand before it
KIND = re.compile(rb"\s*\n {0,5}58[ b]")
TIME_SIGNALS = (0, 1)  # function types: general, time response
TIMES = (0, 17)  # types of an abscissa: unknown, time
SIX_DIGITS = 1e-6
DIRECTIONS = {1: "+X", 2: "+Y", 3: "+Z", -1: "-X", -2: "-Y", -3: "-Z"}


def is_uff(content: bytes) -> bool:
    return MARK.match(content.lstrip(b"\r\n")) is not None


def read_uff(content: bytes, channel: str | None, limits: Limits) -> Channels:
    # pyuff opens files by their names alone, and a worker may write none: its reader of a dataset is called itself.
    extract = load_library("pyuff.datasets.dataset_58", "a Universal File (UFF)")._extract58
    places = [match.start() for match in MARK.finditer(content)]
    blocks = [content[start:stop] for start, stop in zip(places[::2], places[1::2], strict=False)]
    blocks = [block for block in blocks if KIND.match(block[6:])]
    heads = [extract(block, header_only=True) for block in blocks[: limits.channels]]
    found = {index: head for index, head in enumerate(heads) if is_signal(head)}
    if not found:
        raise UnreadableError(
            "the Universal File holds no time signal (dataset 58) over an abscissa of time, expected a recording"
        )
    names = dict(zip(name_channels(found), found, strict=True))
    chosen = {name: names[name] for name in select(list(names), channel)}
    for index in chosen.values():
        limits.check_length(int(found[index]["num_pts"]), None)
    limits.check_unpacked(8 * sum(int(found[index]["num_pts"]) for index in chosen.values()))
    vectors = {name: make_vector(extract(blocks[index])) for name, index in chosen.items()}
    return make_recordings(vectors, list(names), limits)


def make_vector(head: dict[str, Any]) -> Vector:
    samples = np.asarray(head["data"])
    step, unit = head.get("abscissa_inc"), read_label(head, "abscissa_axis_units_lab")
    seconds = time_unit(f"({unit.lower()})") if unit else 1.0
    rate = positive(1 / (step * seconds) if step and seconds else None)
    if rate and abs(rate - round(rate)) < SIX_DIGITS * rate:  # the step is written with so many
        rate = float(round(rate))
    return Vector(samples, rate, None, read_label(head, "ordinate_axis_units_lab"))


def read_label(head: dict[str, Any], name: str) -> str:
    label = str(head.get(name) or "").strip()
    return "" if label.upper() == "NONE" else label


def is_signal(head: dict[str, Any]) -> bool:
    is_over_time = head.get("abscissa_spec_data_type") in TIMES
    return is_over_time and head.get("func_type") in TIME_SIGNALS and head.get("ord_data_type") in (2, 4)


def name_channels(found: dict[int, dict[str, Any]]) -> list[str]:
    """Return a name for each dataset: node and direction of the response, and its place where these do not differ."""
    names = [f"{head.get('rsp_node', 0)}{DIRECTIONS.get(head.get('rsp_dir'), '')}" for head in found.values()]
    return names if len(set(names)) == len(names) else [str(index) for index in found]
