"""Trials of the recording diagnosis on other rigs: whole recordings through what is served, none of them trained."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.recording.baseline import Healthy, describe_baseline
from model.recording.classes import CLASSES, UNKNOWN
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.recording import Recording
from pipeline.catalogue import MANIFEST, read_catalogue
from pipeline.params import ASSETS, RECORDINGS
from pipeline.training.signals import read_signals
from pipeline.trials.rig import KNOWN, Tried, load_rig
from pipeline.trials.scores import STATED, WITH, WITHOUT, Entry, score_rig

FAR = 1e3  # a height that no spectrum has: all lie equally far from it

Condition = tuple[str, str, float, bool]  # network, rig, share by which the stated rate is off, with a baseline
Answer = tuple[str, list[float]]  # prediction, and probabilities in the order of CLASSES


def list_conditions(network: str, rigs: list[str], rate_errors: list[float]) -> list[Condition]:
    """Return what a network is tried on: the served one on every rig under every condition.

    The networks alone, which have heard no rig, are tried so on the one whose recordings train, and on others at the
    stated rate without a baseline.
    """
    every = [(error, beside) for beside in (False, True) for error in (0, *rate_errors)]
    if network == "recording":
        return [(network, rig, *condition) for rig in rigs for condition in every]
    return [(network, rig, 0, False) for rig in rigs] + [(network, KNOWN, *condition) for condition in every]


def collect(results: dict[Condition, Entry]) -> dict:
    """Return {network: {rig: {with or without baseline: {stated rate: entry}}}}, without what could not be tried."""
    table: dict = {}
    for (network, rig, error, beside), entry in results.items():
        if entry["recordings"]:
            tried = table.setdefault(network, {}).setdefault(rig, {})
            tried.setdefault(WITH if beside else WITHOUT, {})[f"{100 * error:+g} %" if error else STATED] = entry
    return table


def try_on_rig(
    network: str,
    rig: str,
    rate_error: float,
    beside_baseline: bool,
    *,
    catalogue: str,
    most_healthy: int,
    most_baseline: int,
) -> Entry:
    """Return score_rig's counts and scores of one network on one rig.

    rate_error is the share by which the sampling rate of everything is stated wrong. Beyond the stated rate without a
    baseline, at most most_healthy of the healthy recordings are tried, evenly spaced. A baseline are the first
    most_baseline healthy recordings of the same channel but the one that is tried.
    """
    recordings = [misstate(tried, rate_error) for tried in (load_known(catalogue) if rig == KNOWN else load_rig(rig))]
    chosen = thin(recordings, most_healthy) if rate_error or beside_baseline else recordings
    diagnosis = load_diagnosis(network)
    if not beside_baseline:
        answers = [ask(diagnosis, tried, None) for tried in chosen]
    else:
        chosen, answers = ask_beside_baselines(diagnosis, chosen, recordings, most_baseline)
    truth = np.array([tried.label for tried in chosen], dtype=str)
    predictions = np.array([prediction for prediction, _ in answers], dtype=str)
    return score_rig(truth, predictions, np.array([row for _, row in answers]).reshape(-1, len(CLASSES)))


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


def thin(recordings: list[Tried], most_healthy: int) -> list[Tried]:
    """Return all faulty recordings, and every n-th healthy one so that there are no more than most_healthy."""
    healthy = [number for number, tried in enumerate(recordings) if tried.label == "Normal"]
    kept = set(healthy[:: -(-len(healthy) // most_healthy) or 1])
    return [tried for number, tried in enumerate(recordings) if tried.label != "Normal" or number in kept]


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


def ask(diagnosis: RecordingDiagnosis, tried: Tried, baseline: Healthy | None) -> Answer:
    """Return the answer; a recording that is refused in words is as uncertain as one that is answered so."""
    try:
        answer = diagnosis.diagnose(tried.recording, tried.bearing, baseline)
    except ValueError:
        return refuse()
    return answer.prediction, [answer.probabilities[name] for name in CLASSES]


def refuse() -> Answer:
    return UNKNOWN, [1 / len(CLASSES)] * len(CLASSES)


def ask_beside_baselines(
    diagnosis: RecordingDiagnosis, chosen: list[Tried], recordings: list[Tried], most_baseline: int
) -> tuple[list[Tried], list[Answer]]:
    """Return the recordings that have a baseline, and their answers; each baseline is described once."""
    described: dict[tuple, Healthy | None] = {}
    asked, answers = [], []
    for tried in chosen:
        baseline = find_baseline(tried, recordings)[:most_baseline]
        if baseline:
            key = (tried.bearing, *(each.name for each in baseline))
            if key not in described:
                described[key] = describe(baseline, tried.bearing, diagnosis)
            asked.append(tried)
            answers.append(ask(diagnosis, tried, described[key]) if described[key] else refuse())
    return asked, answers


def find_baseline(tried: Tried, recordings: list[Tried]) -> list[Recording]:
    """Return the other healthy recordings of the same channel."""
    return [
        each.recording
        for each in recordings
        if each.label == "Normal"
        and each.recording.channel == tried.recording.channel
        and each.recording.name != tried.recording.name
    ]


def describe(baseline: Sequence[Recording], bearing: Bearing, diagnosis: RecordingDiagnosis) -> Healthy | None:
    """Return a baseline's description, or None where it is refused in words."""
    try:
        return describe_baseline(baseline, bearing, diagnosis.thresholds)
    except ValueError:
        return None
