"""The diagnosis of whole recordings: experts, their pool, a healthy baseline, and when to say "Unknown"."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.recording.baseline import Change, Healthy, describe_baseline, find_change, name_change, name_window
from model.recording.checks import check_recording, find_defect, find_hindrance, is_noise, is_too_slow
from model.recording.classes import CLASSES, COMBS, UNKNOWN
from model.recording.decision import (
    calibrate,
    clarity,
    find_dissent,
    name_prediction,
    pool,
    pool_windows,
    probabilities,
    replace_fault,
)
from model.recording.evidence import NO_WINDOW, TOO_SLOW, Evidence, nothing, weigh
from model.recording.experts import Head, Odds, head_odds, network_odds, sigmoid
from model.recording.familiarity import Spectra, familiarity, relative_distance
from model.recording.levels import measure_levels
from model.recording.lines import Features
from model.recording.recording import Recording
from model.recording.thresholds import Thresholds, read_thresholds, write_thresholds
from model.recording.windows import Analysis, analyse

NO_BASELINE = "no healthy baseline was given: healthy or damaged is decided by lines and spectrum alone, the weaker way"


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
    of lines of each fault and of none. analysis holds the spectra that all of it, and the evidence, was read from.
    """

    prediction: str
    reason: str
    probabilities: dict[str, float]
    familiarity: float
    combs: dict[str, float]
    windows: list[Window]
    evidence: Evidence
    analysis: Analysis
    warnings: list[str] = field(default_factory=list)


@dataclass
class RecordingDiagnosis:
    """The experts and what holds them together: networks trained on simulated faults, heads on real spectra, and the
    thresholds under which they were fitted."""

    networks: list[dict[str, np.ndarray]]
    heads: dict[str, list[Head]]
    spectra: Spectra
    temperature: float
    thresholds: Thresholds

    def save(self, path: Path) -> None:
        """Write all of it as JSON, weights with seven significant digits."""
        plain = vars(self) | {"thresholds": write_thresholds(self.thresholds)}
        path.write_text(json.dumps(plain, default=to_plain, separators=(",", ":")) + "\n")

    @classmethod
    def load(cls, path: Path) -> "RecordingDiagnosis":
        plain = json.loads(path.read_text())
        arrays = {name: np.array(value) for name, value in plain["spectra"].items() if isinstance(value, list)}
        return cls(
            [{name: np.array(value, np.float32) for name, value in net.items()} for net in plain["networks"]],
            {name: [Head(np.array(w, np.float32), b) for w, b in pairs] for name, pairs in plain["heads"].items()},
            Spectra(**plain["spectra"] | arrays),
            plain["temperature"],
            read_thresholds(plain["thresholds"]),
        )

    def diagnose(
        self,
        recording: Recording,
        bearing: Bearing = BEARINGS[DEFAULT_BEARING],
        baseline: Sequence[Recording] | Healthy | None = None,
    ) -> Diagnosis:
        """Diagnose a recording whose shaft turns the inner race.

        baseline: recordings of the same machine when it was healthy, or what describe_baseline made of them. Raises
        ValueError that says what came and what was expected.
        """
        signal = check_recording(recording)
        if baseline and not isinstance(baseline, Healthy):
            baseline = describe_baseline(baseline, bearing, self.thresholds)
        analysis = analyse(recording, signal, bearing.orders, self.thresholds.checks.highest_line)
        reason = self.find_fault_of_recording(recording, signal, bearing, analysis)
        if reason:
            even = dict.fromkeys(CLASSES, 1 / len(CLASSES))
            evidence = self.weigh(UNKNOWN, recording, bearing, analysis)
            return Diagnosis(UNKNOWN, reason, even, 0.0, dict.fromkeys(COMBS, 0.0), [], evidence, analysis)
        relative = relative_distance(self.spectra, analysis.features)
        each, change = self.probabilities(analysis.features, relative), None
        if baseline:
            levels, alone = measure_levels(recording, signal), 1 - pool_windows(each)[CLASSES.index("Normal")]
            change = find_change(
                self.networks, baseline, analysis.features, self.thresholds, levels, alone=float(alone)
            )
            each = replace_fault(each, sigmoid(change.odds))
        answer = self.conclude(recording, bearing, analysis, relative, each, change)
        dissent = find_dissent(
            answer.prediction, [window.prediction for window in answer.windows], self.thresholds.decision
        )
        said = change and answer.prediction != UNKNOWN and change.words and f"changed from healthy: {change.words}"
        answer.warnings += filter(None, [not baseline and NO_BASELINE, said, dissent])
        return answer

    def find_fault_of_recording(
        self, recording: Recording, signal: np.ndarray, bearing: Bearing, analysis: Analysis
    ) -> str:
        """Return why nothing can be told from a recording, or an empty text."""
        checks = self.thresholds.checks
        reason = find_defect(signal, recording.sampling_rate, checks) or find_hindrance(recording.rpm, bearing, checks)
        if reason:
            return reason
        if not len(analysis.starts):
            return "the sensor is off: no window varies"
        if is_noise(analysis.features, analysis.spectrum, analysis.spacing, checks):
            return "noise and nothing else: no tone, no impact and no line of a machine"
        return ""

    def probabilities(self, features: Features, relative: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities (windows, classes) without a baseline.

        relative is the relative_distance of the features' spectra, (windows,).
        """
        odds = self.odds(features, relative)
        return calibrate(probabilities(odds), self.temperature, relative, self.thresholds.familiarity)

    def odds(self, features: Features, relative: np.ndarray) -> Odds:
        """Return the pooled log-odds without a baseline."""
        limits = self.thresholds
        lines = network_odds(self.networks, features, limits.experts)
        spectral = head_odds(self.heads, features, limits.experts)
        return pool(lines, spectral, relative, clarity(features.combs, limits.decision), limits)

    def conclude(
        self,
        recording: Recording,
        bearing: Bearing,
        analysis: Analysis,
        relative: np.ndarray,
        each: np.ndarray,
        change: Change | None = None,
    ) -> Diagnosis:
        """Return the recording's answer from its windows' probabilities (windows, classes)."""
        limits, combs = self.thresholds, analysis.features.combs
        windows = [
            Window(float(start), name_prediction(*facts, limits.decision)[0], to_dict(facts[0]), float(facts[2]))
            for start, *facts in zip(
                analysis.starts / recording.sampling_rate,
                each,
                combs,
                familiarity(self.spectra, relative, combs, limits.familiarity),
                relative,
                strict=True,
            )
        ]
        if change:
            for window in windows:
                window.prediction = name_window(window.prediction, change)
        whole, mean, distance = pool_windows(each), combs.mean(axis=0), float(np.median(relative))
        typical = float(familiarity(self.spectra, distance, mean[None], limits.familiarity)[0])
        prediction, reason = name_prediction(whole, mean, typical, distance, limits.decision)
        prediction, reason = name_change(prediction, reason, change) if change else (prediction, reason)
        heights = dict(zip(COMBS, mean.tolist(), strict=True))
        evidence = self.weigh(prediction, recording, bearing, analysis)
        return Diagnosis(prediction, reason, to_dict(whole), typical, heights, windows, evidence, analysis)

    def weigh(self, prediction: str, recording: Recording, bearing: Bearing, analysis: Analysis) -> Evidence:
        """Return what the bearing's lines say of a prediction, from the spectra that it was made of."""
        if not len(analysis.starts):
            return nothing(NO_WINDOW)
        if is_too_slow(recording.rpm, self.thresholds.checks):
            return nothing(TOO_SLOW)
        return weigh(
            analysis.envelope_spectra,
            analysis.spacing,
            recording.rpm / 60,
            bearing.orders,
            prediction,
            self.thresholds.evidence,
        )


def to_plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return [to_plain(row) for row in value] if value.ndim > 1 else [float(f"{number:.7g}") for number in value]
    return vars(value)


def to_dict(row: np.ndarray) -> dict[str, float]:
    return dict(zip(CLASSES, row.tolist(), strict=True))
