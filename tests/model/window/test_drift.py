import numpy as np
import pytest

from model.window.drift import log_roughness


def test_white_noise_has_a_ratio_of_two(noise):
    assert np.exp(log_roughness(noise.standard_normal((50, 20_000)))) == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("frequency", [0.01, 0.1, 0.25, 0.5])
def test_a_tone_has_the_ratio_that_follows_from_its_frequency(frequency):
    # x = cos(2 pi f n): mean square of steps over variance = 2 (1 - cos 2 pi f)
    tone = np.cos(2 * np.pi * frequency * np.arange(20_000) + 0.3)[None]
    assert np.exp(log_roughness(tone)) == pytest.approx(2 * (1 - np.cos(2 * np.pi * frequency)), rel=2e-2)


def test_neither_unit_nor_offset_matters_but_the_rate_does(noise):
    windows = np.cumsum(noise.standard_normal((3, 4_000)), axis=1)
    expected = log_roughness(windows)
    np.testing.assert_allclose(log_roughness(1e20 * windows.astype(np.float32)), expected, atol=1e-3)
    np.testing.assert_allclose(log_roughness(windows + 1_000), expected, atol=1e-3)
    assert (log_roughness(windows[:, ::4]) > expected + 0.5).all()
