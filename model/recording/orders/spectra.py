"""Spectra over shaft orders of a whole recording: of the envelopes of several bands after prewhitening, and of itself.

Long segments sharpen the lines of a bearing, which wander little from turn to turn; a window of 0.68 s blurs them.
numpy only: the service imports this module.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

TURNS = 64  # of the shaft in a segment
DIVISIONS = (1, 2, 3, 4, 6)  # bands of equal width that the range is divided into
LOWEST, HIGHEST = 250.0, 20_000.0  # Hz
TOP = 0.45  # of the sampling rate; recorders' filters show above
LAST_ORDER = 74.0  # four harmonics of an order of 18, with their sidebands
AROUND = 0.75  # orders; a line is compared with the medians of stretches of this width
TALLEST = 9.0  # deviations; one tall line alone is no comb
BLOCK = 2**20  # samples transformed at once
TINY = 1e-30
# lengths that an FFT is quick with: products of 2, 3, 5, 7 and 11
QUICK = np.array([1.0])
for prime in (2, 3, 5, 7, 11):
    QUICK = np.outer(QUICK, prime ** np.arange(23.0)).ravel()
    QUICK = np.sort(QUICK[QUICK <= 4 * BLOCK])
SHORTER, LONGER = 0.98, 1.1  # times its length that a block may be cut or filled up to
MOST_PARTS = 256
OFF = 5e-5  # share that a segment may be off its turns


class OrderSpectra(NamedTuple):
    """Spectra over multiples of the stated shaft rate; bins are `spacing` orders apart.

    bands (bands, 2): Hz. power (bands, bins): of the lines of the squared envelope over its mean, NaN beyond what a
    band's envelope holds. heights (bands, bins) and shaft_heights (bins,): how far the highest of three bins stands
    above the median around it, in deviations of the bins below their medians, less the mean of all. turns: of the
    shaft in the recording.
    """

    bands: np.ndarray
    power: np.ndarray
    heights: np.ndarray
    shaft_heights: np.ndarray
    spacing: float
    turns: float


def transform_orders(signal: np.ndarray, sampling_rate: float, shaft_rate: float) -> OrderSpectra:
    """Return the spectra of a signal (samples,) without its mean, whose rates are in Hz.

    Prewhitening divides the spectrum by its modulus: Borghesani, Pennacchi, Randall, Sawalhi, Ricci, Application of
    cepstrum pre-whitening for the diagnosis of bearing faults under variable speed conditions, MSSP 36 (2013).
    """
    bands = divide(sampling_rate)
    longest = QUICK[np.searchsorted(QUICK, min(len(signal), BLOCK), "right") - 1]
    segment = TURNS / shaft_rate * sampling_rate
    segment = segment if segment < SHORTER * longest else longest
    spacing = sampling_rate / (segment * shaft_rate)
    bins = round(LAST_ORDER / spacing) + 2
    power, shaft, segments = np.zeros((len(bands), bins)), 0.0, 0
    for block in cut_blocks(signal, int(segment)):
        length, wholes, parts = choose_lengths(len(block), segment)
        transform = np.fft.rfft(block.astype(np.float32), length)
        modulus = np.abs(transform)
        shaft = shaft + order_power(modulus, sampling_rate / length, spacing * shaft_rate, bins)
        white = transform / np.maximum(modulus, np.float32(1e-7) * modulus.max() + np.float32(TINY))
        edges, filled = np.rint(bands * (length / sampling_rate)).astype(int), min(len(block) / length, 1)
        each = [segment_power(white[low:high], wholes, parts, filled, bins) for low, high in edges]
        segments += each[0][1]
        power += np.stack([total for total, _ in each])
    power /= segments
    heights = np.stack([stand_out(row, spacing) for row in power])
    return OrderSpectra(
        bands, power, heights, stand_out(shaft, spacing), spacing, len(signal) / sampling_rate * shaft_rate
    )


def divide(sampling_rate: float) -> np.ndarray:
    """Return the bands (bands, 2) in Hz at a sampling rate in Hz."""
    edges = [np.linspace(LOWEST, min(TOP * sampling_rate, HIGHEST), parts + 1) for parts in DIVISIONS]
    return np.concatenate([np.stack([each[:-1], each[1:]], axis=1) for each in edges])


def cut_blocks(signal: np.ndarray, segment: int) -> Iterator[np.ndarray]:
    """Yield a signal whole, or in blocks that memory is meant for; each holds a segment or more (samples)."""
    number = max(-(-len(signal) // BLOCK), 1)
    size = len(signal) // number
    for start in range(0, number * size, size):
        block = signal[start : start + max(size, segment)]
        if len(block) >= segment:
            yield block


def fast_length(samples: int) -> int:
    """Return the next length that an FFT is quick with."""
    return int(QUICK[np.searchsorted(QUICK, samples)])


@lru_cache(maxsize=256)
def choose_lengths(samples: int, segment: float) -> tuple[int, int, int]:
    """Return the length that a block of samples is filled up to, and a segment of it as (wholes, parts).

    All three are such that an FFT is quick with them; the segment of this many samples, no whole number, is parts over
    wholes of the block, so that the shaft's harmonics lie on bins.
    """
    lengths = QUICK[(SHORTER * samples <= QUICK) & (LONGER * samples >= QUICK)]
    parts = QUICK[QUICK <= MOST_PARTS][:, None]
    wholes = np.rint(lengths / segment * parts)
    off = np.abs(wholes / parts * segment / lengths - 1)
    off[~np.isin(wholes, QUICK) | (wholes < parts)] = np.inf
    least = off.min(axis=0)
    near = np.where(least <= OFF, np.abs(lengths / samples - 1), np.inf)  # as little cut or filled as there can be
    best = int(near.argmin() if np.isfinite(near.min()) else least.argmin())
    part = int(off[:, best].argmin())
    return int(lengths[best]), int(wholes[part, best]), int(parts[part, 0])


def order_power(modulus: np.ndarray, resolution: float, spacing: float, bins: int) -> np.ndarray:
    """Return the power (bins,) of a spectrum in bins `spacing` apart, NaN beyond it; resolution and spacing in Hz."""
    edges = np.ceil((np.arange(bins + 1) - 0.5) * (spacing / resolution)).astype(int).clip(0)
    inside = int(np.searchsorted(edges, len(modulus)))
    if inside < 2:
        return np.full(bins, np.nan)
    sums = np.add.reduceat(np.square(modulus[: edges[inside - 1]], dtype=np.float64), edges[: inside - 1])
    return np.append(sums, np.full(bins - len(sums), np.nan))


def segment_power(
    white: np.ndarray, wholes: int, parts: int, filled: float, bins: int
) -> tuple[np.ndarray, int]:  # fmt: skip
    """Return the summed power (bins,) of the lines of a band's squared envelope over its mean, and how many segments.

    white (frequencies,) is a band of the spectrum of a block whose share `filled` is signal; a segment is `parts` over
    `wholes` of the block. Segments overlap by half.
    """
    unit = fast_length(-(-2 * len(white) // wholes))
    analytic = np.fft.ifft(white, wholes * unit)
    envelope = np.square(analytic.real) + np.square(analytic.imag)
    samples = parts * unit
    envelope = envelope[: max(int(filled * wholes * unit), samples)]
    segments = sliding_window_view(envelope, samples)[:: max(samples // 2, 1)]
    taper = hann(samples)
    relative = segments / segments.mean(axis=1, keepdims=True) - 1
    spectrum = np.fft.rfft(relative * taper, axis=1)[:, :bins]
    total = (np.square(np.abs(spectrum), dtype=np.float64) * (2 / taper.sum(dtype=np.float64)) ** 2).sum(axis=0)
    last = len(total) - 2 if len(total) < bins else bins  # what lies near the envelope's own end has no surroundings
    return np.append(total[:last], np.full(bins - last, np.nan)), len(segments)


@lru_cache(maxsize=32)
def hann(samples: int) -> np.ndarray:
    return np.hanning(samples).astype(np.float32)


def stand_out(power: np.ndarray, spacing: float) -> np.ndarray:
    """Return the heights (bins,) of lines of a power spectrum (bins,) that is NaN from some bin on; 0 there."""
    there = int(np.isfinite(power).sum())
    heights = np.zeros(len(power))
    stretch = max(round(AROUND / spacing), 3)
    stretches = there // stretch
    if not stretches:
        return heights
    level = np.log(power[:there] + TINY)
    medians = median(level[: stretches * stretch].reshape(stretches, stretch))
    level -= np.interp(np.arange(there), (np.arange(stretches) + 0.5) * stretch - 0.5, medians)
    level /= max(-quartile(level) / 0.6745, 1e-9)
    highest = level.copy()
    highest[1:-1] = np.maximum(np.maximum(level[:-2], level[2:]), level[1:-1])
    highest = np.minimum(highest, TALLEST)
    heights[:there] = highest - highest.mean()
    return heights


def median(values: np.ndarray) -> np.ndarray:
    """Return the medians over the last axis; numpy's takes ten times as long for so few numbers."""
    ordered, number = np.sort(values, axis=-1), values.shape[-1]
    return (ordered[..., (number - 1) // 2] + ordered[..., number // 2]) / 2


def quartile(values: np.ndarray) -> float:
    """Return the lower quartile of numbers (values,), as np.quantile's."""
    below, part = divmod(len(values) - 1, 4)
    low, high = np.partition(values, (below, below + 1))[below : below + 2] if len(values) > 1 else values[[0, 0]]
    share = part / 4
    return float(low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share))
