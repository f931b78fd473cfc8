"""A machine's own healthy past: the combs and moments of its first recordings, and the levels at each of its speeds."""

from dataclasses import dataclass, field

import numpy as np

from model.machine.combs import ORDERS
from model.machine.indicators import LEVELS, Indicators
from model.machine.levels import ENVELOPE_BANDS
from model.machine.thresholds import Learning


@dataclass
class Mean:
    """A running mean and sum of squares (Welford, Technometrics 4 (1962) 419); what is nan is left out."""

    count: np.ndarray
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, size: int) -> "Mean":
        return cls(*(np.zeros(size) for _ in range(3)))

    def add(self, values: np.ndarray) -> None:
        known = np.isfinite(values)
        self.count += known
        away = np.where(known, values - self.mean, 0.0)
        self.mean += away / np.maximum(self.count, 1)
        self.squares += away * np.where(known, values - self.mean, 0.0)

    def variance(self) -> np.ndarray:
        return self.squares / np.maximum(self.count - 1, 1)


@dataclass
class SpeedState:
    """The levels (dB) of a machine at a speed (rpm; nan where nobody knows it)."""

    rpm: float
    levels: Mean


@dataclass
class Past:
    """What was learned: combs and moments of the first recordings, and the levels at each speed."""

    recordings: int = 0
    combs: Mean = field(default_factory=lambda: Mean.of(len(ORDERS)))
    moments: Mean = field(default_factory=lambda: Mean.of(len(ENVELOPE_BANDS)))
    speeds: list[SpeedState] = field(default_factory=list)
    comb_spread: float = 0.0  # deviation, natural logarithm, pooled over all orders: a short past tells none alone

    def add(self, indicators: Indicators, limits: Learning) -> None:
        """Learn from one of the first recordings."""
        self.recordings += 1
        if indicators.has_combs:
            self.combs.add(indicators.combs)
            self.comb_spread = float(np.sqrt(self.combs.variance().mean()))
        self.moments.add(indicators.moments)
        self.find_speed(indicators.rpm, limits).levels.add(indicators.levels)

    def find_speed(self, rpm: float, limits: Learning) -> SpeedState:
        """Return the state of the speed nearest to this one, a new one where none is within `same_speed`."""
        near = [each for each in self.speeds if is_same(each.rpm, rpm, limits.same_speed)]
        if not near:
            near = [SpeedState(rpm, Mean.of(LEVELS))]
            self.speeds += near
        return min(near, key=lambda each: abs(each.rpm - rpm))


def is_same(known: float, rpm: float, room: float) -> bool:
    if not (np.isfinite(known) and np.isfinite(rpm)):
        return not np.isfinite(known) and not np.isfinite(rpm)
    return abs(np.log(rpm / known)) <= room
