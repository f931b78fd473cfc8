"""The answer for a recording, and what may change it once it is found."""

from dataclasses import dataclass, field

from model.bearings import Bearing
from model.recording.baseline import Change, Healthy, name_change, name_window
from model.recording.classes import FAULTS, UNKNOWN
from model.recording.orders.evidence import Evidence
from model.recording.windows import Analysis


@dataclass
class Window:
    """The answer for one window; start in seconds."""

    start: float
    prediction: str
    probabilities: dict[str, float]
    familiarity: float


@dataclass
class Diagnosis:
    """The answer for a recording.

    prediction is one of CLASSES or UNKNOWN, with the reason then. probabilities are calibrated and sum to 1 over
    CLASSES. familiarity is a share of training's windows: of those that looked at least as unlike the other bearings
    when their own was left out. combs are the heights (natural logarithm over the surroundings) of the strongest comb
    of lines of each fault and of none. analysis holds the windows' spectra. speed_factor is the true shaft rate over
    the stated one, 1 unless the recording itself says otherwise. resolved: whether its lines stand apart in spectra
    of single windows. bearing is the one whose lines were looked for, healthy the baseline that was compared with.
    """

    prediction: str
    reason: str
    probabilities: dict[str, float]
    familiarity: float
    combs: dict[str, float]
    windows: list[Window]
    evidence: Evidence
    analysis: Analysis
    speed_factor: float = 1.0
    warnings: list[str] = field(default_factory=list)
    resolved: bool = False
    bearing: Bearing | None = None
    healthy: Healthy | None = None


def let_lines_decide(answer: Diagnosis, decided: tuple[str, str], has_baseline: bool) -> None:
    """Let the lines name the prediction of a machine whose spectrum training has not seen; beside a healthy baseline,
    which tells healthy from faulty, the type alone."""
    if not has_baseline:
        answer.prediction, answer.reason = decided
    elif answer.prediction != "Normal" and decided[0] in FAULTS:
        answer.prediction, answer.reason = decided[0], ""


def say_change(answer: Diagnosis, change: Change) -> None:
    """Let a change from healthy say what it is, and leave no type named that nothing but the change speaks for."""
    answer.prediction, answer.reason = name_change(answer.prediction, answer.reason, change)
    for window in answer.windows:
        window.prediction = name_window(window.prediction, change)
    if change.words and answer.prediction != UNKNOWN:
        answer.warnings.append(f"changed from healthy: {change.words}")
