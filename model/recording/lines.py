"""The features of a window: heights of the bearing's lines in the envelopes of bands, and the spectrum.

numpy only: training, the protocols and the service share this module.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from model.bearings import FaultOrders
from model.recording.spectra import FADE_OUT, WindowSpectra, prominence, transform_windows

RATE = 12_000  # Hz; of the windows that the networks learn from
LEAST_RATE = 11_000  # Hz; 2.2 times the band limit, as its anti-aliasing filter needs
WINDOW_SECONDS = 8_192 / RATE  # 20 revolutions at 1,750 rpm
SPECTRUM_EDGES = np.linspace(50, FADE_OUT, 33)  # Hz
ORDER_TOLERANCE = 0.01  # a line is looked for within this share of its order: slip, and a speed not quite known
COMB_ORDERS = np.exp(np.arange(np.log(1.5), np.log(20), 0.007))  # where combs of lines are looked for
COMB_TEETH = 3
TALLEST_TOOTH = np.float32(2.5)  # natural logarithm; one tall line alone is no comb


class Features(NamedTuple):
    """Features of windows, float32.

    lines (windows, bands, lines): heights of line_orders. moments (windows, bands): logarithm of the envelope's second
    moment. spectrum (windows, 32): log power in equal bands. shape (windows, 2): log kurtosis, log crest factor. combs
    (windows, 4): height of the strongest comb at the rate of a ball, inner and outer race fault, and at any other.
    """

    lines: np.ndarray
    moments: np.ndarray
    spectrum: np.ndarray
    shape: np.ndarray
    combs: np.ndarray

    def select(self, which: np.ndarray | slice) -> "Features":
        return Features(*(feature[which] for feature in self))


def concatenate(parts: list[Features]) -> Features:
    return Features(*(np.concatenate(features) for features in zip(*parts, strict=True)))


@lru_cache
def line_orders(orders: FaultOrders) -> dict[str, float]:
    """Return {name: order} of 60 lines: harmonics and sidebands of each fault, shaft and cage, and three decoys."""
    bpfo, bpfi, bsf, ftf = orders
    lines = {}
    for harmonic in range(1, 6):
        lines |= {name(harmonic, "BPFO", side, "shaft"): harmonic * bpfo + side for side in (-1, 0, 1)}
    for harmonic in range(1, 5):
        lines |= {name(harmonic, "BPFI", side, "shaft"): harmonic * bpfi + side for side in (-2, -1, 0, 1, 2)}
    for harmonic in range(2, 9, 2):
        lines |= {name(harmonic, "BSF", side, "FTF"): harmonic * bsf + side * ftf for side in (-1, 0, 1)}
    lines |= {name(harmonic, "BSF"): harmonic * bsf for harmonic in (1, 3)}
    lines |= {name(harmonic, "shaft"): float(harmonic) for harmonic in range(1, 5)}
    lines |= {name(harmonic, "FTF"): harmonic * ftf for harmonic in (1, 2)}
    lines |= {name(harmonic, "BPFO", 1, "FTF"): harmonic * bpfo + ftf for harmonic in (1, 2)}
    return lines | {"decoy 1": 0.71 * bpfo, "decoy 2": 1.37 * bpfi, "decoy 3": 1.73 * bsf}


def name(harmonic: int, line: str, side: int = 0, sideband: str = "") -> str:
    around = f" {'+' if side > 0 else '-'} {abs(side)} {sideband}" if side else ""
    return f"{harmonic} {line}{around}"


@lru_cache(maxsize=64)
def window_length(sampling_rate: float) -> int:
    """Return the samples of one window at a rate (Hz): the length nearest WINDOW_SECONDS that an FFT is quick with."""
    target = WINDOW_SECONDS * sampling_rate
    powers = [2**two * 3**three * 5**five for two in range(1, 22) for three in range(9) for five in range(6)]
    return min(powers, key=lambda length: abs(length - target))


def describe(windows: np.ndarray, sampling_rate: float, shaft_rate: float, orders: FaultOrders) -> Features:
    """Return the features of windows (windows, window_length(sampling_rate)) that share one shaft rate; rates in Hz.

    Windows hold finite numbers and none is constant.
    """
    return read_features(transform_windows(windows, sampling_rate), shaft_rate, orders)


def read_features(spectra: WindowSpectra, shaft_rate: float, orders: FaultOrders) -> Features:
    """Return the features of windows that share one shaft rate (Hz) from their spectra."""
    lines, combs = [], []
    for envelopes in spectra.envelopes:
        heights = prominence(envelopes)
        lines.append(line_heights(heights, spectra.spacing, shaft_rate, orders))
        combs.append(comb_heights(heights, spectra.spacing, shaft_rate))
    return Features(
        np.stack(lines, axis=1),
        np.log(spectra.moments),
        log_spectrum(spectra.transform, spectra.spacing),
        waveform_shape(spectra.transform),
        strongest_combs(np.max(combs, axis=0), orders),
    )


def line_heights(heights: np.ndarray, spacing: float, shaft_rate: float, orders: FaultOrders) -> np.ndarray:
    """Return the highest bin within ORDER_TOLERANCE of each of line_orders, (windows, lines); 0 beyond the spectrum."""
    index, inside = line_bins(heights.shape[1], spacing, shaft_rate, orders)
    return heights[:, index].max(axis=2) * inside


@lru_cache(maxsize=64)
def line_bins(bins: int, spacing: float, shaft_rate: float, orders: FaultOrders) -> tuple[np.ndarray, np.ndarray]:
    centre = np.array(list(line_orders(orders).values())) * shaft_rate / spacing
    reach = np.maximum(centre * ORDER_TOLERANCE, 1)
    inside = centre + reach < bins - 1
    offsets = np.arange(-int(reach[inside].max(initial=1)) - 1, int(reach[inside].max(initial=1)) + 2)
    position = np.rint(centre[:, None] + np.clip(offsets, -reach[:, None], reach[:, None]))
    return np.clip(position, 0, bins - 1).astype(int), inside.astype(np.float32)


def comb_heights(heights: np.ndarray, spacing: float, shaft_rate: float) -> np.ndarray:
    """Return the mean height of the first COMB_TEETH multiples of each of COMB_ORDERS, (windows, orders)."""
    index, inside = comb_bins(heights.shape[1], spacing, shaft_rate)
    around = np.maximum(heights, np.maximum(np.roll(heights, 1, axis=1), np.roll(heights, -1, axis=1)))
    around = np.minimum(around, TALLEST_TOOTH)
    return sum(around[:, teeth] * there for teeth, there in zip(index, inside, strict=True)) / np.float32(COMB_TEETH)


@lru_cache(maxsize=64)
def comb_bins(bins: int, spacing: float, shaft_rate: float) -> tuple[np.ndarray, np.ndarray]:
    teeth = np.rint(np.arange(1, COMB_TEETH + 1)[:, None] * COMB_ORDERS * shaft_rate / spacing)
    return np.clip(teeth, 0, bins - 1).astype(int), (teeth < bins - 1).astype(np.float32)


def strongest_combs(heights: np.ndarray, orders: FaultOrders) -> np.ndarray:
    """Return the highest comb at the rates of ball, inner and outer race, and at no rate of these, (windows, 4)."""
    return np.stack([heights[:, group].max(axis=1, initial=0) for group in comb_groups(orders)], axis=1)


@lru_cache(maxsize=64)
def comb_groups(orders: FaultOrders) -> list[np.ndarray]:
    bpfo, bpfi, bsf, ftf = orders
    of_a_fault = [near([2 * bsf]), near([bpfi]), near([bpfo])]
    of_the_balls = [bsf, 2 * bsf, 4 * bsf, 2 * bsf - ftf, 2 * bsf + ftf]
    of_the_inner_race = [bpfi, 2 * bpfi, bpfi - 2, bpfi - 1, bpfi + 1, bpfi + 2]
    of_the_outer_race = [bpfo, 2 * bpfo, 3 * bpfo, bpfo - 1, bpfo + 1]
    of_the_bearing = near([*of_the_balls, *of_the_inner_race, *of_the_outer_race, *range(1, 13)])
    return [*of_a_fault, ~of_the_bearing]


def near(orders: list[float]) -> np.ndarray:
    """Return which of COMB_ORDERS lie within ORDER_TOLERANCE of one of these."""
    apart = np.abs(np.log(COMB_ORDERS[:, None] / np.maximum(orders, 0.1)))
    return (apart < ORDER_TOLERANCE * 1.1).any(axis=1)


def log_spectrum(transform: np.ndarray, spacing: float) -> np.ndarray:
    """Return log power in equal bands up to the band limit, (windows, bands), minus its mean."""
    edges = np.rint(SPECTRUM_EDGES / spacing).astype(int)
    power = transform.real**2 + transform.imag**2
    bands = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1) / np.diff(edges)
    levels = np.log(bands + np.finfo(np.float32).tiny)
    return (levels - levels.mean(axis=1, keepdims=True)).astype(np.float32)


def waveform_shape(transform: np.ndarray) -> np.ndarray:
    """Return log kurtosis and log crest factor of the band-limited waveform, (windows, 2)."""
    power = np.square(np.fft.irfft(transform, 8_192, axis=1))
    mean = np.maximum(power.mean(axis=1), np.finfo(np.float32).tiny)
    kurtosis = np.square(power).mean(axis=1) / mean**2
    return np.log(np.stack([kurtosis, np.sqrt(power.max(axis=1) / mean)], axis=1))
