"""Combs of lines in a recording's envelope spectra, at any order: what a change of geometry or name can be read from
later. numpy only: the service imports this module."""

from functools import lru_cache

import numpy as np

from model.bearings import FaultOrders
from model.machine.levels import ENVELOPE_BANDS, cut_band
from model.recording.spectra import prominence

ORDERS = 0.3 * (20 / 0.3) ** (np.arange(420) / 419)  # a percent apart
TEETH = 3
TALLEST = 2.5  # natural logarithm; one tall line alone is no comb
HALF_STEP = 0.005  # share of its order within which a line is looked for: half of what lies between ORDERS
TURNS = 32  # of the shaft in a segment, so that lines are as sharp at any speed
BEST_BANDS = 2  # averaged: steadier than the highest alone


def measure_combs(signal: np.ndarray, sampling_rate: float, rpm: float) -> np.ndarray:
    """Return the height of the comb at each of ORDERS, (420,): the mean of its teeth in the two highest bands.

    All are 0 where the rate holds no band.
    """
    bands = [cut for band in ENVELOPE_BANDS if (cut := cut_band(band, sampling_rate)) is not None]
    if not bands:
        return np.zeros(len(ORDERS))
    length = min(len(signal), max(round(TURNS * 60 / rpm * sampling_rate), len(signal) // 64, 256))
    segments = cut_segments(signal, length)
    transform, spacing = np.fft.rfft(segments * np.hanning(length), axis=1), sampling_rate / length
    heights = np.stack([comb_heights(transform, spacing, band, rpm / 60) for band in bands])
    return np.sort(heights, axis=0)[-BEST_BANDS:].mean(axis=0)


def cut_segments(signal: np.ndarray, length: int) -> np.ndarray:
    """Return segments (segments, length) that overlap by half or more and reach from the first sample to the last."""
    number = int(np.ceil(2 * len(signal) / length)) - 1
    starts = np.rint(np.linspace(0, len(signal) - length, max(number, 1))).astype(int)
    return signal[starts[:, None] + np.arange(length)]


def comb_heights(transform: np.ndarray, spacing: float, band: tuple[float, float], shaft_rate: float) -> np.ndarray:
    """Return the heights of combs (orders,) in the envelope spectrum of a band, averaged over segments."""
    first, last = (round(edge / spacing) for edge in band)
    size = 2 ** int(np.ceil(np.log2(2 * (last - first))))
    power = np.square(np.abs(np.fft.ifft(transform[:, first:last], size, axis=1)))
    power /= np.maximum(power.mean(axis=1, keepdims=True), np.finfo(float).tiny)
    spectrum = np.abs(np.fft.rfft(power - 1, axis=1))[:, : last - first] / size
    heights = np.minimum(prominence(np.sqrt(np.square(spectrum).mean(axis=0, keepdims=True)))[0], TALLEST)
    index, inside = teeth_bins(len(heights), round(spacing / shaft_rate, 6))
    return np.where(inside, heights[index].max(axis=2), 0).mean(axis=1)


@lru_cache(maxsize=64)
def teeth_bins(bins: int, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bins (orders, TEETH, reach) of each tooth and which teeth the spectrum holds; spacing in orders."""
    centre = ORDERS[:, None] * np.arange(1, TEETH + 1) / spacing
    reach = np.maximum(centre * HALF_STEP, 1)
    inside = (centre + reach < bins - 1) & (centre > 2)
    offsets = np.arange(-int(reach[inside].max(initial=1)), int(reach[inside].max(initial=1)) + 1)
    position = np.rint(centre[:, :, None] + np.clip(offsets, -reach[:, :, None], reach[:, :, None]))
    return np.clip(position, 0, bins - 1).astype(int), inside


@lru_cache(maxsize=256)
def find_families(orders: FaultOrders, slip: float) -> tuple[tuple[str, str, float, np.ndarray], ...]:
    """Return (fault, name of its line, order, which of ORDERS lie within a share `slip` of it) of each fault."""
    families = (
        ("OuterRace", "BPFO", orders.bpfo),
        ("InnerRace", "BPFI", orders.bpfi),
        ("Ball", "2 x BSF", 2 * orders.bsf),
    )
    return tuple((*each, np.abs(ORDERS / each[2] - 1) <= slip) for each in families)
