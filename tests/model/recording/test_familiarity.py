import numpy as np
import pytest

from model.recording.familiarity import (
    DISTANCES,
    Spectra,
    familiarity,
    novelty,
    relative_distance,
    spectral_familiarity,
    spectral_share,
)
from tests.model.recording.machines import random_features


def make_spectra(centres, novelties=(0.0, 1.0, 2.0)) -> Spectra:
    return Spectra(centres, np.ones(len(centres)), np.ones(centres.shape[1]), 2.0, np.array(novelties))


def test_the_distance_is_that_from_the_nearest_spectrum_in_familiar_distances(noise):
    features = random_features(noise, windows=3)
    seen = np.concatenate([features.spectrum, features.shape], axis=1)
    spectra = make_spectra(np.stack([seen[0] + 3.0, seen[0] + 100.0]))
    assert relative_distance(spectra, features)[0] == pytest.approx(3.0 / 2.0, rel=1e-5)
    stretched = Spectra(spectra.centres, np.array([2.0, 1.0]), spectra.spread, 2.0, spectra.novelties)
    assert relative_distance(stretched, features)[0] == pytest.approx(3.0, rel=1e-5)


def test_many_windows_are_compared_in_parts_that_change_nothing(diagnosis, noise):
    features = random_features(noise, windows=3 * DISTANCES + 5)
    together = relative_distance(diagnosis.spectra, features)
    some = (0, DISTANCES + 7, 3 * DISTANCES + 4)
    alone = [relative_distance(diagnosis.spectra, features.select(slice(i, i + 1))) for i in some]
    np.testing.assert_allclose(together[list(some)], np.concatenate(alone), rtol=1e-6)


def test_the_word_of_a_spectrum_fades_out_with_its_distance(thresholds):
    limits = thresholds.familiarity
    np.testing.assert_allclose(spectral_familiarity(np.array([0.0, 0.8, 0.9, 1.0, 5.0]), limits), [1, 1, 0.5, 0, 0])
    np.testing.assert_allclose(spectral_share(np.array([0.0, 0.4, 0.6, 1.0]), limits), [0.9, 0.7, 0.5, 0.0])


def test_lines_that_no_fault_explains_are_novel(thresholds):
    combs = np.array([[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 3.0]])
    known, foreign = novelty(1.0, combs, thresholds.familiarity)
    assert (known, foreign) == (1.5, 2.5)


def test_familiarity_is_the_share_of_trainings_windows_that_are_at_least_as_novel(thresholds):
    spectra, combs = make_spectra(np.zeros((1, 34)), np.linspace(0, 4, 5)), np.ones((3, 4))
    limits = thresholds.familiarity
    shares = familiarity(spectra, np.array([0.0, 1.0, 100.0]) / limits.spectrum_novelty, combs, limits)
    np.testing.assert_allclose(shares, [1.0, 0.75, 0.0])
