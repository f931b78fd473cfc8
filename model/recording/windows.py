"""A recording's windows of 0.68 s that overlap by half, and how many of them memory holds at once."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from model.recording.lines import window_length

HOP = 0.5  # of a window
PART = 2**19  # samples of windows transformed at once
CONSTANT = 1e-5  # of the recording's range; a window that varies by less is left out


def cut(signal: np.ndarray, sampling_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts (samples) of the windows that overlap by half and vary, and the windows."""
    length = window_length(sampling_rate)
    hop = round(length * HOP)
    starts = np.arange(0, len(signal) - length + 1, hop)
    windows = sliding_window_view(signal, length)[::hop]
    varies = np.ptp(windows, axis=1) > CONSTANT * np.ptp(signal)
    return (starts, windows) if varies.all() else (starts[varies], windows[varies])  # a view, where it can be


def in_parts(windows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield windows (windows, samples), so many at once as memory is meant for; of none, one empty part."""
    number = max(PART // windows.shape[1], 1)
    return (windows[start : start + number] for start in range(0, max(len(windows), 1), number))
