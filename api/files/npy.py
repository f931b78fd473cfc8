"""Recordings as arrays that numpy saved; what is pickled is not opened."""

import io
import math

import numpy as np

from api.files.channels import Channels, Vector, pick, split_columns
from api.files.errors import UnreadableError, shown
from api.files.limits import NO_LIMITS, Limits


def read_npy(content: bytes, channel: str | None, limits: Limits) -> Channels:
    samples = read_array(content)
    columns = split_columns(samples, limits.channels)
    if samples.size == 1:
        limits.check_length(1, None)
    if not columns:
        most = f" of {limits.channels} columns at most" if limits.channels < NO_LIMITS.channels else ""
        raise UnreadableError(
            f"the .npy file holds an array of shape {shown(str(samples.shape))}, expected a vector, or a matrix{most}"
        )
    return pick({str(index): Vector(column) for index, column in enumerate(columns)}, channel, limits)


def read_array(content: bytes) -> np.ndarray:
    """Return the array of real numbers that a file holds, none of it copied. Raises UnreadableError."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise UnreadableError("the .npy file is not of version 1.0 or 2.0: expected an array of numbers from np.save")
    shape, fortran_order, dtype = readers[version](stream)
    if dtype.kind not in "iuf":
        raise UnreadableError(f"the .npy file holds {shown(str(dtype))}, expected real numbers")
    announced, came = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if announced != came or min(shape, default=0) < 0:
        raise UnreadableError(f"the .npy file announces {announced:,} bytes of samples and holds {came:,}")
    return np.frombuffer(content, dtype, offset=stream.tell()).reshape(shape, order="F" if fortran_order else "C")
