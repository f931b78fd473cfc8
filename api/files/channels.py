"""The channels of a file: which of them is meant, and what each must hold to in every format."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from api.files.errors import UnreadableError, counted, listed, shown
from api.files.limits import Limits
from api.files.time_axes import count_from_first, last_name, read_rate
from model.recording.recording import Recording


@dataclass
class Vector:
    """One channel as it stands in the file."""

    samples: np.ndarray  # real numbers of any type (samples,)
    sampling_rate: float | None = None  # Hz
    rpm: float | None = None
    unit: str = ""  # of the samples, as the file writes it
    taken_at: str = ""  # ISO 8601, when the recording began
    notes: tuple[str, ...] = ()  # on what was read of it


Channels = dict[str, Recording | UnreadableError]


def choose(names: list[str], wanted: str) -> str:
    """Return the channel that is meant; digits as a name mean that the file names none."""
    if wanted in names:
        return wanted
    if len(names) == 1 and (not wanted or (wanted == "drive_end" and names[0].isdecimal())):
        return names[0]
    if wanted:
        raise UnreadableError(f"the file has no channel {shown(wanted)}; it has {listed(names)}", "channel")
    if "drive_end" in names:
        return "drive_end"
    raise UnreadableError(f"the file has {len(names):,} channels, name one of them: {listed(names)}", "channel")


def select(names: Sequence[str], wanted: str | None) -> list[str]:
    """Return the channels that are meant: one, or all of them where wanted is None. Raises UnreadableError."""
    return list(names) if wanted is None else [choose(list(names), wanted)]


def pick(vectors: dict[str, Vector], wanted: str | None, limits: Limits) -> Channels:
    """Return the channels that are meant of those that the file has. Raises UnreadableError."""
    return make_recordings({name: vectors[name] for name in select(list(vectors), wanted)}, list(vectors), limits)


def make_recordings(
    vectors: dict[str, Vector], channels: Sequence[str], limits: Limits, warnings: Sequence[str] = ()
) -> Channels:
    """Return channels by name; of several, one that cannot be used is returned as what is wrong with it."""
    found: Channels = {}
    for name, vector in vectors.items():
        try:
            found[name] = make_recording(vector, name, channels, limits, warnings)
        except UnreadableError as error:
            if len(vectors) == 1:
                raise
            found[name] = error
    return found


def make_recording(
    vector: Vector, channel: str, channels: Sequence[str], limits: Limits, warnings: Sequence[str] = ()
) -> Recording:
    """Return a channel after the checks that hold for every format. Raises UnreadableError."""
    limits.check_length(len(vector.samples), vector.sampling_rate)
    signal = vector.samples.astype(np.float64)
    finite = np.isfinite(signal)
    if not finite.all():
        unusable = counted(int((~finite).sum()), "value")
        raise UnreadableError(
            f"channel {shown(channel)} holds {unusable} that cannot be used, NaN or infinity, "
            f"the first at sample {int(finite.argmin()):,}"
        )
    return Recording(
        signal,
        vector.sampling_rate,
        vector.rpm,
        channel,
        tuple(channels),
        (*warnings, *vector.notes),
        unit=shown(vector.unit),
        taken_at=vector.taken_at,
    )


def read_along(vector: Vector, axis: str, times: np.ndarray) -> Vector:
    """Return a channel with the sampling rate of its time axis, unless the file has said another one."""
    rate, note = read_rate(last_name(axis), count_from_first(times), vector.sampling_rate)
    return replace(vector, sampling_rate=rate, notes=(*vector.notes, note) if note else vector.notes)


def split_columns(samples: np.ndarray, most: int) -> list[np.ndarray]:
    """Return the channels of an array: a vector is one, the columns or rows of a matrix, where few, are several.

    Of a matrix that has more than most columns and rows nothing is returned.
    """
    samples = samples.squeeze()
    if samples.ndim == 1 and samples.size > 1:
        return [samples]
    if samples.ndim == 2 and min(samples.shape) <= most:
        return list(samples.T if samples.shape[1] <= samples.shape[0] else samples)
    return []


def positive(number: float | None) -> float | None:
    return float(number) if number is not None and 0 < number < math.inf else None
