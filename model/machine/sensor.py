"""What is wrong with a sensor or its chain, so that it is not taken for the machine."""

import numpy as np

from model.machine.indicators import HALF_OCTAVES, Indicators
from model.machine.thresholds import Sensor


def find_defect(indicators: Indicators, rise: float, limits: Sensor) -> str:
    """Return what makes a recording unfit to be watched, or an empty text; rise is its level over the healthy one, dB.

    A signal that is clipped while it is far louder than before is no defect: damage drives a sensor into its stop.
    """
    if indicators.silent > limits.gap:
        return f"gap: {100 * indicators.silent:.0f} % of the recording is one value"
    if indicators.held > limits.held:
        return f"stuck or too coarse: {100 * indicators.held:.0f} % of the samples repeat the one before"
    if rise < -limits.silent:
        return f"silent: {-rise:.0f} dB below its healthy level"
    if is_clipped(indicators, limits) and rise < limits.clipped_damage:
        return f"clipped: {100 * indicators.resting:.2g} % of the samples rest on the largest or smallest value"
    return ""


def is_clipped(indicators: Indicators, limits: Sensor) -> bool:
    samples = indicators.seconds * indicators.sampling_rate
    return indicators.resting > limits.clipped and round(indicators.resting * samples) >= 4


def find_shift(departure: np.ndarray, limits: Sensor) -> float:
    """Return by how much (dB) all bands differ alike from what they were of late, or 0 where they do not.

    departure (LEVELS,): of a recording's levels, dB. Gain, mounting or load move all bands alike; damage does not.
    """
    bands = departure[1 : 1 + HALF_OCTAVES]
    bands = bands[np.isfinite(bands)]
    if len(bands) < 3 or bands.std() > limits.shift_spread:
        return 0.0
    return float(bands.mean()) if abs(bands.mean()) > limits.shift else 0.0
