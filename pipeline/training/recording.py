"""Training of the recording diagnosis: heads, spectra and temperature, on real recordings."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from model.recording.classes import CLASSES
from model.recording.decision import calibrate, probabilities
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.experts import HEAD_FEATURES, Head, spectral_features
from model.recording.familiarity import Spectra, novelty, relative_distance, spectral_distance
from model.recording.lines import Features, concatenate
from model.recording.thresholds import Familiarity, Thresholds

SIDES = {  # of each decision: the labels that speak for it and against it
    "fault": (("Ball", "InnerRace", "OuterRace"), ("Normal",)),
    "ball": (("Ball",), ("InnerRace", "OuterRace")),
    "outer": (("OuterRace",), ("InnerRace",)),
}
QUANTILES = 101  # of the novelty
TEMPERATURES = np.geomspace(0.1, 3, 60)


def fit_recording_diagnosis(
    networks: list[dict[str, np.ndarray]],
    clean: Features,
    augmented: Features,
    metadata: pd.DataFrame,
    regularisation: float,
    spectra: dict[str, float],
    thresholds: Thresholds,
) -> RecordingDiagnosis:
    """Return the diagnosis whose heads, spectra and temperature come from these real windows and no others.

    metadata has one row a window: recording, label, fault_diameter, load_hp. Each window is learned clean and with
    noise. spectra are the settings of fit_spectra. The temperature is the one with the mean confidence nearest to the
    share right on bearings left out in turn.
    """
    copies = (clean, augmented)

    def fit(training: np.ndarray, temperature: float = 1.0) -> RecordingDiagnosis:
        parts, rows = [copy.select(training) for copy in copies], metadata[training]
        heads = fit_heads(*parts, rows, regularisation)
        seen = fit_spectra(*parts, rows, thresholds.familiarity, **spectra)
        return RecordingDiagnosis(networks, heads, seen, temperature, thresholds)

    held_out, distance, truth, weight = [], [], [], []
    for training, tried in inner_folds(metadata):
        diagnosis, part = fit(training), clean.select(tried)
        relative = relative_distance(diagnosis.spectra, part)
        held_out.append(probabilities(diagnosis.odds(part, diagnosis.ask_networks(part), relative)))
        distance.append(relative)
        truth.append(metadata.label[tried])
        weight.append(bearing_weights(metadata[tried], metadata.label[tried].to_numpy()))
    every = np.ones(len(metadata), bool)
    if not held_out:
        return fit(every)
    answers = map(np.concatenate, (held_out, distance, truth, weight))
    return fit(every, best_temperature(*answers, thresholds.familiarity))


def inner_folds(metadata: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (training, tried) masks: every faulty bearing left out in turn, with one of the healthy recordings."""
    healthy = (metadata.label == "Normal").to_numpy()
    recordings = list(dict.fromkeys(metadata.recording[healthy]))
    bearing = bearing_of(metadata)
    for number, name in enumerate(sorted(bearing[~healthy].unique())):
        tried = (bearing == name).to_numpy()
        if len(recordings) > 1:
            tried = tried | (metadata.recording == recordings[number % len(recordings)]).to_numpy()
        if set(metadata.label[~tried]) == set(metadata.label):
            yield ~tried, tried


def fit_heads(
    clean: Features, augmented: Features, metadata: pd.DataFrame, regularisation: float
) -> dict[str, list[Head]]:
    """Return the logistic heads of each decision; both sides count alike, and within a side each bearing."""
    heads = {}
    for decision, (positive, negative) in SIDES.items():
        part = metadata.label.isin(positive + negative).to_numpy()
        target = metadata.label[part].isin(positive).to_numpy()
        weight = bearing_weights(metadata[part], target)
        both = concatenate([clean.select(part), augmented.select(part)])
        heads[decision] = [
            fit_head(read(both), np.tile(target, 2), np.tile(weight, 2), regularisation)
            for read in HEAD_FEATURES[decision]
        ]
    return heads


def fit_head(values: np.ndarray, target: np.ndarray, weight: np.ndarray, regularisation: float) -> Head:
    """Return one logistic decision with the standardisation folded in; no opinion where only one side is known."""
    if target.all() or not target.any():
        return Head(np.zeros(values.shape[1], np.float32), 0.0)
    scaler = StandardScaler().fit(values)
    logistic = LogisticRegression(C=regularisation, max_iter=2_000).fit(scaler.transform(values), target, weight)
    slope = logistic.coef_[0] / scaler.scale_
    return Head(slope.astype(np.float32), float(logistic.intercept_[0] - slope @ scaler.mean_))


def bearing_weights(metadata: pd.DataFrame, side: np.ndarray) -> np.ndarray:
    """Return weights (windows,) of mean 1: sides alike, within a side bearings, within a bearing windows."""
    side_of, bearing = pd.factorize(side)[0], pd.factorize(bearing_of(metadata))[0]
    sides = side_of.max() + 1
    group = bearing * sides + side_of
    windows = np.bincount(group)[group]
    bearings = np.bincount(np.unique(group) % sides)[side_of]
    weight = 1 / (windows * bearings)
    return weight / weight.mean()


def bearing_of(metadata: pd.DataFrame) -> pd.Series:
    """Return the physical bearing of each window: fault type and size; loads and clock positions share it."""
    return metadata.label + metadata.fault_diameter.fillna(0).astype(str)


def fit_spectra(
    clean: Features,
    augmented: Features | None,
    metadata: pd.DataFrame,
    limits: Familiarity,
    familiar: float,
    noisy: int,
    noisy_stretch: float,
) -> Spectra:
    """Return the spectra seen, and how unlike all others' the windows of each bearing are when it is left out.

    familiar is the share of these windows that is to count as familiar. Each recording counts by its mean and by
    `noisy` of its noisy windows: noise alone does not make a machine unfamiliar. But spectra under noise resemble each
    other: their distance counts noisy_stretch times.
    """
    values = spectral_features(clean)
    spread = np.maximum(values.std(axis=0), 1e-3)
    recordings, bearing = metadata.recording.to_numpy(), bearing_of(metadata).to_numpy()
    centres, own, stretch = [], [], []
    for name in dict.fromkeys(recordings):
        part = recordings == name
        under_noise = noisy_spectra(augmented.select(part), noisy) if augmented else values[:0]
        seen = np.vstack([values[part].mean(axis=0), under_noise])
        centres.append(seen)
        own += [bearing[part][0]] * len(seen)
        stretch += [1.0] + [noisy_stretch] * (len(seen) - 1)
    centres, own, stretch = np.concatenate(centres), np.array(own), np.array(stretch)
    apart, combs = [], []
    for each in np.unique(own) if len(set(own)) > 1 else []:
        part = clean.select(bearing == each)
        apart.append(spectral_distance(centres[own != each], stretch[own != each], spread, part))
        combs.append(part.combs)
    if not apart:
        return Spectra(centres, stretch, spread, 1.0, np.array([np.inf, np.inf]))
    distances = np.concatenate(apart)
    nearest = float(np.quantile(distances, familiar))
    novelties = novelty(distances / nearest, np.concatenate(combs), limits)
    return Spectra(centres, stretch, spread, nearest, np.quantile(novelties, np.linspace(0, 1, QUANTILES)))


def noisy_spectra(augmented: Features, count: int) -> np.ndarray:
    """Return `count` of a recording's noisy windows, from little noise to much: the flatter the spectrum, the more."""
    values = spectral_features(augmented)
    order = np.argsort(augmented.spectrum.std(axis=1))
    return values[order[np.unique(np.linspace(0, len(order) - 1, count).round().astype(int))]]


def best_temperature(
    held_out: np.ndarray, relative: np.ndarray, truth: np.ndarray, weight: np.ndarray, limits: Familiarity
) -> float:
    """Return the temperature at which the mean confidence is the share that is right; one row a window each."""
    target = pd.Categorical(truth, CLASSES).codes
    right = np.average(held_out.argmax(axis=1) == target, weights=weight)
    confidence = [
        np.average(calibrate(held_out, temperature, relative, limits).max(axis=1), weights=weight)
        for temperature in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.abs(np.array(confidence) - right).argmin())])
