"""A recording's windows of 0.68 s, and their features in bounded memory."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from model.bearings import FaultOrders
from model.recording.lines import Features, concatenate, describe, window_length

HOP = 0.5  # of a window
PART = 2**19  # samples of windows transformed at once


def cut(signal: np.ndarray, sampling_rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts (samples) of the windows that overlap by half and vary, and the windows."""
    length = window_length(sampling_rate)
    hop = round(length * HOP)
    starts = np.arange(0, len(signal) - length + 1, hop)
    windows = sliding_window_view(signal, length)[::hop]
    varies = np.ptp(windows, axis=1) > 1e-5 * np.ptp(signal)
    return (starts, windows) if varies.all() else (starts[varies], windows[varies])  # a view, where it can be


def describe_in_parts(windows: np.ndarray, sampling_rate: float, shaft_rate: float, orders: FaultOrders) -> Features:
    """Return the features of windows that together would take too much memory."""
    return concatenate([describe(part, sampling_rate, shaft_rate, orders) for part in in_parts(windows)])


def in_parts(windows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield windows (windows, samples), so many at once as memory is meant for."""
    number = max(PART // windows.shape[1], 1)
    return (windows[start : start + number] for start in range(0, len(windows), number))
