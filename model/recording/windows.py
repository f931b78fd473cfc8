"""A recording's windows of 0.68 s, and what is computed once of them: checks, experts, evidence and plots read it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from model.bearings import FaultOrders
from model.recording.lines import Features, concatenate, read_features, window_length
from model.recording.orders.families import highest_order
from model.recording.recording import Recording
from model.recording.spectra import hanning, transform_windows
from model.recording.thresholds import Checks

HOP = 0.5  # of a window
PART = 2**19  # samples of windows transformed at once


class Analysis(NamedTuple):
    """The spectra and features of a recording's windows.

    starts (windows,): in samples. features: of each window. spectrum (bins,): amplitude (peak), averaged over the
    windows, of the signal with 1 as its largest value. envelope_spectra (bands, windows, bins): amplitudes of the
    squared envelopes over their mean, up to a little beyond the last line that evidence looks at. spacing: Hz from bin
    to bin, of both.
    """

    starts: np.ndarray
    features: Features
    spectrum: np.ndarray
    envelope_spectra: np.ndarray
    spacing: float

    def averaged(self) -> "Analysis":
        """Return the analysis with the mean envelope spectrum of each band instead of each window's."""
        return self._replace(envelope_spectra=self.envelope_spectra.mean(axis=1, keepdims=True))


def cut(signal: np.ndarray, sampling_rate: float, least_variation: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts (samples) of the windows that overlap by half, and the windows.

    One that varies by less than a share `least_variation` of the signal's range is left out.
    """
    length = window_length(sampling_rate)
    hop = round(length * HOP)
    starts = np.arange(0, len(signal) - length + 1, hop)
    windows = sliding_window_view(signal, length)[::hop]
    varies = np.ptp(windows, axis=1) > least_variation * np.ptp(signal)
    return (starts, windows) if varies.all() else (starts[varies], windows[varies])  # a view, where it can be


def in_parts(windows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield windows (windows, samples), so many at once as memory is meant for; of none, one empty part."""
    number = max(PART // windows.shape[1], 1)
    return (windows[start : start + number] for start in range(0, max(len(windows), 1), number))


def analyse(recording: Recording, signal: np.ndarray, orders: FaultOrders, limits: Checks) -> Analysis:
    """Return what one pass over the windows of a recording yields.

    signal (samples,) is the recording's as check_recording returns it. Windows are taken in parts, so that memory holds
    those of a long recording.
    """
    sampling_rate, shaft_rate = recording.sampling_rate, recording.rpm / 60
    starts, windows = cut(signal, sampling_rate, limits.least_variation)
    spacing = sampling_rate / windows.shape[1]
    bins = round(min(highest_order(orders) * shaft_rate, limits.highest_line) / spacing)
    features, envelope_spectra, power = [], [], 0.0
    for part in in_parts(windows):
        spectra = transform_windows(part, sampling_rate)
        features.append(read_features(spectra, shaft_rate, orders))
        envelope_spectra.append(np.stack([each[:, :bins] for each in spectra.envelopes]))
        power = power + tapered_power(part)
    amplitude = 2 * np.sqrt(power / max(len(windows), 1)) / hanning(windows.shape[1]).sum()
    return Analysis(starts, concatenate(features), amplitude, np.concatenate(envelope_spectra, axis=1), spacing)


def tapered_power(windows: np.ndarray) -> np.ndarray:
    """Return the sum over windows (windows, samples) of the squared amplitudes of their Hann-tapered FFT, (bins,)."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    return np.square(np.abs(np.fft.rfft(centred * hanning(windows.shape[1]), axis=1))).sum(axis=0)
