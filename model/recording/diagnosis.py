"""The diagnosis of whole recordings: experts, their pool, a healthy baseline, and when to say "Unknown"."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.recording.baseline import Healthy, change_odds, describe_baseline
from model.recording.checks import check_recording, find_defect, find_hindrance, is_noise
from model.recording.classes import CLASSES, COMBS, UNKNOWN
from model.recording.decision import (
    calibrate,
    clarity,
    name_prediction,
    pool,
    pool_windows,
    probabilities,
    replace_fault,
)
from model.recording.experts import Head, Odds, head_odds, network_odds, sigmoid
from model.recording.familiarity import Spectra, novelty, relative_distance
from model.recording.lines import Features
from model.recording.recording import Recording
from model.recording.windows import cut, describe_in_parts


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
    CLASSES; familiarity is the share of the training's bearings, each left out in turn, that looked at least as unlike
    the others. combs are the heights (natural logarithm over the surroundings) of the strongest comb of lines of each
    fault and of none.
    """

    prediction: str
    reason: str
    probabilities: dict[str, float]
    familiarity: float
    combs: dict[str, float]
    windows: list[Window] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class RecordingDiagnosis:
    """The experts and what holds them together: networks trained on simulated faults, heads on real spectra."""

    networks: list[dict[str, np.ndarray]]
    heads: dict[str, list[Head]]
    spectra: Spectra
    temperature: float

    def save(self, path: Path) -> None:
        """Write all of it as JSON, seven significant digits."""
        path.write_text(json.dumps(self, default=to_plain, separators=(",", ":")) + "\n")

    @classmethod
    def load(cls, path: Path) -> "RecordingDiagnosis":
        plain = json.loads(path.read_text())
        arrays = [{name: np.array(value, np.float32) for name, value in net.items()} for net in plain["networks"]]
        heads = {name: [Head(np.array(w, np.float32), b) for w, b in pairs] for name, pairs in plain["heads"].items()}
        spectra = plain["spectra"]
        return cls(
            arrays,
            heads,
            Spectra(
                np.array(spectra["centres"]),
                np.array(spectra["stretch"]),
                np.array(spectra["spread"]),
                spectra["familiar"],
                np.array(spectra["novelties"]),
            ),
            plain["temperature"],
        )

    def odds(self, features: Features) -> Odds:
        """Return the pooled log-odds without a baseline."""
        lines, spectral = network_odds(self.networks, features), head_odds(self.heads, features)
        return pool(lines, spectral, relative_distance(self.spectra, features), clarity(features.combs))

    def probabilities(self, features: Features, odds: Odds) -> np.ndarray:
        """Return the calibrated probabilities (windows, classes) of log-odds."""
        return calibrate(probabilities(odds), self.temperature, relative_distance(self.spectra, features))

    def diagnose(
        self,
        recording: Recording,
        bearing: Bearing = BEARINGS[DEFAULT_BEARING],
        baseline: Sequence[Recording] | Healthy = (),
    ) -> Diagnosis:
        """Diagnose a recording whose shaft turns the inner race.

        baseline: recordings of the same machine when it was healthy, or what describe_baseline made of them. Raises
        ValueError that says what came and what was expected.
        """
        signal, sampling_rate, rpm = check_recording(recording), recording.sampling_rate, recording.rpm
        healthy = baseline if isinstance(baseline, Healthy) or not baseline else describe_baseline(baseline, bearing)
        reason = find_defect(signal, sampling_rate) or find_hindrance(rpm, bearing)
        starts, windows = cut(signal, sampling_rate)
        if reason or not len(windows):
            return unreadable(reason or "the sensor is off: no window varies")
        features = describe_in_parts(windows, sampling_rate, rpm / 60, bearing.orders)
        if is_noise(features, windows, sampling_rate):
            return unreadable("noise and nothing else: no tone, no impact and no line of a machine")
        each = self.probabilities(features, self.odds(features))
        if healthy:
            each = replace_fault(each, sigmoid(change_odds(self.networks, healthy, features)))
        answer = self.judge(features, each, starts / sampling_rate)
        if not healthy:
            answer.warnings.append(
                "no healthy baseline was given: healthy or damaged is decided by lines and spectrum alone, "
                "the weaker way"
            )
        return answer

    def judge(self, features: Features, each: np.ndarray, starts: np.ndarray) -> Diagnosis:
        """Return the recording's answer from its windows' probabilities (windows, classes); starts in seconds."""
        relative = relative_distance(self.spectra, features)
        familiarity = self.familiarity(relative, features.combs)
        whole = pool_windows(each)
        combs, distance = features.combs.mean(axis=0), float(np.median(relative))
        typical = float(self.familiarity(distance, combs[None])[0])
        prediction, reason = name_prediction(whole, combs, typical, distance)
        windows = [
            Window(float(start), name_prediction(*facts)[0], to_dict(facts[0]), float(facts[2]))
            for start, *facts in zip(starts, each, features.combs, familiarity, relative, strict=True)
        ]
        return Diagnosis(
            prediction, reason, to_dict(whole), typical, dict(zip(COMBS, combs.tolist(), strict=True)), windows
        )

    def familiarity(self, relative: np.ndarray | float, combs: np.ndarray) -> np.ndarray:
        """Return the share of training's bearings, each left out in turn, at least as novel as these windows."""
        quantiles = self.spectra.novelties
        return np.interp(novelty(relative, combs), quantiles, np.linspace(1, 0, len(quantiles)))


def to_plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return [to_plain(row) for row in value] if value.ndim > 1 else [float(f"{number:.7g}") for number in value]
    return vars(value)


def to_dict(row: np.ndarray) -> dict[str, float]:
    return dict(zip(CLASSES, row.tolist(), strict=True))


def unreadable(reason: str) -> Diagnosis:
    even = dict.fromkeys(CLASSES, 1 / len(CLASSES))
    return Diagnosis(UNKNOWN, reason, even, 0.0, dict.fromkeys(COMBS, 0.0))
