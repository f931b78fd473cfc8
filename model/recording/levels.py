"""How loud a recording is, overall and band by band in its own unit, and how far that is from the healthy machine.

numpy only: the service imports this module.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.recording.recording import Recording
from model.recording.spectra import hanning
from model.recording.thresholds import Baseline
from model.recording.windows import cut, in_parts

# Hz; ISO 20816 reads vibration from 10 Hz on; from 5 kHz on the bands are wider, since fewer recorders reach there
EDGES = np.array([10, 250, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 6_500, 8_000, 10_000, 14_000, 20_000])
USABLE = 0.45  # of the sampling rate; a recorder's filter takes the rest
EMPTY = 1e-6  # of the power in all bands; a band with less holds rounding, not vibration
DECIBELS = 20 / np.log(10)  # of a natural logarithm of amplitude


class Levels(NamedTuple):
    """How loud a recording is: bands (windows, bands), natural logarithm of the rms amplitude between EDGES in the
    recording's unit, as many bands as its rate holds; rpm is the shaft's speed."""

    bands: np.ndarray
    rpm: float


class LevelChange(NamedTuple):
    """How far the levels are from healthy.

    overall (windows,) and bands (windows, bands): change of the natural logarithm of the amplitude beyond what the
    speed explains. overall_spread and band_spread (bands,): that of the healthy machine, wider for another speed and
    for a short baseline. allowance: what the speed explains, natural logarithm.
    """

    overall: np.ndarray
    bands: np.ndarray
    overall_spread: float
    band_spread: np.ndarray
    allowance: float

    def spreads(self) -> np.ndarray:
        """Return the change of each window in spreads: of the level, or the root mean square over the bands."""
        of_bands = root_mean_square(self.bands / self.band_spread)
        return np.maximum(np.abs(self.overall) / self.overall_spread, of_bands)

    def departures(self) -> np.ndarray:
        """Return by how many spreads each band changed otherwise than their mean, (bands,)."""
        bands = self.bands.mean(axis=0)
        return np.abs(bands - bands.mean()) / self.band_spread


def root_mean_square(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(values).mean(axis=-1))


def measure_levels(recording: Recording, signal: np.ndarray, least_variation: float) -> Levels:
    """Return the levels of a recording in its windows that vary by more than a share of its range.

    signal (samples,) is its own as check_recording returns it.
    """
    windows = cut(signal, recording.sampling_rate, least_variation)[1]
    power = np.concatenate([band_power(part, recording.sampling_rate) for part in in_parts(windows)])
    power = np.maximum(power, np.maximum(EMPTY * power.sum(axis=1, keepdims=True), np.finfo(float).tiny))
    return Levels(np.log(power) / 2 + log_unit(recording.signal), recording.rpm)


def log_unit(signal: np.ndarray) -> float:
    """Return the natural logarithm of what check_recording divides a signal (samples,) by."""
    signal = np.asarray(signal, np.float64)
    largest = max(np.abs(signal).max(), np.finfo(float).tiny)  # first: sums of 1e300 would overflow
    signal = signal / largest
    return float(np.log(largest) + np.log(max(np.abs(signal - signal.mean()).max(), np.finfo(float).tiny)))


def band_power(windows: np.ndarray, sampling_rate: float) -> np.ndarray:
    """Return the mean square of Hann-tapered windows (windows, samples) between EDGES, (windows, bands)."""
    length = windows.shape[1]
    taper = hanning(length)
    centred = windows - windows.mean(axis=1, keepdims=True)
    power = np.square(np.abs(np.fft.rfft(centred * taper, axis=1))) * 2 / (length * np.square(taper).sum())
    bins = np.rint(EDGES[USABLE * sampling_rate >= EDGES] * length / sampling_rate).astype(int)
    return np.add.reduceat(power[:, : bins[-1]], bins[:-1], axis=1)


def compare_levels(present: Levels, healthy: Sequence[Levels], limits: Baseline) -> LevelChange:
    """Return how far levels are from those of healthy recordings, in the bands that all of them hold.

    Healthy recordings at the present speed are compared with where they last long enough; from others the level is
    expected to follow the speed with a slope of 20 dB a decade (the sound of gears and bearings does, about), and the
    spread grows by what the slope is unsure of: forces of unbalance rise by 40 dB, many machines hardly change.
    """
    healthy = at_this_speed(present.rpm, healthy, limits)
    count = min(each.bands.shape[1] for each in (present, *healthy))
    apart = [np.full(len(each.bands), np.log(present.rpm / each.rpm)) for each in healthy]
    speed = np.concatenate(apart)
    past = np.concatenate([each.bands[:, :count] for each in healthy]) + limits.speed_slope * speed[:, None]
    now = present.bands[:, :count]
    unsure = limits.speed_slope_spread * abs(speed.mean())
    wider = widening(independent_windows([len(each.bands) for each in healthy]), limits)
    before = overall(past)
    return LevelChange(
        overall(now) - before.mean(),
        now - past.mean(axis=0),
        float(wider * np.hypot(max(before.std(), limits.least_spread_level), unsure)),
        wider * np.hypot(np.maximum(past.std(axis=0), limits.least_spread_band), unsure),
        float(limits.speed_slope * speed.mean()),
    )


def at_this_speed(rpm: float, healthy: Sequence[Levels], limits: Baseline) -> Sequence[Levels]:
    near = [each for each in healthy if abs(np.log(rpm / each.rpm)) < limits.same_speed]
    enough = independent_windows([len(each.bands) for each in near]) >= limits.same_speed_windows
    return near if enough else healthy


def overall(bands: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of the rms amplitude of all bands (windows, bands) together, (windows,)."""
    return np.logaddexp.reduce(2 * bands, axis=1) / 2


def independent_windows(counts: Sequence[int]) -> float:
    """Return how many windows of recordings with so many each count as independent: they overlap by half."""
    return sum(1 + (count - 1) / 2 for count in counts)


def widening(windows: float, limits: Baseline) -> float:
    """Return by how much the spread of so few independent windows is wider than one known exactly.

    The prediction interval of the next of n normal values is t(n - 1) sqrt(1 + 1/n) deviations; over the quantile z of
    the normal distribution. t is expanded in z: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    z, n = limits.confidence, max(windows, limits.least_windows)
    powers = z ** np.arange(0, 8)
    terms = (
        (powers[3] + z) / 4,
        (5 * powers[5] + 16 * powers[3] + 3 * z) / 96,
        (3 * powers[7] + 19 * powers[5] + 17 * powers[3] - 15 * z) / 384,
    )
    t = z + sum(term / (n - 1) ** power for power, term in enumerate(terms, 1))
    return float(t / z * np.sqrt(1 + 1 / n))


def describe_levels(change: LevelChange, limits: Baseline) -> list[tuple[float, str]]:
    """Return (alarms, words) of the level and of the two bands that changed most; alarms are 1 at an alarm's size.

    Bands are named where they changed otherwise than the level.
    """
    level, bands = change.overall.mean(), change.bands.mean(axis=0)
    beside = f" (allowing {change.allowance * DECIBELS:+.1f} dB for the speed)" if abs(change.allowance) > 0.1 else ""
    changes = [(abs(level) / change.overall_spread / limits.change_level, f"level {moved(level)}{beside}")]
    alarms = np.abs(bands) / change.band_spread / limits.change_level
    apart = np.flatnonzero(change.departures() > limits.change_level)
    most = apart[np.argsort(-alarms[apart])][:2]
    return changes + [(float(alarms[band]), f"{name_band(band)} {moved(bands[band])}") for band in most]


def moved(change: float) -> str:
    return f"{'rose' if change > 0 else 'fell'} {decibels(change)}"


def decibels(change: float) -> str:
    """Return a change of the natural logarithm of an amplitude in dB, without its sign."""
    return f"{abs(change) * DECIBELS:.1f} dB"


def name_band(band: int) -> str:
    low, high = EDGES[band : band + 2]
    return f"{low / 1_000:g} to {high / 1_000:g} kHz" if low >= 1_000 else f"{low:g} to {high:,} Hz"
