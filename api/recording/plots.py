"""What a plot needs of a signal: few points that hide no extreme."""

import numpy as np

POINTS_A_WINDOW = 150
MOST_POINTS = 12_000
SPECTRUM_POINTS = 1_000


def waveform(signal: np.ndarray, sampling_rate: float, windows: int) -> dict:
    """Return the lowest and highest value of each stretch of a signal (samples,); rate in Hz."""
    points = min(max(POINTS_A_WINDOW * windows, SPECTRUM_POINTS), MOST_POINTS, len(signal))
    low, high = extremes(signal, points)
    return {"seconds_per_point": len(signal) / sampling_rate / points, "low": low, "high": high}


def spectrum(amplitude: np.ndarray, sampling_rate: float) -> dict:
    """Return lowest and highest amplitude of each stretch of a spectrum (bins,) up to half the rate, which is in Hz."""
    points = min(SPECTRUM_POINTS, len(amplitude))
    low, high = extremes(amplitude, points)
    return {"hertz_per_point": sampling_rate / 2 / points, "low": low, "high": high}


def envelope_spectrum(spectra: np.ndarray, spacing: float) -> dict:
    """Return the mean of envelope spectra (windows, bins), whose bins lie spacing (orders) apart."""
    return {"orders_per_point": spacing, "amplitude": short(spectra.mean(axis=0))}


def extremes(values: np.ndarray, points: int) -> tuple[list[float], list[float]]:
    starts = np.arange(points) * len(values) // points
    return short(np.minimum.reduceat(values, starts)), short(np.maximum.reduceat(values, starts))


def short(values: np.ndarray) -> list[float]:
    """Return values to four significant digits: more than a screen shows."""
    values = values.astype(np.float64)
    size = np.maximum(np.abs(values), 1e-290)
    scale = 10.0 ** (3 - np.floor(np.log10(size)))
    return (np.rint(values * scale) / scale).tolist()
