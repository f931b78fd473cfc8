import numpy as np
import pandas as pd
import pytest
import yaml

from model.recording.classes import CLASSES
from model.recording.decision import probabilities
from model.recording.familiarity import relative_distance, spectral_familiarity
from model.recording.lines import Features
from model.recording.thresholds import Thresholds
from model.thresholds import read_thresholds
from pipeline.training.line_network import train_line_network
from pipeline.training.recording import (
    bearing_of,
    bearing_weights,
    best_temperature,
    fit_head,
    fit_recording_diagnosis,
    fit_spectra,
    inner_folds,
)
from tests.conftest import ROOT

TRAINING = {
    "network": {"hidden": 16, "pooled": 8, "head": 8}, "steps": 200, "batch_size": 64, "learning_rate": 5e-3,
    "weight_decay": 0.01, "dropout": 0.1, "jitter": 0.1, "least_bands": 3, "quiet_line": 0.55,
}  # fmt: skip
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
SPECTRA, THRESHOLDS = PARAMS["diagnosis"]["spectra"], read_thresholds(Thresholds, PARAMS["thresholds"])
FITTING = (0.2, SPECTRA, THRESHOLDS)
LIMITS = THRESHOLDS.familiarity


def make_metadata() -> pd.DataFrame:
    rows = [
        (f"{label}{diameter}{hp}", label, diameter, hp)
        for label in ("Ball", "InnerRace", "OuterRace")
        for diameter in (0.007, 0.014)
        for hp in (0, 1)
    ] + [(f"Normal{hp}", "Normal", np.nan, hp) for hp in (0, 1)]
    names = ["recording", "label", "fault_diameter", "load_hp"]
    return pd.DataFrame([row for row in rows for _ in range(6)], columns=names)


def make_features(metadata: pd.DataFrame, noise: np.random.Generator) -> Features:
    """Every fault has lines of its own and healthy bearings none; every bearing has a spectrum of its own."""
    windows = len(metadata)
    lines = noise.normal(0.5, 0.3, (windows, 7, 60))
    for number, label in enumerate(("Ball", "InnerRace", "OuterRace")):
        lines[(metadata.label == label).to_numpy(), :, 10 * number : 10 * number + 10] += 2
    numbers = bearing_of(metadata).rank(method="dense").to_numpy()
    spectrum = noise.normal(0, 0.2, (windows, 32)) + 0.5 * np.sin(np.outer(numbers, np.arange(32)))
    spectrum[(metadata.label == "Normal").to_numpy()] += np.linspace(-3, 3, 32)
    moments, shape = noise.normal(0.7, 0.1, (windows, 7)), noise.normal(1, 0.1, (windows, 2))
    combs = noise.normal(0.8, 0.1, (windows, 4))
    return Features(*(each.astype(np.float32) for each in (lines, moments, spectrum, shape, combs)))


@pytest.fixture
def metadata():
    return make_metadata()


@pytest.fixture
def networks(metadata, noise):
    features = make_features(metadata, noise)
    return [train_line_network(features, metadata.label.to_numpy(), 0, **TRAINING)]


def test_what_it_was_shown_it_knows_again(metadata, networks, noise):
    clean, augmented, new = (make_features(metadata, noise) for _ in range(3))
    diagnosis = fit_recording_diagnosis(networks, clean, augmented, metadata, *FITTING)
    answers = diagnosis.probabilities(new, diagnosis.ask_networks(new), relative_distance(diagnosis.spectra, new))
    assert (np.array(CLASSES)[answers.argmax(axis=1)] == metadata.label).mean() > 0.97


def test_shuffled_labels_teach_the_heads_nothing(metadata, noise):
    clean, new = make_features(metadata, noise), make_features(metadata, noise)
    target = (metadata.label == "Ball").to_numpy()
    shuffled = noise.permutation(target)
    right = []
    for taught in (target, shuffled):
        head = fit_head(clean.spectrum, taught, np.ones(len(target)), 0.2)
        odds = new.spectrum @ head.weight + head.bias
        right.append(((odds > np.median(odds[target])) == target)[~target].mean())
    assert right[0] > 0.9
    assert right[1] < 0.75


def test_the_seed_fixes_every_weight(metadata, noise):
    features = make_features(metadata, noise)
    labels = metadata.label.to_numpy()
    first, again, other = (train_line_network(features, labels, seed, **TRAINING) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["band_in.weight"], other["band_in.weight"])


def test_no_inner_fold_tries_a_bearing_or_a_recording_that_it_trained(metadata):
    folds = list(inner_folds(metadata))
    assert len(folds) == 6
    bearing = bearing_of(metadata)
    for training, tried in folds:
        assert not set(metadata.recording[training]) & set(metadata.recording[tried])
        faulty = metadata.label != "Normal"
        assert not set(bearing[training & faulty]) & set(bearing[tried & faulty])
        assert set(metadata.label[training]) == set(CLASSES)


def test_only_what_is_given_is_learned(metadata, networks, noise):
    """The diagnosis of a training side is the same whatever the hold-out holds: nothing of it is looked at."""
    clean, augmented = make_features(metadata, noise), make_features(metadata, noise)
    training = (metadata.fault_diameter != 0.014).to_numpy()
    part = metadata[training]
    first = fit_recording_diagnosis(networks, clean.select(training), augmented.select(training), part, *FITTING)
    for features in (clean, augmented):
        for feature in features:
            feature[~training] = noise.normal(0, 100, feature[~training].shape)
    again = fit_recording_diagnosis(networks, clean.select(training), augmented.select(training), part, *FITTING)
    assert first.temperature == again.temperature
    for one, two in zip(first.heads["ball"], again.heads["ball"], strict=True):
        np.testing.assert_array_equal(one.weight, two.weight)
    np.testing.assert_array_equal(first.spectra.centres, again.spectra.centres)


def test_sides_count_alike_then_bearings_then_windows(metadata):
    side = (metadata.label == "Ball").to_numpy()
    weight = bearing_weights(metadata, side)
    assert weight.mean() == pytest.approx(1)
    assert weight[side].sum() == pytest.approx(weight[~side].sum())
    others = pd.Series(weight[~side]).groupby(bearing_of(metadata)[~side].to_numpy()).sum()
    assert np.ptp(others) == pytest.approx(0, abs=1e-9)


def test_a_side_that_is_missing_leaves_no_opinion(noise):
    head = fit_head(noise.standard_normal((10, 3)), np.ones(10, bool), np.ones(10), 0.2)
    assert head.bias == 0
    assert not head.weight.any()


def test_the_folded_standardisation_is_the_plain_one(noise):
    values = noise.normal(5, 3, (200, 4))
    target = values[:, 0] + 0.1 * noise.standard_normal(200) > 5
    head = fit_head(values, target, np.ones(200), 100.0)
    assert ((values @ head.weight + head.bias > 0) == target).mean() > 0.95


def test_the_temperature_brings_confidence_to_the_share_that_is_right(noise):
    answers = noise.dirichlet(np.ones(4) * 2, 4_000)
    truth = np.array(CLASSES)[[noise.choice(4, p=row**2 / (row**2).sum()) for row in answers]]
    # The truth is drawn from the squares: the answers are half as sure as they should be.
    assert best_temperature(answers, np.zeros(4_000), truth, np.ones(4_000), LIMITS) == pytest.approx(0.5, abs=0.06)


def test_a_spectrum_of_training_is_familiar_and_another_is_not(metadata, noise):
    features = make_features(metadata, noise)
    spectra = fit_spectra(features, None, metadata, LIMITS, **SPECTRA)
    near = relative_distance(spectra, features)
    far = relative_distance(spectra, features._replace(spectrum=features.spectrum[:, ::-1] * 4 + 3))
    assert spectral_familiarity(near, LIMITS).min() == 1
    assert spectral_familiarity(far, LIMITS).max() == 0
    assert (np.diff(spectra.novelties) >= 0).all()


def test_noise_alone_does_not_make_a_machine_unfamiliar(metadata, noise):
    clean, noisy = make_features(metadata, noise), make_features(metadata, noise)
    noisy = noisy._replace(spectrum=0.3 * noisy.spectrum)  # white noise on top flattens a spectrum
    without, beside = (fit_spectra(clean, each, metadata, LIMITS, **SPECTRA) for each in (None, noisy))
    assert relative_distance(beside, noisy).mean() < relative_distance(without, noisy).mean()
    far = clean._replace(spectrum=clean.spectrum[:, ::-1] * 4 + 3)
    assert spectral_familiarity(relative_distance(beside, far), LIMITS).max() == 0


def test_probabilities_of_the_experts_sum_to_one(metadata, networks, noise):
    features = make_features(metadata, noise)
    diagnosis = fit_recording_diagnosis(networks, features, features, metadata, *FITTING)
    odds = diagnosis.odds(features, diagnosis.ask_networks(features), relative_distance(diagnosis.spectra, features))
    np.testing.assert_allclose(probabilities(odds).sum(axis=1), 1)
