"""Whether the shaft's harmonics in a recording contradict the stated speed and sampling rate.

A wrong sampling rate and a wrong speed look alike: the shaft's lines lie at another rate than the stated one. A
contradiction is called where a comb of lines stands clear at another rate and next to nothing at the stated one.
"""

import numpy as np

from model.recording.recording import Recording
from model.recording.spectra import hanning
from model.recording.thresholds import ShaftCheck

TEETH = 6  # harmonics of the shaft
LOWEST, HIGHEST = 3.0, 4_000.0  # Hz; sensors drift below
SECONDS, LEAST_SECONDS = 7.5, 1.3  # a segment's longest and shortest
MOST_SAMPLES, MOST_SEGMENTS = 2**20, 5  # analysed
SURROUNDINGS = 16.0  # Hz whose median a line is compared with
LEAST_TEETH = 2  # of a group whose mean counts


def find_contradiction(recording: Recording, limits: ShaftCheck) -> str:
    """Return what contradicts the stated speed and sampling rate of a recording of finite numbers.

    An empty text where nothing does, which is also the answer for less than some two seconds and for fewer than four
    clear harmonics: a false alarm is worse than a missed one.
    """
    stated, sampling_rate = recording.rpm / 60, recording.sampling_rate
    heights, spacing = measure_heights(recording.signal, sampling_rate, limits.high)
    others = other_rates(stated, sampling_rate, spacing, limits)
    if not len(others) or not len(heights):
        return ""
    true = find_comb(heights, spacing, stated, others, limits)
    return describe(sampling_rate, recording.rpm, true / stated, limits) if true else ""


def measure_heights(signal: np.ndarray, sampling_rate: float, highest: float) -> tuple[np.ndarray, float]:
    """Return how far lines stand above their surroundings, dB (bins,) up to the highest, and the bins' spacing in Hz.

    Method: Welch, The use of the fast Fourier transform for the estimation of power spectra, IEEE Trans. Audio
    Electroacoust. 15 (1967) 70. The highest of three bins counts, so that lines between bins do not lose.
    """
    length = 2 ** int(np.log2(max(min(SECONDS * sampling_rate, len(signal), MOST_SAMPLES), 1)))
    spacing = sampling_rate / length
    block = round(SURROUNDINGS / spacing)
    if length < LEAST_SECONDS * sampling_rate:
        return np.zeros(0), spacing
    power = mean_power(signal, length, int(HIGHEST / spacing))
    blocks = power[: len(power) // block * block].reshape(-1, block)
    centres = (np.arange(len(blocks)) + 0.5) * block
    around = np.interp(np.arange(blocks.size), centres, np.median(blocks, axis=1))
    tiny = np.finfo(float).tiny
    heights = 10 * np.log10((blocks.ravel() + tiny) / (around + tiny))
    heights[1:-1] = np.maximum(np.maximum(heights[:-2], heights[2:]), heights[1:-1])
    heights[: int(LOWEST / spacing)] = np.nan
    return np.clip(heights, 0, highest), spacing


def mean_power(signal: np.ndarray, length: int, bins: int) -> np.ndarray:
    """Return the power (bins,) of the mean of the first Hann segments that overlap by half."""
    segments = min(2 * (min(len(signal), MOST_SAMPLES) // length) - 1, MOST_SEGMENTS)
    scale = max(float(np.abs(signal[:MOST_SAMPLES]).max()), np.finfo(float).tiny)  # squares of 1e200 would overflow
    window = hanning(length) / scale
    power = 0.0
    for start in range(0, segments * length // 2, length // 2):
        segment = signal[start : start + length]
        power = power + np.square(np.abs(np.fft.rfft((segment - segment.mean()) * window)[:bins]))
    return power


def other_rates(stated: float, sampling_rate: float, spacing: float, limits: ShaftCheck) -> np.ndarray:
    """Return the shaft rates (Hz) that are tried besides the stated one (Hz)."""
    customary = np.concatenate([sampling_rate / np.array(limits.customary_rates), limits.customary_slips])
    outside = customary[(customary < limits.free[0][0]) | (customary > limits.free[1][1])]
    spans = [*limits.free, *zip(outside * (1 - limits.off_custom), outside * (1 + limits.off_custom), strict=True)]
    slowest = max(limits.shaft_rates[0], limits.least_turns * spacing)
    ranges = np.clip(np.multiply(spans, stated), slowest, max(limits.shaft_rates[1], slowest))
    return np.concatenate([rates_between(low, high, spacing) for low, high in ranges])


def rates_between(low: float, high: float, spacing: float) -> np.ndarray:
    """Return rates (Hz) so dense that the last tooth of some comb lies within a bin of any line."""
    return np.arange(low, high, 1.5 * spacing / TEETH)


def find_comb(heights: np.ndarray, spacing: float, stated: float, others: np.ndarray, limits: ShaftCheck) -> float:
    """Return the shaft rate (Hz), of others, whose comb stands clear where the stated one has nothing, or 0."""
    low, high = np.minimum([stated * (1 - limits.stated_room), stated * (1 + limits.stated_room)], HIGHEST)
    near = np.append(rates_between(low, high, spacing), stated)
    around = teeth(heights, spacing, near)
    best = mean_height(around, limits.tall).argmax()
    tolerance = min(2 * spacing, near[best] / 8)
    combs, shared = teeth(heights, spacing, others), is_tooth(others, near[best], tolerance)
    missing = ~is_tooth(near[best : best + 1], others, tolerance)
    tall, high = limits.tall, limits.high
    strength = np.minimum(mean_height(combs, tall), mean_height(combs, tall, ~shared, tall))
    fainter = mean_height(combs, high, ~shared, high) < mean_height(combs, high, shared) - limits.fainter
    found = (
        (clearness(combs, shared, limits.modest) > limits.clear)
        & (strength > mean_height(around[:, best], tall, missing) + limits.lead)
        & ~(missing[0] & (np.nanmax(around[0], initial=0) > limits.fundamental))
        & ~(fainter & (missing.sum(axis=0) < LEAST_TEETH))
    )
    return lowest(others[found], weakest_half(combs, high)[found], limits)


def clearness(combs: np.ndarray, shared: np.ndarray, most: float) -> np.ndarray:
    """Return how clear combs stand, in the teeth also that the stated comb does not share."""
    return np.minimum(weakest_half(combs, most), mean_height(combs, most, ~shared, most))


def weakest_half(combs: np.ndarray, most: float) -> np.ndarray:
    """Return the lesser of the odd and even teeth's mean: at half of the true rate the odd ones are missing."""
    return np.minimum(mean_height(combs[::2], most), mean_height(combs[1::2], most))


def teeth(heights: np.ndarray, spacing: float, rates: np.ndarray) -> np.ndarray:
    """Return the heights (TEETH, rates) at the multiples of rates (Hz), NaN beyond the spectrum."""
    bins = np.rint(np.arange(1, TEETH + 1)[:, None] * rates / spacing)
    inside = bins < len(heights)
    return np.where(inside, heights[np.where(inside, bins, 0).astype(int)], np.nan)


def is_tooth(rates: np.ndarray, comb: np.ndarray | float, tolerance: float) -> np.ndarray:
    """Return which multiples (TEETH, rates) of rates lie on a multiple of the comb's rate; all in Hz."""
    multiples = np.arange(1, TEETH + 1)[:, None] * rates
    return np.abs(multiples - np.rint(multiples / comb) * comb) < tolerance


def mean_height(
    heights: np.ndarray, most: float, which: np.ndarray | bool = True, otherwise: float = 0.0
) -> np.ndarray:
    """Return the mean (rates,) of heights (teeth, rates), each up to most, or otherwise where it is of too few."""
    heights = heights.reshape(len(heights), -1)
    counted = np.isfinite(heights) & which
    number = counted.sum(axis=0)
    total = np.where(counted, np.minimum(heights, most), 0).sum(axis=0)
    return np.where(number < LEAST_TEETH, otherwise, total / np.maximum(number, 1))


def lowest(rates: np.ndarray, strength: np.ndarray, limits: ShaftCheck) -> float:
    """Return the lowest of rates (Hz) whose strength is nearly the greatest, or 0 where there is none or it is hum."""
    if not len(rates):
        return 0.0
    first = rates[strength >= strength.max() - limits.draw].min()
    same = (rates >= first) & (rates < first * (1 + limits.named_room))
    rate = rates[same & (strength >= strength[same].max() - limits.level)].mean()
    return 0.0 if any(abs(rate / hum - 1) < limits.mains_room for hum in limits.mains) else float(rate)


def describe(sampling_rate: float, rpm: float, factor: float, limits: ShaftCheck) -> str:
    implied = sampling_rate / factor
    nearest = min(limits.customary_rates, key=lambda rate: abs(rate - implied))
    rate = nearest if abs(nearest / implied - 1) < limits.named_room else three_digits(implied)
    slowest, fastest = limits.plausible_rates
    either = f", or {rate:,g} Hz at that speed" if slowest < rate < fastest else ""
    fit = f"they would fit {three_digits(rpm * factor):,g} rpm at that rate{either}"
    return f"the shaft's harmonics contradict {rpm:,.6g} rpm at {sampling_rate:,.6g} Hz, check both: {fit}"


def three_digits(value: float) -> float:
    return float(f"{value:.3g}")
