import numpy as np
import pytest

from model.machine.levels import ENVELOPE_BANDS, LEVEL_EDGES, cut_band, measure_levels, tapered_transform

RATE = 25_600


def test_a_tone_has_its_level_in_its_own_band():
    signal = np.sqrt(2) * 10 * np.sin(2 * np.pi * 1_200 * np.arange(RATE) / RATE)  # rms 10
    bands = measure_levels(signal, RATE).bands
    own = int(np.searchsorted(LEVEL_EDGES, 1_200)) - 1
    assert bands[own] == pytest.approx(20, abs=0.1)
    assert np.nanmax(np.delete(bands, own)) < -20


def test_the_bands_beyond_the_rate_are_unknown(noise):
    bands = measure_levels(noise.standard_normal(RATE), RATE).bands
    beyond = LEVEL_EDGES[1:] > 0.47 * RATE
    np.testing.assert_array_equal(np.isnan(bands), beyond)


def test_the_transform_keeps_the_power(noise):
    signal = noise.standard_normal(RATE)
    transform, spacing = tapered_transform(signal - signal.mean(), RATE)
    assert np.square(np.abs(transform)).sum() == pytest.approx(1, rel=0.03)
    assert spacing == 1


def test_noise_has_the_moment_of_noise_and_impacts_more(noise):
    signal = noise.standard_normal(RATE)
    np.testing.assert_allclose(measure_levels(signal, RATE).moments, np.log(2), atol=0.05)
    signal[:: RATE // 30] += 40
    assert (measure_levels(signal, RATE).moments > 1).all()


def test_a_band_that_the_rate_cuts_below_a_kilohertz_is_left_out():
    assert cut_band(ENVELOPE_BANDS[-1], 25_600) == (7_500, 12_000)
    assert cut_band(ENVELOPE_BANDS[-1], 20_000) == (7_500, 9_400)
    assert cut_band(ENVELOPE_BANDS[-1], 16_000) is None
