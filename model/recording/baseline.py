"""What a healthy machine was like, and how far a recording has changed from it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.bearings import Bearing
from model.recording.checks import check_recording, find_defect, find_hindrance
from model.recording.classes import CLASSES
from model.recording.experts import log_sum_exp, network_logits
from model.recording.lines import Features, concatenate
from model.recording.recording import Recording
from model.recording.thresholds import Baseline, Thresholds
from model.recording.windows import Analysis, analyse


class Healthy(NamedTuple):
    """What a machine was like when it was healthy.

    features: of the windows of all its recordings. excess (bands, lines): by how much lines stood above quiet ones
    then. analyses: of each recording, with averaged envelope spectra; none where only features were given.
    """

    features: Features
    excess: np.ndarray
    analyses: tuple[Analysis, ...] = ()


def describe_baseline(baseline: Sequence[Recording], bearing: Bearing, limits: Thresholds) -> Healthy:
    """Describe recordings of the healthy machine. Raises ValueError where they are unfit, or last too few seconds."""
    try:
        signals = [check_recording(each) for each in baseline]
    except ValueError as error:
        raise ValueError(f"the healthy baseline cannot be used: {error}") from error
    check_seconds(sum(each.seconds for each in baseline), limits.baseline)
    analyses = []
    for recording, signal in zip(baseline, signals, strict=True):
        reason = find_defect(signal, recording.sampling_rate, limits.checks)
        reason = reason or find_hindrance(recording.rpm, bearing, limits.checks)
        if reason:
            raise ValueError(f"the healthy baseline cannot be used: {reason}")
        analyses.append(analyse(recording, signal, bearing.orders, limits.checks.highest_line).averaged())
    healthy = to_healthy(concatenate([analysis.features for analysis in analyses]), limits.baseline)
    return healthy._replace(analyses=tuple(analyses))


def check_seconds(seconds: float, limits: Baseline) -> None:
    if seconds < limits.seconds:
        raise ValueError(
            f"the healthy baseline lasts {seconds:.3g} s, expected {limits.seconds:g} s or more: "
            "from less, the spread of a healthy machine cannot be told"
        )


def to_healthy(features: Features, limits: Baseline) -> Healthy:
    return Healthy(features, np.maximum(features.lines.mean(axis=0) - limits.quiet_line, 0))


def change_odds(
    networks: list[dict[str, np.ndarray]], healthy: Healthy, features: Features, limits: Thresholds
) -> np.ndarray:
    """Return the log-odds of damage (windows,) from the largest change against the healthy machine.

    Compared are the line network's log-odds, after the lines that the healthy machine has were taken away, the
    envelopes' moments, and the spectrum.
    """
    size, past = limits.baseline, healthy.features
    before = line_fault_odds(networks, past, healthy.excess)
    lines = line_fault_odds(networks, features, healthy.excess) - before.mean()
    moment = standardise(features.moments, past.moments, size.least_spread_moment).max(axis=1)
    spectrum = standardise(features.spectrum, past.spectrum, size.least_spread_spectrum)
    spectrum = np.sqrt(np.square(spectrum).mean(axis=1))
    largest = np.max([lines / size.change_lines, moment / size.change_moment, spectrum / size.change_spectrum], axis=0)
    return np.clip(size.steepness * (largest - 1), -limits.experts.limit, limits.experts.limit)


def line_fault_odds(networks: list[dict[str, np.ndarray]], features: Features, excess: np.ndarray) -> np.ndarray:
    without = features._replace(lines=features.lines - excess)
    logits = np.mean([network_logits(network, without) for network in networks], axis=0)
    faults = [CLASSES.index(name) for name in CLASSES if name != "Normal"]
    return log_sum_exp(logits[:, faults], axis=1) - logits[:, CLASSES.index("Normal")]


def standardise(present: np.ndarray, healthy: np.ndarray, least_spread: float) -> np.ndarray:
    return (present - healthy.mean(axis=0)) / np.maximum(healthy.std(axis=0), least_spread)
