"""The channels of an uploaded file: which of them is meant, which counts time, and what every format must hold to.

What is wrong is said in words; texts from outside are shortened before a message repeats them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from model.recording.recording import Recording

MAX_UNPACKED = 64_000_000  # bytes of text or arrays that a file may unpack to
MAX_SAMPLES = 2_000_000
MAX_CHANNELS = 64
LONGEST_NAME = 40  # characters of a foreign text that a message repeats
EXPECTED = "expected .mat, .csv, .txt, .wav, .npy, or text packed with gzip"


class UnreadableError(ValueError):
    """What is wrong with an upload, in words: what came and what was expected; field is "file" or "channel"."""

    def __init__(self, message: str, field: str = "file") -> None:
        super().__init__(message)
        self.field = field


@dataclass
class Vector:
    """One channel as it stands in the file."""

    samples: np.ndarray  # real numbers of any type (samples,)
    sampling_rate: float | None = None
    rpm: float | None = None


def too_large(came: str) -> UnreadableError:
    return UnreadableError(f"the file may hold {MAX_UNPACKED:,} bytes when unpacked, and it holds {came}: cut it")


def shown(text: str) -> str:
    """Return a text from outside as a message may repeat it: short, and printable."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: LONGEST_NAME + 1])
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}..."


def counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def listed(names: Iterable[str], most: int = 20) -> str:
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more


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


def pick(vectors: dict[str, Vector], wanted: str, notes: list[str] | None = None) -> Recording:
    """Return the channel that is meant of those that the file has, after the checks that hold for every format."""
    channel = choose(list(vectors), wanted)
    vector = vectors[channel]
    check_length(len(vector.samples), vector.sampling_rate)
    signal = vector.samples.astype(np.float64)
    finite = np.isfinite(signal)
    if not finite.all():
        unusable = counted(int((~finite).sum()), "value")
        raise UnreadableError(
            f"channel {shown(channel)} holds {unusable} that cannot be used, NaN or infinity, "
            f"the first at sample {int(finite.argmin()):,}"
        )
    return Recording(signal, vector.sampling_rate, vector.rpm, channel, tuple(vectors), tuple(notes or ()))


def check_length(samples: int, sampling_rate: float | None, least: int = 2) -> None:
    if samples < least:
        raise UnreadableError(f"the file holds {counted(samples, 'sample')}, expected a recording")
    if samples > MAX_SAMPLES:
        seconds = f" ({samples / sampling_rate:,.0f} seconds)" if sampling_rate else ""
        raise UnreadableError(
            f"the recording has {samples:,} samples{seconds}, expected at most {MAX_SAMPLES:,}: "
            "cut it, ten seconds are plenty"
        )


def split_columns(samples: np.ndarray) -> list[np.ndarray]:
    """Return the channels of an array: a vector is one, the columns or rows of a matrix, where few, are several."""
    samples = samples.squeeze()
    if samples.ndim == 1 and samples.size > 1:
        return [samples]
    if samples.ndim == 2 and min(samples.shape) <= MAX_CHANNELS:
        return list(samples.T if samples.shape[1] <= samples.shape[0] else samples)
    return []


def positive(number: float | None) -> float | None:
    return float(number) if number is not None and 0 < number < math.inf else None
