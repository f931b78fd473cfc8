"""The spectra of windows and of the envelopes of their bands, from which features, checks and evidence are read.

numpy only: training, the protocols and the service share this module.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

BANDS = ((250, 1_750), (1_000, 2_500), (1_750, 3_250), (2_500, 4_000), (3_250, 4_750), (3_450, 4_950), (2_000, 4_900))
BAND_LIMIT = 5_000  # Hz; recorders' filters show above
FADE_OUT = 4_950  # Hz; from here to the band limit the spectrum is faded out
SURROUNDINGS = 22  # bins on either side that a line is compared with
EDGE = 64  # bins over which a band sets in and out
KEPT = 2**17  # samples of a taper that is kept
FLOOR = np.float32(1e-6)  # of the envelope's mean: keeps the logarithm finite


class WindowSpectra(NamedTuple):
    """Spectra of windows, float32 and complex64.

    spacing: Hz from bin to bin. transform (windows, bins): the FFT below the band limit. envelopes: of each of BANDS
    the amplitudes (windows, bins) of its squared envelope over its mean. moments (windows, bands): the second moment
    of these envelopes.
    """

    spacing: float
    transform: np.ndarray
    envelopes: list[np.ndarray]
    moments: np.ndarray


def transform_windows(windows: np.ndarray, sampling_rate: float) -> WindowSpectra:
    """Return the spectra of windows (windows, samples), which hold finite numbers and none of which is constant.

    No spectrum depends on the amplitude. No resampling is needed: a longer window at a higher rate has the same bins
    below the band limit.
    """
    windows = windows - windows.mean(axis=1, keepdims=True)
    windows = (windows / windows.std(axis=1, keepdims=True)).astype(np.float32)
    spacing = sampling_rate / windows.shape[1]
    transform = limit_band(np.fft.rfft(windows, axis=1), spacing)
    envelopes, moments = [], []
    for band in BANDS:
        envelope = squared_envelope(transform, spacing, band)
        moments.append(np.square(envelope).mean(axis=1))
        envelopes.append(envelope_spectrum(envelope))
    return WindowSpectra(spacing, transform, envelopes, np.stack(moments, axis=1))


def limit_band(transform: np.ndarray, spacing: float) -> np.ndarray:
    """Return the bins (spacing in Hz) of the FFT of windows below the band limit, faded out towards it."""
    low, high = round(FADE_OUT / spacing), round(BAND_LIMIT / spacing)
    limited = transform[:, :high].copy()
    limited[:, low:] *= np.cos(np.linspace(0, np.pi / 2, high - low, dtype=np.float32)) ** 2
    return limited


def squared_envelope(transform: np.ndarray, spacing: float, band: tuple[float, float]) -> np.ndarray:
    """Return the squared envelope of a band (Hz) over its mean, (windows, samples), at as few samples as hold it.

    The band is moved to 0 Hz, so that a short inverse FFT gives the modulus of the analytic signal. Method: Ho and
    Randall, Optimising bearing diagnostic techniques using simulated and actual bearing fault signals, MSSP 14 (2000).
    """
    low, high = (round(edge / spacing) for edge in band)
    length = 2 ** int(np.ceil(np.log2(2 * (high - low))))
    analytic = np.fft.ifft(transform[:, low:high] * band_taper(high - low), length, axis=1)
    power = analytic.real**2 + analytic.imag**2
    return power / np.maximum(power.mean(axis=1, keepdims=True), np.finfo(np.float32).tiny)


@lru_cache
def band_taper(bins: int) -> np.ndarray:
    taper = np.ones(bins, np.float32)
    taper[:EDGE] = np.sin(np.linspace(0, np.pi / 2, EDGE)) ** 2
    taper[-EDGE:] = taper[:EDGE][::-1]
    return taper


def hanning(samples: int) -> np.ndarray:
    """Return Hann's window (samples,). One that is long is made anew: it takes more memory than time."""
    return keep_hanning(samples) if samples <= KEPT else np.hanning(samples)


keep_hanning = lru_cache(maxsize=8)(np.hanning)


@lru_cache
def hann(samples: int) -> np.ndarray:
    return np.hanning(samples).astype(np.float32) * np.float32(4 / samples)


def envelope_spectrum(envelope: np.ndarray) -> np.ndarray:
    """Return the amplitudes of squared envelopes over their mean (windows, samples), at the bins of the windows."""
    return np.abs(np.fft.rfft((envelope - 1) * hann(envelope.shape[1]), axis=1))


def prominence(spectra: np.ndarray) -> np.ndarray:
    """Return how far each bin of spectra (windows, bins) stands above the mean around it, natural logarithm."""
    heights = np.log(spectra + FLOOR)
    padded = np.pad(heights, ((0, 0), (SURROUNDINGS + 1, SURROUNDINGS)), mode="reflect").astype(np.float64)
    total = np.cumsum(padded, axis=1)
    width = 2 * SURROUNDINGS + 1
    return (heights - (total[:, width:] - total[:, :-width]) / width).astype(np.float32)
