"""Trials of the recording diagnosis on other rigs: whole recordings through what is served, none of them trained."""

import json
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.recording.baseline import (
    BaselineError,
    Healthy,
    HealthyRecording,
    check_seconds,
    describe_healthy,
    join_healthy,
)
from model.recording.checks import check_recording
from model.recording.classes import CLASSES, UNKNOWN
from model.recording.diagnosis import Examined, RecordingDiagnosis
from model.recording.recording import Recording
from model.recording.thresholds import Thresholds
from pipeline.catalogue import MANIFEST, read_catalogue
from pipeline.params import ASSETS, RECORDINGS
from pipeline.training.signals import read_signals
from pipeline.trials.rig import KNOWN, Tried, load_rig
from pipeline.trials.scores import STATED, WITH, WITHOUT, Entry, score_rig
from pipeline.trials.table import HEADLINE

FAR = 1e3  # a height that no spectrum has: all lie equally far from it

Answer = tuple[str, list[float]]  # prediction, and probabilities in the order of CLASSES


class Condition(NamedTuple):
    """What is tried: a network on a rig, whose stated rate is off by a share, with a healthy baseline or without."""

    network: str
    rig: str
    rate_error: float
    beside_baseline: bool


def list_conditions(network: str, rigs: list[str], rate_errors: list[float]) -> list[Condition]:
    """Return what a network is tried on: the served one on every rig under every condition.

    The networks alone, which have heard no rig, are tried so on the one whose recordings train, and on others at the
    stated rate without a baseline.
    """
    every = [(error, beside) for beside in (False, True) for error in (0, *rate_errors)]
    if network == "recording":
        return [Condition(network, rig, *each) for rig in rigs for each in every]
    return [
        *[Condition(network, rig, 0, beside_baseline=False) for rig in rigs],
        *[Condition(network, KNOWN, *each) for each in every],
    ]


def collect(results: dict[Condition, Entry]) -> dict:
    """Return {network: {rig: {with or without baseline: {stated rate: entry}}}}, without what could not be tried."""
    table: dict = {}
    for (network, rig, error, beside), entry in results.items():
        if entry["recordings"]:
            tried = table.setdefault(network, {}).setdefault(rig, {})
            tried.setdefault(WITH if beside else WITHOUT, {})[f"{100 * error:+g} %" if error else STATED] = entry
    return table


def try_on_rig(
    rig: str,
    rate_error: float,
    *,
    conditions: list[Condition],
    catalogue: str,
    most_healthy: int,
    most_baseline: int,
) -> dict[Condition, Entry]:
    """Return score_rig's counts and scores under those of the conditions that are of this rig and rate.

    rate_error is the share by which the sampling rate of everything is stated wrong. Beyond the stated rate without a
    baseline, at most most_healthy of the healthy recordings are tried, evenly spaced. A baseline are the first
    most_baseline healthy recordings of the same channel but the one that is tried. What a recording shows is read
    once for all networks, with and without a baseline.
    """
    asked = [condition for condition in conditions if (condition.rig, condition.rate_error) == (rig, rate_error)]
    recordings = [misstate(tried, rate_error) for tried in (load_known(catalogue) if rig == KNOWN else load_rig(rig))]
    diagnoses = {condition.network: load_diagnosis(condition.network) for condition in asked}
    served, few = load_diagnosis(HEADLINE), thin(recordings, most_healthy)
    baselines = Baselines(recordings, most_baseline, served.thresholds)
    answers: dict[Condition, list[tuple[str, Answer]]] = {condition: [] for condition in asked}
    for number in few if rate_error else range(len(recordings)):
        tried = recordings[number]
        examined = examine(served, tried)
        beside = baselines.find(number) if number in few else ()
        for condition in asked:
            diagnosis = diagnoses[condition.network]
            if not condition.beside_baseline:
                answers[condition].append((tried.label, ask(diagnosis, examined, None)))
            elif beside:
                healthy = baselines.describe(beside, tried.bearing)
                answers[condition].append((tried.label, ask(diagnosis, examined, healthy) if healthy else refuse()))
    return {condition: score(given) for condition, given in answers.items()}


def score(answers: list[tuple[str, Answer]]) -> Entry:
    truth = np.array([label for label, _ in answers], dtype=str)
    predictions = np.array([prediction for _, (prediction, _) in answers], dtype=str)
    return score_rig(truth, predictions, np.array([row for _, (_, row) in answers]).reshape(-1, len(CLASSES)))


def load_known(catalogue: str) -> list[Tried]:
    table = read_catalogue(catalogue)
    signals = read_signals(table, json.loads((RECORDINGS / MANIFEST).read_text()), RECORDINGS)
    return [
        Tried(
            row.label,
            Recording(signals[row.recording], row.sampling_rate, row.rpm, row.channel, name=row.recording),
            BEARINGS[DEFAULT_BEARING],
        )
        for row in table.itertuples()
    ]


def misstate(tried: Tried, rate_error: float) -> Tried:
    stated = tried.recording.sampling_rate * (1 + rate_error)
    return tried._replace(recording=replace(tried.recording, sampling_rate=stated))


def thin(recordings: list[Tried], most_healthy: int) -> list[int]:
    """Return which are faulty, and every n-th healthy one so that there are no more than most_healthy."""
    healthy = [number for number, tried in enumerate(recordings) if tried.label == "Normal"]
    kept = set(healthy[:: -(-len(healthy) // most_healthy) or 1])
    return [number for number, tried in enumerate(recordings) if tried.label != "Normal" or number in kept]


def load_diagnosis(network: str) -> RecordingDiagnosis:
    diagnosis = RecordingDiagnosis.load(ASSETS / "diagnosis.json")
    return diagnosis if network == "recording" else forget_spectra(diagnosis)


def forget_spectra(diagnosis: RecordingDiagnosis) -> RecordingDiagnosis:
    """Return a diagnosis that has seen no real spectrum: none is familiar to it, and none counts as novel."""
    seen = diagnosis.spectra
    unseen = replace(
        seen,
        centres=np.full_like(seen.centres[:1], FAR),
        stretch=np.ones_like(seen.stretch[:1]),
        novelties=np.full_like(seen.novelties, np.inf),
    )
    return replace(diagnosis, spectra=unseen)


def examine(diagnosis: RecordingDiagnosis, tried: Tried) -> Examined | None:
    """Return what a recording shows, or None where it is refused in words."""
    try:
        return diagnosis.examine(tried.recording, tried.bearing)
    except ValueError:
        return None


def ask(diagnosis: RecordingDiagnosis, examined: Examined | None, baseline: Healthy | None) -> Answer:
    """Return the answer; a recording that is refused in words is as uncertain as one that is answered so."""
    if examined is None:
        return refuse()
    answer = diagnosis.decide(examined, baseline)
    return answer.prediction, [answer.probabilities[name] for name in CLASSES]


def refuse() -> Answer:
    return UNKNOWN, [1 / len(CLASSES)] * len(CLASSES)


class Baselines:
    """The healthy recordings beside each that is tried; each of them is described once for a bearing."""

    def __init__(self, recordings: list[Tried], most: int, limits: Thresholds) -> None:
        self.recordings, self.most, self.limits = recordings, most, limits
        self.described: dict[tuple[int, Bearing], HealthyRecording | None] = {}

    def find(self, number: int) -> list[int]:
        """Return the first other healthy recordings of the same channel."""
        tried = self.recordings[number].recording
        others = (
            other
            for other, (label, each, _) in enumerate(self.recordings)
            if label == "Normal" and each.channel == tried.channel and each.name != tried.name
        )
        return list(islice(others, self.most))

    def describe(self, found: list[int], bearing: Bearing) -> Healthy | None:
        """Return what these recordings show together, or None where they are refused in words."""
        described = [self.describe_one(each, bearing) for each in found]
        if any(each is None for each in described):
            return None
        try:
            check_seconds(sum(self.recordings[each].recording.seconds for each in found), self.limits.baseline)
        except BaselineError:
            return None
        return join_healthy(described, self.limits.baseline)

    def describe_one(self, number: int, bearing: Bearing) -> HealthyRecording | None:
        if (number, bearing) not in self.described:
            recording, described = self.recordings[number].recording, None
            with suppress(ValueError):
                described = describe_healthy(recording, check_recording(recording), bearing, self.limits)
            self.described[number, bearing] = described
        return self.described[number, bearing]
