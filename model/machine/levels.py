"""How loud and how impulsive a recording is, band by band. numpy only: the service imports this module."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

LEVEL_EDGES = 31.25 * 2 ** (np.arange(21) / 2)  # Hz; half octaves to 32 kHz
USABLE = 0.47  # of the sampling rate; a recorder's filter takes the rest
ENVELOPE_BANDS = ((500, 2_500), (2_000, 5_000), (4_500, 8_000), (7_500, 12_000))  # Hz
LEAST_WIDTH = 1_000  # Hz; of an envelope band that the rate cuts short
VELOCITY_BAND = (10, 1_000)  # Hz; ISO 20816-3
METRES = {"g": 9.80665, "m/s2": 1.0, "m/s²": 1.0}  # m/s2 of a unit of acceleration
SILENT = -400.0  # dB; of a band that holds nothing


class Levels(NamedTuple):
    """bands and envelopes in dB over one unit, moments: natural logarithm of E|z|^4 / (E|z|^2)^2 of each envelope band,
    log 2 for noise; nan where the rate does not reach."""

    bands: np.ndarray
    envelopes: np.ndarray
    moments: np.ndarray


def measure_levels(signal: np.ndarray, sampling_rate: float) -> Levels:
    """Return the levels of a signal (samples,) without mean."""
    transform, spacing = tapered_transform(signal, sampling_rate)
    power, plain = np.square(np.abs(transform)), np.fft.rfft(signal)  # a taper would be an envelope of its own
    bands = np.full(len(LEVEL_EDGES) - 1, np.nan)
    for number, (low, high) in enumerate(pairwise(LEVEL_EDGES)):
        first, last = round(low / spacing), round(high / spacing)
        if high <= USABLE * sampling_rate and last > first:
            bands[number] = decibels(power[first:last].sum())
    envelopes, moments = np.full(len(ENVELOPE_BANDS), np.nan), np.full(len(ENVELOPE_BANDS), np.nan)
    for number, band in enumerate(ENVELOPE_BANDS):
        if (cut := cut_band(band, sampling_rate)) is not None:
            first, last = (round(edge / spacing) for edge in cut)
            envelopes[number] = decibels(power[first:last].sum())
            moments[number] = log_moment(plain[first:last])
    return Levels(bands, envelopes, moments)


def tapered_transform(signal: np.ndarray, sampling_rate: float) -> tuple[np.ndarray, float]:
    """Return the FFT of a Hann-tapered signal, whose squared moduli sum up to the mean square, and its Hz a bin."""
    taper = np.hanning(len(signal))
    scale = np.sqrt(2 / (np.square(taper).mean())) / len(signal)
    return scale * np.fft.rfft(signal * taper), sampling_rate / len(signal)


def cut_band(band: tuple[float, float], sampling_rate: float) -> tuple[float, float] | None:
    """Return the part of a band that a sampling rate holds, or None where less than a kilohertz is left."""
    low, high = band[0], min(band[1], USABLE * sampling_rate)
    return (low, high) if high - low >= min(LEAST_WIDTH, band[1] - band[0]) else None


def log_moment(transform: np.ndarray) -> float:
    """Return the logarithm of the second moment of a band's squared envelope over its mean, from the band's FFT."""
    analytic = np.fft.ifft(transform, 2 ** int(np.ceil(np.log2(2 * max(len(transform), 2)))))
    power = np.square(np.abs(analytic))
    mean = power.mean()
    return float(np.log(np.square(power).mean() / mean**2)) if mean > 0 else 0.0


def velocity_rms(signal: np.ndarray, sampling_rate: float, unit: str) -> float:
    """Return the rms velocity (mm/s) from 10 to 1,000 Hz of a signal (samples,); nan where no unit says so."""
    if unit not in METRES and unit != "mm/s":
        return float("nan")
    transform, spacing = tapered_transform(signal, sampling_rate)
    first, last = round(VELOCITY_BAND[0] / spacing), round(min(VELOCITY_BAND[1], sampling_rate / 2) / spacing) + 1
    frequency = np.arange(max(first, 1), last) * spacing
    band = np.abs(transform[max(first, 1) : last][: len(frequency)])
    if unit == "mm/s":
        return float(np.sqrt(np.square(band).sum()))
    return float(1_000 * METRES[unit] * np.sqrt(np.square(band / (2 * np.pi * frequency[: len(band)])).sum()))


def decibels(power: float) -> float:
    return float(10 * np.log10(power)) if power > 0 else SILENT
