"""One channel of a file and what the file says of it: the value that readers, pipeline and diagnosis hand on."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Recording:
    """A signal (samples,) in any unit, its sampling rate in Hz and the shaft's speed in turns a minute.

    sampling_rate and rpm are None where nobody has said them. channel is the name of this channel, channels are those
    of all the file's, warnings are what the reader noticed, and name is the file's. unit is the signal's as the file
    writes it, and taken_at (ISO 8601) when the file says that it begins.
    """

    signal: np.ndarray
    sampling_rate: float | None
    rpm: float | None
    channel: str = ""
    channels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    name: str = ""
    unit: str = ""
    taken_at: str = ""

    @property
    def seconds(self) -> float:
        return len(self.signal) / self.sampling_rate
