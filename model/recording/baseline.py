"""What a healthy machine was like, and how far a recording has changed from it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from model.bearings import Bearing
from model.recording.checks import check_recording, find_defect, find_hindrance
from model.recording.classes import CLASSES, FAULTS, UNKNOWN
from model.recording.experts import log_sum_exp, network_logits
from model.recording.levels import (
    DECIBELS,
    Levels,
    compare_levels,
    describe_levels,
    independent_windows,
    measure_levels,
    widening,
)
from model.recording.lines import Features, concatenate
from model.recording.orders.evidence import read_lines
from model.recording.recording import Recording
from model.recording.spectra import BANDS
from model.recording.thresholds import Baseline, Thresholds
from model.recording.windows import Analysis, analyse

NAMED_CHANGES = 3


class Healthy(NamedTuple):
    """What a machine was like when it was healthy.

    features: of the windows of all its recordings. excess (bands, lines): by how much lines stood above quiet ones
    then. analyses: of each recording, with averaged envelope spectra; levels: of each, at its true speed; lines: the
    excess of each fault's lines in each. They are empty where only features were given.
    """

    features: Features
    excess: np.ndarray
    analyses: tuple[Analysis, ...] = ()
    levels: tuple[Levels, ...] = ()
    lines: tuple[dict[str, float], ...] = ()


class HealthyRecording(NamedTuple):
    """What one recording of a healthy machine was like: see Healthy. Its analysis is None where it was not kept."""

    features: Features
    levels: Levels
    lines: dict[str, float]
    analysis: Analysis | None = None


class Change(NamedTuple):
    """How a recording differs from the healthy machine.

    odds (windows,): log-odds of damage. words: the largest changes, empty where there is none. uniform: whether the
    level alone changed, and alike in all bands, which gain and mounting do too. jump: whether it did so by more than
    damage does. named: whether anything but the change speaks for a fault and names its type.
    """

    odds: np.ndarray
    words: str
    uniform: bool
    jump: bool
    named: bool


class BaselineError(ValueError):
    """Why recordings cannot be a healthy baseline."""


def describe_baseline(baseline: Sequence[Recording], bearing: Bearing, limits: Thresholds) -> Healthy:
    """Describe recordings of the healthy machine. Raises BaselineError where they are unfit or last too few seconds."""
    try:
        signals = [check_recording(each) for each in baseline]
    except ValueError as error:
        raise BaselineError(f"the healthy baseline cannot be used: {error}") from error
    check_seconds(sum(each.seconds for each in baseline), limits.baseline)
    described = [describe_healthy(*each, bearing, limits) for each in zip(baseline, signals, strict=True)]
    return join_healthy(described, limits.baseline)


def describe_healthy(
    recording: Recording, signal: np.ndarray, bearing: Bearing, limits: Thresholds
) -> HealthyRecording:  # fmt: skip
    """Describe one recording of the healthy machine, however short. Raises BaselineError where it is unfit.

    signal (samples,) is what check_recording returns of it.
    """
    reason = find_defect(signal, recording.sampling_rate, limits.checks)
    reason = reason or find_hindrance(recording, bearing, limits)
    if reason:
        raise BaselineError(f"the healthy baseline cannot be used: {reason}")
    factor, evidence = read_lines(recording, signal, bearing.orders, limits)
    recording = replace(recording, rpm=recording.rpm * factor)
    analysis = analyse(recording, signal, bearing.orders, limits.checks).averaged()
    levels = measure_levels(recording, signal, limits.checks.least_variation)
    lines = {line.fault: line.excess for line in evidence.lines}
    return HealthyRecording(analysis.features, levels, lines, analysis)


def join_healthy(recordings: Sequence[HealthyRecording], limits: Baseline) -> Healthy:
    """Return what a machine was like in all of these recordings together, in their order."""
    return to_healthy(concatenate([each.features for each in recordings]), limits)._replace(
        analyses=tuple(each.analysis for each in recordings if each.analysis),
        levels=tuple(each.levels for each in recordings),
        lines=tuple(each.lines for each in recordings),
    )


def check_seconds(seconds: float, limits: Baseline) -> None:
    if seconds < limits.seconds:
        raise BaselineError(
            f"the healthy baseline lasts {seconds:.3g} s, expected {limits.seconds:g} s or more: "
            "from less, the spread of a healthy machine cannot be told"
        )


def to_healthy(features: Features, limits: Baseline) -> Healthy:
    return Healthy(features, np.maximum(features.lines.mean(axis=0) - limits.quiet_line, 0))


def change_odds(
    networks: list[dict[str, np.ndarray]], healthy: Healthy, features: Features, limits: Thresholds
) -> np.ndarray:
    """Return the log-odds of damage (windows,) from features alone, where no level is known."""
    return find_change(networks, healthy, features, limits).odds


def find_change(
    networks: list[dict[str, np.ndarray]],
    healthy: Healthy,
    features: Features,
    limits: Thresholds,
    levels: Levels | None = None,
    growth: dict[str, float] | None = None,
    alone: float = 0.0,
) -> Change:
    """Return how a recording differs from the healthy machine; its damage's odds follow the largest change.

    Compared are the levels in the recording's own unit, the envelopes' moments, the spectrum's shape, the line
    networks' log-odds, if there are any, after the lines that the healthy machine has were taken away, and the
    line_growth of each fault.
    alone is the probability of a fault without the baseline.
    """
    size, past = limits.baseline, healthy.features
    counts = [len(each.bands) for each in healthy.levels] or [len(past.moments)]
    wider = widening(independent_windows(counts), size)
    moments = standardise(features.moments, past.moments, size.least_spread_moment) / wider / size.change_moment
    spectrum = standardise(features.spectrum, past.spectrum, size.least_spread_spectrum) / wider
    shape = np.sqrt(np.square(spectrum).mean(axis=1)) / size.change_spectrum
    lines = np.maximum(
        line_change(networks, healthy, features, size), max((growth or {}).values(), default=0) / size.change_growth
    )
    largest = np.max([lines, moments.max(axis=1), shape], axis=0)
    said = [
        (lines.mean(), describe_growth(growth or {})),
        describe_moments(features, past, moments),
        (shape.mean(), describe_shape(spectrum)),
    ]
    uniform = jump = False
    if levels and healthy.levels:
        change = compare_levels(levels, healthy.levels, size)
        uniform = bool(largest.mean() < 1 and (change.departures() < size.change_level).all())
        jump = uniform and abs(change.overall.mean()) * DECIBELS > size.unit_jump
        largest = largest if jump else np.maximum(largest, change.spreads() / size.change_level)
        said += describe_levels(change, size)
    odds = np.clip(size.steepness * (largest - 1), -limits.experts.limit, limits.experts.limit)
    words = largest_changes(said) if jump or odds.mean() > 0 else ""
    return Change(odds, words, uniform, jump, not uniform and (lines.mean() > 1 or alone > limits.decision.fault))


def line_change(
    networks: list[dict[str, np.ndarray]], healthy: Healthy, features: Features, size: Baseline
) -> np.ndarray:
    if not networks:
        return np.zeros(len(features.lines))
    before = line_fault_odds(networks, healthy.features, healthy.excess)
    return (line_fault_odds(networks, features, healthy.excess) - before.mean()) / size.change_lines


def line_growth(present: dict[str, float], healthy: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return by how much the lines of each fault grew: the less of their excess and of its rise over the healthy
    recordings' largest. An excess is a fault's comb over the largest decoy; above 1 it is significant."""
    return {
        fault: min(excess, excess - max((each[fault] for each in healthy), default=0))
        for fault, excess in present.items()
    }


def describe_growth(growth: dict[str, float]) -> str:
    """Return in words which lines grew most, and by how much where a line_growth says so."""
    fault = max(growth, key=growth.get, default="")
    if not fault or growth[fault] <= 0:
        return "lines of a fault rose"
    return f"lines of {fault} {growth[fault]:.1f} deviations higher than healthy"


def describe_moments(features: Features, past: Features, alarms: np.ndarray) -> tuple[float, str]:
    """Return (alarms, words) of the band in which the impulsiveness rose most; alarms (windows, bands)."""
    alarms = alarms.mean(axis=0)
    band = int(alarms.argmax())
    times = np.exp(features.moments[:, band].mean() - past.moments[:, band].mean())
    low, high = BANDS[band]
    return float(alarms[band]), f"impulsiveness in {low:,} to {high:,} Hz {times:.1f} times healthy"


def describe_shape(spreads: np.ndarray) -> str:
    """Return in words by how much a spectrum's shape changed; spreads (windows, bands)."""
    return f"shape of the spectrum {np.sqrt(np.square(spreads).mean()):.1f} spreads from healthy"


def largest_changes(said: list[tuple[float, str]]) -> str:
    """Return the words of the largest changes, all of an alarm's size but for the first."""
    ranked = sorted(said, key=lambda each: -each[0])
    return ", ".join(words for place, (alarms, words) in enumerate(ranked[:NAMED_CHANGES]) if alarms > 1 or not place)


def name_change(prediction: str, reason: str, change: Change) -> tuple[str, str]:
    """Return a recording's prediction and reason with what the change says."""
    if change.jump:
        return UNKNOWN, f"unit, gain or mounting changed? {change.words}, alike in all bands; nothing else changed"
    if not change.words or (change.named and prediction in FAULTS):
        return prediction, reason
    if prediction == UNKNOWN and not change.uniform:
        return UNKNOWN, f"changed from healthy: {change.words}; {reason}"
    return UNKNOWN, (
        f"changed from healthy: {change.words}; no fault's lines: damage of unknown type, or gain and mounting"
    )


def name_window(prediction: str, change: Change) -> str:
    """Return a window's prediction, unknown where nothing but the change says that there is a fault."""
    return UNKNOWN if change.jump or (prediction in FAULTS and not change.named) else prediction


def line_fault_odds(networks: list[dict[str, np.ndarray]], features: Features, excess: np.ndarray) -> np.ndarray:
    without = features._replace(lines=features.lines - excess)
    logits = np.mean([network_logits(network, without) for network in networks], axis=0)
    faults = [CLASSES.index(name) for name in CLASSES if name != "Normal"]
    return log_sum_exp(logits[:, faults], axis=1) - logits[:, CLASSES.index("Normal")]


def standardise(present: np.ndarray, healthy: np.ndarray, least_spread: float) -> np.ndarray:
    return (present - healthy.mean(axis=0)) / np.maximum(healthy.std(axis=0), least_spread)
