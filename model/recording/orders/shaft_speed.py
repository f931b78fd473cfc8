"""The shaft rate that a recording's own lines say, where nobody says it, or None where they are not clear enough.

A comb of harmonics is searched over all rates. Faults, cages, gears and hum make combs as well, so a rate is told only
where no other explanation stands beside it: a wrong speed is far worse than none.
"""

import numpy as np

from model.recording.orders.shaft_check import measure_heights
from model.recording.thresholds import ShaftSpeed

TEETH = np.arange(1, 25)
FEW, MANY = 6, 12  # teeth that have to stand out each, whichever of their divisors is left out
DIVISORS = (2, 3, 5)
ROOM = np.linspace(0.999, 1.001, 9)  # times the part of a rate at which its own teeth are looked for


def find_shaft_rate(signal: np.ndarray, sampling_rate: float, limits: ShaftSpeed) -> float | None:
    """Return the shaft's rate (Hz) from the lines of a signal (samples,) of finite numbers at sampling_rate (Hz).

    None where the lines are not clear enough, which is also the answer for less than some two seconds and for rates
    outside of `limits.rates`.
    """
    heights, spacing = measure_heights(signal, sampling_rate, limits.tall)
    deviations = standardise(heights, limits.tallest)
    slowest, fastest = limits.rates
    rates = np.arange(max(slowest, limits.least_turns * spacing), fastest, 1.5 * spacing / len(TEETH))
    combs = pick_teeth(deviations, spacing, rates)
    scores = np.minimum(weakest_part(combs[:FEW]), weakest_part(combs[:MANY]))
    clear = scores >= limits.clear
    if not clear.any():
        return None
    low, high = np.multiply(limits.same, rates[clear][0])
    same = np.flatnonzero((rates >= low) & (rates < high))
    sums = combs[:, same].sum(axis=0)
    best = int(np.median(same[sums == sums.max()]))  # lines are a few bins wide: rates around the true one draw
    rate = float(rates[best])
    possible = rates[scores >= max(limits.possible, limits.possible_share * scores[best])]
    doubtful = (
        not clear[best]
        or rate < limits.room_below * rates[0]
        or any(abs(rate / hum - 1) < limits.mains_room for hum in limits.mains)
        or (possible < limits.below * rate).any()
        or ((possible > limits.cage[0] * rate) & (possible < limits.cage[1] * rate)).any()
        or any(part_height(deviations, spacing, rate, divisor) >= limits.part for divisor in (2, 3))
    )
    return None if doubtful else rate


def standardise(heights: np.ndarray, tallest: float) -> np.ndarray:
    """Return heights (bins,) in deviations from their mean, each up to the tallest; 0 where there is no height."""
    known = np.isfinite(heights)
    spread = float(heights[known].std()) if known.any() else 0.0
    if spread == 0:
        return np.zeros(len(heights))
    return np.minimum(np.where(known, (heights - heights[known].mean()) / spread, 0), tallest)


def pick_teeth(deviations: np.ndarray, spacing: float, rates: np.ndarray) -> np.ndarray:
    """Return the deviations (teeth, rates) at the multiples of rates (Hz), 0 beyond the spectrum."""
    bins = np.rint(TEETH[:, None] * rates / spacing)
    inside = bins < len(deviations)
    return np.where(inside, np.append(deviations, 0)[np.where(inside, bins, -1).astype(int)], 0)


def weakest_part(combs: np.ndarray) -> np.ndarray:
    """Return the score (rates,) of combs (teeth, rates), whichever divisor's multiples are left out.

    A score is a sum over the root of the number of teeth: of noise, its deviation is 1. A comb of a half, a third or a
    fifth of the true rate has nothing but these multiples.
    """
    teeth = TEETH[: len(combs)]
    return np.min([combs[teeth % n > 0].sum(axis=0) / np.sqrt((teeth % n > 0).sum()) for n in DIVISORS], axis=0)


def part_height(deviations: np.ndarray, spacing: float, rate: float, divisor: int) -> float:
    """Return the score of the teeth that a comb of rate / divisor (Hz) has and that of rate has not."""
    combs = pick_teeth(deviations, spacing, rate / divisor * ROOM)[TEETH % divisor > 0]
    return max(float(combs[:number].sum(axis=0).max() / np.sqrt(number)) for number in (FEW // 2, FEW))
