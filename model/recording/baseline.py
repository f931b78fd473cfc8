"""What a healthy machine was like, and how far a recording has changed from it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.bearings import Bearing
from model.recording.checks import check_recording, find_defect, find_hindrance
from model.recording.classes import CLASSES
from model.recording.experts import LIMIT, log_sum_exp, network_logits
from model.recording.lines import Features, concatenate
from model.recording.recording import Recording
from model.recording.windows import cut, describe_in_parts

BASELINE_SECONDS = 10.0
QUIET_LINE = 0.55  # height of a line where there is nothing but noise
CHANGE = {"lines": 3.0, "moment": 8.0, "spectrum": 3.0}  # a change from healthy of this size counts as damage
LEAST_SPREAD = {"moment": 0.1, "spectrum": 0.35}  # natural logarithm; a short baseline spreads too little
STEEPNESS = 3.0  # log-odds a unit of change


class Healthy(NamedTuple):
    """What a machine was like when it was healthy: features of its windows, and the lines it had then."""

    features: Features
    excess: np.ndarray


def describe_baseline(baseline: Sequence[Recording], bearing: Bearing) -> Healthy:
    """Describe recordings of the healthy machine. Raises ValueError for too few seconds."""
    try:
        checked = [(check_recording(each), each.sampling_rate, each.rpm) for each in baseline]
    except ValueError as error:
        raise ValueError(f"the healthy baseline cannot be used: {error}") from error
    seconds = sum(each.seconds for each in baseline)
    if seconds < BASELINE_SECONDS:
        raise ValueError(
            f"the healthy baseline lasts {seconds:.3g} s, expected {BASELINE_SECONDS:g} s or more: "
            "from less, the spread of a healthy machine cannot be told"
        )
    for signal, rate, rpm in checked:
        reason = find_defect(signal, rate) or find_hindrance(rpm, bearing)
        if reason:
            raise ValueError(f"the healthy baseline cannot be used: {reason}")
    parts = [describe_in_parts(cut(signal, rate)[1], rate, rpm / 60, bearing.orders) for signal, rate, rpm in checked]
    return to_healthy(concatenate(parts))


def to_healthy(features: Features) -> Healthy:
    return Healthy(features, np.maximum(features.lines.mean(axis=0) - QUIET_LINE, 0))


def change_odds(networks: list[dict[str, np.ndarray]], healthy: Healthy, features: Features) -> np.ndarray:
    """Return the log-odds of damage (windows,) from the largest change against the healthy machine.

    Compared are the line network's log-odds, after the lines that the healthy machine has were taken away, the
    envelopes' moments, and the spectrum.
    """
    before = line_fault_odds(networks, healthy.features, healthy.excess)
    lines = line_fault_odds(networks, features, healthy.excess) - before.mean()
    moment = standardise(features.moments, healthy.features.moments, LEAST_SPREAD["moment"]).max(axis=1)
    spectrum = standardise(features.spectrum, healthy.features.spectrum, LEAST_SPREAD["spectrum"])
    changes = {"lines": lines, "moment": moment, "spectrum": np.sqrt(np.square(spectrum).mean(axis=1))}
    largest = np.max([change / CHANGE[name] for name, change in changes.items()], axis=0)
    return np.clip(STEEPNESS * (largest - 1), -LIMIT, LIMIT)


def line_fault_odds(networks: list[dict[str, np.ndarray]], features: Features, excess: np.ndarray) -> np.ndarray:
    without = features._replace(lines=features.lines - excess)
    logits = np.mean([network_logits(network, without) for network in networks], axis=0)
    faults = [CLASSES.index(name) for name in CLASSES if name != "Normal"]
    return log_sum_exp(logits[:, faults], axis=1) - logits[:, CLASSES.index("Normal")]


def standardise(present: np.ndarray, healthy: np.ndarray, least_spread: float) -> np.ndarray:
    return (present - healthy.mean(axis=0)) / np.maximum(healthy.std(axis=0), least_spread)
