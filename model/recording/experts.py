"""The experts' log-odds: networks that read lines, trained on simulated faults, and logistic heads on real spectra."""

from typing import NamedTuple

import numpy as np

from model.recording.lines import Features
from model.recording.thresholds import Experts


class Odds(NamedTuple):
    """Natural log-odds of windows (windows,): fault against healthy, ball against race, outer against inner race."""

    fault: np.ndarray
    ball: np.ndarray
    outer: np.ndarray


class Head(NamedTuple):
    """A logistic decision on features: weight (features,), bias."""

    weight: np.ndarray
    bias: float


def network_logits(network: dict[str, np.ndarray], features: Features) -> np.ndarray:
    """Return what pipeline.training.line_network.LineNetwork with these weights returns, (windows, classes)."""
    hidden = silu(features.lines @ network["band_in.weight"].T + network["band_in.bias"])
    bands = hidden @ network["band_out.weight"].T + network["band_out.bias"]
    moments = features.moments
    extremes = np.stack([moments.max(axis=1), moments.mean(axis=1)], axis=1)
    pooled = np.concatenate([log_sum_exp(bands, axis=1), bands.mean(axis=1), extremes], axis=1)
    hidden = silu(pooled @ network["head_in.weight"].T + network["head_in.bias"])
    return hidden @ network["head_out.weight"].T + network["head_out.bias"]


def silu(values: np.ndarray) -> np.ndarray:
    return values * sigmoid(values)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * values))


def log_sum_exp(values: np.ndarray, axis: int) -> np.ndarray:
    largest = values.max(axis=axis, keepdims=True)
    return np.log(np.exp(values - largest).sum(axis=axis)) + largest.squeeze(axis)


def network_odds(networks: list[dict[str, np.ndarray]], features: Features, limits: Experts) -> Odds:
    """Return the mean log-odds of the networks that read lines, each clipped to the limit."""
    logits = [network_logits(network, features) for network in networks]
    ball, inner, normal, outer = (np.stack(column) for column in zip(*(each.T for each in logits), strict=True))
    races = np.logaddexp(inner, outer)
    faults = np.logaddexp(races, ball)
    return Odds(*(mean_clipped(odds, limits) for odds in (faults - normal, ball - races, outer - inner)))


def mean_clipped(odds: np.ndarray, limits: Experts) -> np.ndarray:
    return np.clip(odds, -limits.limit, limits.limit).mean(axis=0)


def spectral_features(features: Features) -> np.ndarray:
    return np.concatenate([features.spectrum, features.shape], axis=1)


def spectral_and_line_features(features: Features) -> np.ndarray:
    return np.concatenate([features.spectrum, features.lines.max(axis=1)], axis=1)


HEAD_FEATURES = {  # what the heads of each decision read
    "fault": (spectral_features,),
    "ball": (spectral_features, spectral_and_line_features),
    "outer": (spectral_features, spectral_and_line_features),
}


def head_odds(heads: dict[str, list[Head]], features: Features, limits: Experts) -> Odds:
    """Return the mean log-odds of the heads of each decision, each clipped to the limit."""
    odds = {}
    for decision in Odds._fields:
        pairs = zip(heads[decision], HEAD_FEATURES[decision], strict=True)
        each = [read(features) @ head.weight + head.bias for head, read in pairs]
        odds[decision] = mean_clipped(np.stack(each), limits)
    return Odds(**odds)
