"""Recordings in MATLAB files of versions 4 to 7: vectors, alone, in matrices and in structs.

scipy reads them. Its reader is compiled and trusts what a file says of itself: a crafted one can end the process, which
is one reason why uploads are read in a child.
"""

import io
import math
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from api.files.channels import Channels, Vector, pick, positive, read_along, split_columns
from api.files.errors import EXPECTED, UnreadableError, listed
from api.files.limits import Limits
from api.files.said import find_rate, find_record_speed, find_speed, name_positions
from api.files.time_axes import match_axes

MAX_VARIABLES = 1000  # in a MATLAB 4 file
MAX_DEPTH = 8  # of structs in structs
NUMBERS = {"double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
MAT4_WIDTHS = (8, 4, 4, 2, 2, 1)  # bytes of a number, by MATLAB's code for its type


class Variable(NamedTuple):
    """A line of the list of what a file holds."""

    name: str
    shape: tuple[int, ...]
    kind: str  # MATLAB's class


def is_mat5(content: bytes) -> bool:
    return content[124:128] in (b"\x00\x01IM", b"\x01\x00MI") and 0 not in content[:4]


def read_mat(content: bytes, name: str, channel: str | None, limits: Limits) -> Channels:
    if not is_mat5(content):
        check_mat4(content)
    variables, listing = load(content, limits)
    vectors = dict(find_vectors(variables, limits.channels, "", None, None))
    if not vectors:
        raise nothing_in(listing)
    scalars = {variable: value.item() for variable, value in variables.items() if is_real(value) and value.size == 1}
    for variable, vector in vectors.items():
        vector.rpm = find_record_speed(variable, scalars) or vector.rpm
    axes = match_axes(
        {each: len(vector.samples) for each, vector in vectors.items()}, lambda each: vectors[each].samples
    )
    vectors = {
        each: read_along(vectors[each], axis, vectors[axis].samples) if axis else vectors[each]
        for each, axis in axes.items()
    }
    aliases = name_positions(vectors, name)
    vectors = {aliases.get(variable, variable): vector for variable, vector in vectors.items()}
    return pick(vectors, aliases.get(channel, channel) if channel else channel, limits)


def load(content: bytes, limits: Limits) -> tuple[dict[str, np.ndarray], list[Variable]]:
    """Return the variables that may hold a recording, once it is clear that they are not too large, and the listing."""
    import scipy.io  # here: the service's own process, which checks and hands on, shall not load it

    listing = [Variable(*each) for each in scipy.io.whosmat(io.BytesIO(content))]
    wanted = {each.name: math.prod(each.shape) for each in listing if each.kind in NUMBERS | {"struct"}}
    limits.check_unpacked(8 * sum(wanted.values()))
    return scipy.io.loadmat(io.BytesIO(content), variable_names=list(wanted)) if wanted else {}, listing


def nothing_in(listing: list[Variable]) -> UnreadableError:
    came = listed(f"{each.name} ({each.kind} {' x '.join(map(str, each.shape))})" for each in listing)
    return UnreadableError(
        f"the file holds {came or 'no variable'}: expected a vector of real numbers, alone or in a struct"
    )


def check_mat4(content: bytes) -> None:
    """Raise UnreadableError unless it is a whole MATLAB 4 file; with a negative size in it scipy would never end."""
    if 0 not in content[:4]:
        raise UnreadableError(f"the file does not start as a MATLAB file does; {EXPECTED}")
    order = "<" if 0 <= int.from_bytes(content[:4], "little", signed=True) <= 5000 else ">"
    place = 0
    for _ in range(MAX_VARIABLES):
        kind, rows, columns, imaginary, name_length = struct.unpack_from(f"{order}5i", content, place)
        if not 0 <= kind < 2000 or min(rows, columns, name_length) < 0:
            raise UnreadableError("the MATLAB file is damaged, or of no version from 4 to 7")
        numbers = rows * columns * (2 if imaginary == 1 and kind % 10 != 2 else 1)
        place += 20 + name_length + numbers * MAT4_WIDTHS[kind // 10 % 10]
        if place > len(content):
            raise UnreadableError(f"the MATLAB file is incomplete: {place:,} bytes announced, {len(content):,} came")
        if place == len(content):
            return
    raise UnreadableError(f"the MATLAB file holds more than {MAX_VARIABLES:,} variables: save the recording alone")


def find_vectors(
    values: dict[str, Any], most: int, prefix: str, sampling_rate: float | None, rpm: float | None
) -> Iterator[tuple[str, Vector]]:
    """Yield all vectors by name, those in structs too, each with the rate and speed that stand nearest to it.

    most is how many columns a matrix may have.
    """
    scalars = {name: float(value.item()) for name, value in values.items() if is_real(value) and value.size == 1}
    sampling_rate = find_rate(scalars) or sampling_rate
    shaft_rate = scalars.get("rate") if prefix and "sr" in scalars else None
    rpm = find_speed(scalars) or positive(60 * shaft_rate if shaft_rate else None) or rpm
    for name, value in values.items():
        if is_struct(value) and prefix.count(".") < MAX_DEPTH:
            for index, element in enumerate(value.ravel()):
                fields = {each: element[each] for each in value.dtype.names}
                inner = f"{prefix}{name}{suffix(value.size, index)}."
                yield from find_vectors(fields, most, inner, sampling_rate, rpm)
        elif is_real(value):
            columns = split_columns(value, most)
            for index, column in enumerate(columns):
                yield f"{prefix}{name}{suffix(len(columns), index)}", Vector(column, sampling_rate, rpm)


def suffix(count: int, index: int) -> str:
    return f"[{index}]" if count > 1 else ""


def is_struct(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.names is not None


def is_real(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf"
