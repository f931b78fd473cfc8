"""What makes a recording unfit for any diagnosis: a sensor that is off, clipping, a lone tone, noise without a
machine."""

from typing import NamedTuple

import numpy as np

HELD = 0.5  # share of samples that equal their predecessor; a converter's steps repeat, but not half the time
CLIPPED = 2e-4  # share of samples that rest on the largest or smallest value; unclipped recordings have none
TONE = 0.98  # share of the power in one line
FLATNESS = 0.15  # spread of log power between bands; white noise has less, and a machine never
CHANCE = 1.5  # how much more a short recording's bands spread, over the root of the bins in each
BANDS = 32
TOP = 5_000  # Hz; the bands end here


class Defect(NamedTuple):
    """The reason to answer Unknown, or none; spoils says that nothing can be computed beside it."""

    reason: str
    spoils: bool = False


def find_defect(signal: np.ndarray, sampling_rate: float) -> Defect:
    """Return what is wrong with a recording (samples,) of finite numbers, sampling_rate in Hz."""
    span = np.ptp(signal)
    if span <= 1e-5 * np.abs(signal).max():
        return Defect("the sensor is off: the signal is constant", spoils=True)
    held = float((np.diff(signal) == 0).mean())
    if held > HELD:
        return Defect(
            f"the sensor is off or stuck: {100 * held:.0f} % of the samples repeat the one before", spoils=True
        )
    clipped = resting_share(signal)
    if clipped > CLIPPED:
        return Defect(
            f"the signal is clipped: {100 * clipped:.1f} % of the samples rest on its largest or smallest value"
        )
    power = np.square(np.abs(np.fft.rfft((signal - signal.mean()) * np.hanning(len(signal)))))
    peak = int(power.argmax())
    if power[max(peak - 3, 0) : peak + 4].sum() > TONE * power.sum():
        return Defect(
            f"the signal is one tone at {peak * sampling_rate / len(signal):.4g} Hz, not a bearing's vibration"
        )
    edges = np.linspace(50, TOP, BANDS + 1) * len(signal) / sampling_rate
    bands = np.add.reduceat(power, edges.astype(int))[:-1] / np.diff(edges.astype(int))
    chance = CHANCE / np.sqrt(len(power) / BANDS * 2 * TOP / sampling_rate)
    if np.log(bands + np.finfo(float).tiny).std() < FLATNESS + chance:
        return Defect("the signal is white noise: no structure rings in it")
    return Defect("")


def resting_share(signal: np.ndarray) -> float:
    """Return the share of samples that lie on the largest or smallest value together with a neighbour."""
    at_end = (signal == signal.max()) | (signal == signal.min())
    return float((at_end[1:] & at_end[:-1]).mean())
