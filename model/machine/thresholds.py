"""The thresholds of the watch: typed in params.yaml, written into assets/machine.json, read from there."""

from typing import NamedTuple


class Learning(NamedTuple):
    """How much of its past makes a machine's baseline."""

    recordings: int
    level_recordings: int
    same_speed: float
    least_spread: float


class Smoothing(NamedTuple):
    """How fast a state follows its recordings."""

    weight: float


class Severity(NamedTuple):
    """What change of each kind counts as 1."""

    line_deviations: float
    line_growth: float
    other_deviations: float
    other_growth: float
    band_level: float
    moment: float
    level: float
    slip: float


class Persistence(NamedTuple):
    """From which severity on a level is raised, after how many recordings, and when it is cleared."""

    notice: float
    warning: float
    alarm: float
    raise_after: int
    clear_after: int
    clear_share: float


class Sensor(NamedTuple):
    """What is wrong with a sensor or its chain, and not with the machine."""

    held: float
    clipped: float
    gap: float
    silent: float
    raise_after: int
    clear_after: int
    shift: float
    shift_spread: float
    clipped_damage: float


class Thresholds(NamedTuple):
    """All of them, by the module that reads them."""

    learning: Learning
    smoothing: Smoothing
    severity: Severity
    persistence: Persistence
    sensor: Sensor
