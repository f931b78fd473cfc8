"""A machine's point watched recording by recording, against its own healthy past: causal, and the same in a replay.

numpy only: the service imports this module.
"""

from dataclasses import dataclass, field

import numpy as np

from model.bearings import FaultOrders
from model.machine.combs import ORDERS
from model.machine.indicators import LEVELS, Indicators
from model.machine.learning import Past
from model.machine.levels import ENVELOPE_BANDS
from model.machine.persistence import Patience
from model.machine.sensor import find_defect, find_shift, is_clipped
from model.machine.severity import Part, combine, explain, find_impact_part, find_level_part, find_line_parts
from model.machine.thresholds import Thresholds

MEDIAN = 3  # recordings; one that stands alone moves neither level nor moment


@dataclass(frozen=True)
class State:
    """What is known of a point after a recording.

    level is "learning", "normal", "notice", "warning", "alarm" or "sensor", since (unix seconds) the recording that
    first spoke for it; reason says in words what changed, empty where nothing did. severity is 1 at a warning. parts:
    the growth of each family of lines, of the impacts and of the level, each in units of a warning.
    """

    level: str
    since: float
    reason: str
    severity: float
    parts: dict[str, float]


@dataclass
class Watch:
    """The watch of one point; orders are None where its bearing is not known.

    Its past is the first recordings, or all until a moment (unix seconds) where until is given, but no fewer.
    """

    orders: FaultOrders | None
    limits: Thresholds
    until: float | None = None
    passed: bool = False  # whether a recording came after `until`
    past: Past = field(default_factory=Past)
    combs: np.ndarray = field(default_factory=lambda: np.zeros(len(ORDERS)))  # smoothed growth, natural logarithm
    moments: np.ndarray = field(default_factory=lambda: np.zeros(len(ENVELOPE_BANDS)))  # the same
    levels: np.ndarray = field(default_factory=lambda: np.zeros(LEVELS))  # smoothed rise, dB
    last_moments: list[np.ndarray] = field(default_factory=list)
    last_levels: list[np.ndarray] = field(default_factory=list)
    gain: float = 0.0  # dB that all levels were moved by since the past was learned
    shifts: list[float] = field(default_factory=list)
    shift_since: float = 0.0
    patience: Patience = field(default_factory=Patience)
    defects: int = 0
    defect_since: float = 0.0
    sensor: str = ""
    sensor_since: float = 0.0
    well: int = 0
    started: float | None = None

    @property
    def learned(self) -> bool:
        enough = self.past.recordings >= self.limits.learning.recordings
        return enough and (self.until is None or self.passed)

    def advance(self, taken_at: float, indicators: Indicators) -> State:
        """Return the state after one more recording; they come in the order of their moments (unix seconds)."""
        self.started = taken_at if self.started is None else self.started
        self.passed = self.passed or (self.until is not None and taken_at > self.until)
        rises = self.find_rises(indicators)
        defect = find_defect(indicators, float(rises[0]) if np.isfinite(rises[0]) else 0.0, self.limits.sensor)
        if self.note_sensor(taken_at, defect):
            parts = self.find_parts()  # of the recordings before this one: what stands goes on to say why
            return self.describe(combine(parts), parts)
        if not self.learned:
            self.past.add(indicators, self.limits.learning)
            return self.describe(0.0, [])
        if not self.note_shift(taken_at, rises):
            self.follow(indicators, rises)
        self.follow_lines(indicators)
        parts = self.find_parts()
        severity = combine(parts)
        if is_clipped(indicators, self.limits.sensor):
            severity = max(severity, self.limits.persistence.warning)
        self.patience.advance(taken_at, severity, self.limits.persistence)
        return self.describe(severity, parts, is_clipped(indicators, self.limits.sensor))

    def find_rises(self, indicators: Indicators) -> np.ndarray:
        """Return the levels over those learned at this speed (LEVELS,), dB; nan where too little was learned."""
        known = self.past.find_speed(indicators.rpm, self.limits.learning).levels
        least = min(self.limits.learning.level_recordings, max(self.past.recordings, 1))
        return np.where(known.count >= least, indicators.levels - known.mean - self.gain, np.nan)

    def note_sensor(self, taken_at: float, defect: str) -> bool:
        """Take down whether a recording has a defect; return whether it has one."""
        limits = self.limits.sensor
        if not defect:
            self.defects, self.well = 0, self.well + 1
            if self.sensor and self.well >= limits.clear_after:
                self.sensor = ""
            return False
        self.defect_since = self.defect_since if self.defects else taken_at
        self.defects, self.well = self.defects + 1, 0
        if self.defects >= limits.raise_after:
            self.sensor_since = self.sensor_since if self.sensor else self.defect_since
            self.sensor = f"the sensor's signal is unfit: {defect}"
        return True

    def note_shift(self, taken_at: float, rises: np.ndarray) -> bool:
        """Take down whether all levels jumped alike; return whether the levels are in doubt for it.

        The jump counts as one of gain, mounting or load once it stayed for `raise_after` recordings and one more.
        """
        shift = find_shift(rises - self.levels, self.limits.sensor)
        if not shift:
            self.shifts = []
            return False
        self.shift_since = self.shift_since if self.shifts else taken_at
        self.shifts.append(shift)
        if len(self.shifts) > self.limits.sensor.raise_after:
            moved = float(np.median(self.shifts))
            self.gain += moved
            self.sensor = f"gain, mounting or load changed: all bands {moved:+.1f} dB alike"
            self.sensor_since, self.well, self.shifts = self.shift_since, 0, []
        return True

    def follow(self, indicators: Indicators, rises: np.ndarray) -> None:
        """Let the smoothed changes follow a recording; a speed that is still being learned moves no level."""
        learning = self.limits.learning
        state = self.past.find_speed(indicators.rpm, learning)
        if state.levels.count.max() < learning.level_recordings:
            state.levels.add(indicators.levels - self.gain - self.levels)
        self.moments = self.smooth(self.moments, median(self.last_moments, indicators.moments - self.past.moments.mean))
        if np.isfinite(rises[0]):
            self.levels = self.smooth(self.levels, median(self.last_levels, rises))

    def smooth(self, before: np.ndarray, now: np.ndarray) -> np.ndarray:
        weight = self.limits.smoothing.weight
        return before + weight * np.where(np.isfinite(now), now - before, 0.0)

    def follow_lines(self, indicators: Indicators) -> None:
        """Let the combs follow a recording: gain does not touch them."""
        if indicators.has_combs and self.past.combs.count[0]:
            self.combs = self.smooth(self.combs, indicators.combs - self.past.combs.mean)

    def find_parts(self) -> list[Part]:
        """Return the changes of all kinds, none while the past is being learned."""
        limits = self.limits
        if not self.learned:
            return []
        parts = []
        if self.past.combs.count[0]:
            weight = limits.smoothing.weight
            noise = np.sqrt(weight / (2 - weight) + 1 / self.past.combs.count[0])
            deviation = float(max(self.past.comb_spread, limits.learning.least_spread) * noise)
            parts = find_line_parts(self.combs, deviation, self.orders, limits.severity)
        impacts = find_impact_part(self.levels, self.moments, limits.severity)
        return [*parts, impacts, find_level_part(self.levels, limits.severity)]

    def describe(self, severity: float, parts: list[Part], clipped: bool = False) -> State:
        """Return the state: a sensor's where it has one, unless the machine itself warns."""
        shown = {part.fault or ("other lines" if part.kind == "lines" else part.kind): part.size for part in parts}
        level, since = self.patience.level, self.patience.since
        reason = explain(parts) if parts and level != "normal" else ""
        if clipped and reason:
            reason += "; the signal is clipped, and far louder than before"
        if self.sensor and level not in ("warning", "alarm"):
            level, since, reason = "sensor", self.sensor_since, self.sensor
        elif self.sensor:
            reason = "; ".join(filter(None, (reason, self.sensor)))
        elif not self.learned:
            level, since = "learning", self.started or 0.0
        elif level == "normal" and not self.patience.since:
            since = self.started or 0.0
        return State(level, since, reason, severity, shown)


def median(last: list[np.ndarray], now: np.ndarray) -> np.ndarray:
    """Return the median of the last MEDIAN values, of which now is one, or the mean of fewer; last is kept up."""
    last.append(now)
    del last[:-MEDIAN]
    if len(last) < MEDIAN:
        return np.mean(last, axis=0)
    first, second, third = last
    return np.maximum(np.minimum(first, second), np.minimum(np.maximum(first, second), third))
