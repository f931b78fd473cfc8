"""From a signal at its own rate to frames at the rate that all signals share."""

from fractions import Fraction

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import resample_poly

from pipeline.params import InputError


def resample(signal: np.ndarray, own_rate: float, sampling_rate: float | None, recording: str) -> np.ndarray:
    """Return the signal at sampling_rate by polyphase filtering, ceil(samples x sampling_rate / own_rate) samples.

    Rates in Hz; None leaves the signal as it is. Raises InputError where the own rate is too low.
    """
    if sampling_rate is None or own_rate == sampling_rate:
        return signal
    if own_rate < sampling_rate:
        raise InputError(
            f"recording {recording} was sampled at {own_rate:g} Hz, expected at least windows.sampling_rate "
            f"({sampling_rate:g} Hz): what lies above {own_rate / 2:g} Hz cannot be made up"
        )
    ratio = Fraction(sampling_rate / own_rate).limit_denominator(10_000)
    return resample_poly(signal, ratio.numerator, ratio.denominator, padtype="mean")


def frame(signal: np.ndarray, window_length: int, hop_length: int) -> np.ndarray:
    """Return frames (n, window_length), n = 1 + (samples - window_length) // hop_length; the tail is dropped."""
    if len(signal) < window_length:
        return np.empty((0, window_length))
    return sliding_window_view(signal, window_length)[::hop_length]
