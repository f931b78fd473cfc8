"""The diagnosis of whole recordings: experts, their pool, a healthy baseline, and when to say "Unknown"."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.recording.baseline import Change, Healthy, describe_baseline, find_change, line_growth
from model.recording.checks import (
    check_recording,
    find_defect,
    find_hindrance,
    is_noise,
    is_too_slow,
    turns_in_a_window,
)
from model.recording.classes import CLASSES, COMBS, UNKNOWN, pool_windows
from model.recording.conclusion import Diagnosis, Window, let_lines_decide, say_change
from model.recording.decision import (
    calibrate,
    clarity,
    find_dissent,
    follow_lines,
    name_by_estimated_lines,
    name_by_lines,
    name_prediction,
    pool,
    probabilities,
    replace_fault,
)
from model.recording.experts import Head, Odds, head_odds, network_odds, sigmoid
from model.recording.familiarity import Spectra, familiarity, relative_distance, spectral_trust
from model.recording.levels import measure_levels
from model.recording.lines import Features
from model.recording.orders.evidence import Evidence, judge, read_lines
from model.recording.orders.speed import describe_factor
from model.recording.orders.within import describe_estimate, read_lines_within
from model.recording.recording import Recording
from model.recording.thresholds import Thresholds, write_thresholds
from model.recording.windows import Analysis, analyse
from model.sizes import Estimate
from model.thresholds import read_thresholds

EVEN = dict.fromkeys(CLASSES, 1 / len(CLASSES))
NO_BASELINE = "no healthy baseline was given: healthy or damaged is decided by lines and spectrum alone, the weaker way"


class Examined(NamedTuple):
    """What a recording shows under the thresholds, whatever networks and baseline decide on it.

    recording is at its true speed, `factor` times the stated one; signal (samples,) is without its mean. unfit says
    why nothing can be told from it, about_estimate of what an estimated bearing was taken for; an empty text elsewhere.
    """

    recording: Recording
    signal: np.ndarray
    bearing: Bearing
    factor: float
    evidence: Evidence
    analysis: Analysis
    unfit: str
    about_estimate: str


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
            read_thresholds(Thresholds, plain["thresholds"]),
        )

    def diagnose(
        self,
        recording: Recording,
        bearing: Bearing | Estimate = BEARINGS[DEFAULT_BEARING],
        baseline: Sequence[Recording] | Healthy | None = None,
    ) -> Diagnosis:
        """Diagnose a recording whose shaft turns the inner race.

        bearing: a geometry, or the estimate of one; of an estimated bearing the lines alone decide. baseline:
        recordings of the same machine when it was healthy, or what describe_baseline made of them. Raises ValueError
        that says what came and what was expected, a BaselineError where it is the baseline.
        """
        examined = self.examine(recording, bearing)
        if baseline and not isinstance(baseline, Healthy):
            baseline = describe_baseline(baseline, examined.bearing, self.thresholds)
        return self.decide(examined, baseline or None)

    def examine(self, recording: Recording, bearing: Bearing | Estimate) -> Examined:
        """Return what a recording shows. Raises ValueError that says what came and what was expected."""
        signal, factor, about = check_recording(recording), 1.0, ""
        if isinstance(bearing, Estimate):
            estimate = bearing
            bearing, evidence = read_lines_within(recording, signal, estimate, self.thresholds)
            about = describe_estimate(estimate, bearing, evidence)
        else:
            factor, evidence = read_lines(recording, signal, bearing.orders, self.thresholds)
        recording = replace(recording, rpm=recording.rpm * factor)
        analysis = analyse(recording, signal, bearing.orders, self.thresholds.checks)
        unfit = self.find_fault_of_recording(recording, signal, bearing, analysis)
        return Examined(recording, signal, bearing, factor, evidence, analysis, unfit, about)

    def decide(self, examined: Examined, baseline: Healthy | None) -> Diagnosis:
        """Return the diagnosis of what a recording shows, beside a healthy baseline if there is one."""
        examined = examined._replace(evidence=replace(examined.evidence))  # judge writes into it, for this answer alone
        answer = self.answer(examined, baseline)
        answer.bearing, answer.healthy, answer.speed_factor = examined.bearing, baseline, examined.factor
        answer.warnings = [
            text for text in (examined.about_estimate, describe_factor(examined.factor), *answer.warnings) if text
        ]
        judge(examined.evidence, answer.prediction)
        return answer

    def answer(self, examined: Examined, baseline: Healthy | None) -> Diagnosis:
        """Return the answer to a recording at its true speed; of an estimated bearing its lines alone decide."""
        evidence, analysis, limits = examined.evidence, examined.analysis, self.thresholds.decision
        if examined.unfit:
            return Diagnosis(UNKNOWN, examined.unfit, EVEN, 0.0, dict.fromkeys(COMBS, 0.0), [], evidence, analysis)
        lines = self.ask_networks(analysis.features)
        likely = self.trust_networks(examined.recording, lines)
        if examined.about_estimate:
            decided = name_by_estimated_lines(evidence, examined.bearing, likely, limits)
        else:
            decided = name_by_lines(evidence, likely, limits)
        if examined.about_estimate or is_too_slow(examined.recording.rpm, self.thresholds.checks):
            return self.conclude_by_lines(examined, baseline, decided)
        relative = relative_distance(self.spectra, analysis.features)
        each = self.probabilities(analysis.features, lines, relative)
        trust = spectral_trust(relative, self.thresholds.familiarity)
        each, change = follow_lines(each, decided[0], trust, limits), None
        if baseline:
            change = self.compare(examined, each, baseline)
            each = replace_fault(each, sigmoid(change.odds))
        answer = self.conclude(examined, relative, each)
        if np.median(trust) < 0.5:
            let_lines_decide(answer, decided, bool(baseline))
        if change:
            say_change(answer, change)
        windows = [window.prediction for window in answer.windows]
        dissent = find_dissent(answer.prediction, windows, limits)
        answer.warnings += filter(None, [not baseline and NO_BASELINE, dissent])
        return answer

    def compare(self, examined: Examined, each: np.ndarray, healthy: Healthy) -> Change:
        """Return how a recording differs from the healthy machine; each are its probabilities without it."""
        present = {line.fault: line.excess if line.stands_out else 0.0 for line in examined.evidence.lines}
        growth = line_growth(present, healthy.lines)
        alone = float(1 - pool_windows(each)[CLASSES.index("Normal")])
        levels = measure_levels(examined.recording, examined.signal, self.thresholds.checks.least_variation)
        slowest = min(each.rpm for each in (levels, *healthy.levels))
        networks = [] if is_too_slow(slowest, self.thresholds.checks) else self.networks
        return find_change(networks, healthy, examined.analysis.features, self.thresholds, levels, growth, alone)

    def ask_networks(self, features: Features) -> Odds:
        """Return the log-odds of windows that the networks read from the bearing's lines."""
        return network_odds(self.networks, features, self.thresholds.experts)

    def trust_networks(self, recording: Recording, lines: Odds) -> dict[str, float] | None:
        """Return the probabilities of the networks' odds, or None at a speed that they were not trained for."""
        slowest, fastest = self.thresholds.decision.network_rpm
        if not slowest <= recording.rpm <= fastest:
            return None
        return to_dict(pool_windows(probabilities(lines)))

    def conclude_by_lines(
        self, examined: Examined, baseline: Healthy | None, decided: tuple[str, str]
    ) -> Diagnosis:  # fmt: skip
        """Return the answer for a shaft so slow, or a bearing so little known, that single windows say nothing."""
        limits, (prediction, reason) = self.thresholds.decision, decided
        even = np.full((1, len(CLASSES)), 1 / len(CLASSES))
        row, change = follow_lines(even, prediction, np.zeros(1), limits), None
        if baseline:
            change = self.compare(examined, row, baseline)
            row = replace_fault(row, sigmoid(change.odds.mean(keepdims=True)))
            prediction, reason = name_prediction(row[0], 1.0, limits)
        none, rpm = dict.fromkeys(COMBS, 0.0), examined.recording.rpm
        answer = Diagnosis(prediction, reason, to_dict(row[0]), 0.0, none, [], examined.evidence, examined.analysis)
        answer.resolved = not is_too_slow(rpm, self.thresholds.checks)
        if not answer.resolved:
            answer.warnings.append(
                f"the shaft turns {turns_in_a_window(rpm):.2g} times in a window: single windows say "
                f"nothing, the whole recording was judged by its lines{' and its level' if baseline else ' alone'}"
            )
        elif not baseline:
            answer.warnings.append(NO_BASELINE)
        if change:
            say_change(answer, change)
        return answer

    def find_fault_of_recording(
        self, recording: Recording, signal: np.ndarray, bearing: Bearing, analysis: Analysis
    ) -> str:
        """Return why nothing can be told from a recording, or an empty text."""
        checks = self.thresholds.checks
        if reason := find_defect(signal, recording.sampling_rate, checks):
            return reason
        if not len(analysis.starts):
            return "the sensor is off: no window varies"
        if reason := find_hindrance(recording, bearing, self.thresholds):
            return reason
        if is_noise(analysis.features, analysis.spectrum, analysis.spacing, checks):
            return "noise and nothing else: no tone, no impact and no line of a machine"
        return ""

    def probabilities(self, features: Features, lines: Odds, relative: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities (windows, classes) without a baseline.

        lines are what ask_networks says of the features, relative (windows,) the relative_distance of their spectra.
        """
        odds = self.odds(features, lines, relative)
        return calibrate(probabilities(odds), self.temperature, relative, self.thresholds.familiarity)

    def odds(self, features: Features, lines: Odds, relative: np.ndarray) -> Odds:
        """Return the pooled log-odds without a baseline."""
        limits = self.thresholds
        spectral = head_odds(self.heads, features, limits.experts)
        return pool(lines, spectral, relative, clarity(features.combs, limits.decision), limits)

    def conclude(self, examined: Examined, relative: np.ndarray, each: np.ndarray) -> Diagnosis:
        """Return the recording's answer from its windows' probabilities (windows, classes)."""
        recording, analysis, limits = examined.recording, examined.analysis, self.thresholds
        combs = analysis.features.combs
        familiar = familiarity(self.spectra, relative, combs, limits.familiarity)
        trusted = spectral_trust(relative, limits.familiarity) >= 0.5
        windows = [
            Window(float(start), name_prediction(row, shown if known else 1.0, limits.decision)[0], to_dict(row), shown)
            for start, row, shown, known in zip(
                analysis.starts / recording.sampling_rate, each, familiar.tolist(), trusted, strict=True
            )
        ]
        whole, mean, distance = pool_windows(each), combs.mean(axis=0), float(np.median(relative))
        typical = float(familiarity(self.spectra, distance, mean[None], limits.familiarity)[0])
        prediction, reason = name_prediction(whole, typical, limits.decision)
        heights = dict(zip(COMBS, mean.tolist(), strict=True))
        return Diagnosis(
            prediction, reason, to_dict(whole), typical, heights, windows, examined.evidence, analysis, resolved=True
        )


def to_plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return [to_plain(row) for row in value] if value.ndim > 1 else [float(f"{number:.7g}") for number in value]
    return vars(value)


def to_dict(row: np.ndarray) -> dict[str, float]:
    return dict(zip(CLASSES, row.tolist(), strict=True))
