import numpy as np
import pytest
import torch
from scipy import signal

from model.window.front_end import FrontEnd, low_pass_taps


def scale(windows: np.ndarray, *args) -> np.ndarray:
    with torch.inference_mode():
        return FrontEnd(*args)(torch.from_numpy(windows.astype(np.float32))).numpy()


@pytest.mark.parametrize(("taps", "band_limit"), [(101, 5000), (51, 3000), (201, 1000)])
def test_the_filter_is_the_textbook_window_design(taps, band_limit):
    symmetric = signal.firwin(taps, band_limit, fs=12_000, window=("general_hamming", 0.54))
    np.testing.assert_allclose(low_pass_taps(band_limit, 12_000, taps), symmetric, atol=1e-12)


def test_the_filter_passes_below_the_limit_halves_at_it_and_stops_above():
    frequency, response = signal.freqz(low_pass_taps(5000, 12_000, 101), worN=6001, fs=12_000, include_nyquist=True)
    decibel = 20 * np.log10(np.maximum(np.abs(response), 1e-12))
    assert np.abs(decibel[frequency <= 4800]).max() < 0.05
    assert decibel[5000] == pytest.approx(-6, abs=0.1)
    assert decibel[frequency >= 5250].max() < -50


@pytest.mark.parametrize("length", [2048, 2000, 1024, 333, 32])
def test_the_strided_bank_gives_the_samples_of_the_plain_filter(length, noise):
    windows = noise.standard_normal((3, length))
    front_end = FrontEnd(5000, 12_000, 101)
    with torch.inference_mode():
        filtered = front_end.limit_band(torch.from_numpy(windows.astype(np.float32))).numpy()
    taps = low_pass_taps(5000, 12_000, 101)
    expected = np.stack([np.convolve(window, taps)[50 : 50 + length] for window in windows])
    np.testing.assert_allclose(filtered, expected, atol=2e-6)


@pytest.mark.parametrize("limits", [(), (5000, 12_000, 101)])
def test_a_scaled_window_has_mean_0_and_variance_1_dividing_by_n(limits, noise):
    scaled = scale(noise.standard_normal((4, 2048)) * 7 + 3, *limits).astype(np.float64)
    np.testing.assert_allclose(scaled.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=1), 1, atol=1e-5)


def test_without_a_limit_it_is_numpys_z_score(noise):
    windows = noise.standard_normal((4, 2048)).astype(np.float32) * 0.1
    expected = (windows - windows.mean(axis=1, keepdims=True)) / windows.std(axis=1, keepdims=True)
    np.testing.assert_allclose(scale(windows), expected, atol=1e-5)


@pytest.mark.parametrize("factor", [1e-30, 1e-6, 1e6, 1e37])
def test_amplitude_makes_no_difference(factor, noise):
    windows = noise.standard_normal((4, 2048))
    limits = (5000, 12_000, 101)
    np.testing.assert_allclose(scale(windows * factor, *limits), scale(windows, *limits), atol=1e-4)


def test_an_offset_makes_no_difference(noise):
    windows = noise.standard_normal((4, 2048))
    limits = (5000, 12_000, 101)
    np.testing.assert_allclose(scale(windows + 20, *limits), scale(windows, *limits), atol=1e-4)


def test_a_tone_above_the_limit_leaves_less_than_a_thousandth():
    time = np.arange(2048) / 12_000
    low, high = np.sin(2 * np.pi * 1000 * time), np.sin(2 * np.pi * 5600 * time)
    inside = slice(100, -100)  # the tone's abrupt ends are not a tone
    difference = scale((low + high)[None], 5000, 12_000, 101) - scale(low[None], 5000, 12_000, 101)
    assert np.abs(difference[:, inside]).max() < 5e-3


@pytest.mark.parametrize("limits", [(5000, 12_000, 100), (6000, 12_000, 101), (0, 12_000, 101), (5000, None, 101)])
def test_an_impossible_filter_is_refused(limits):
    with pytest.raises(ValueError, match=r"expected|not given"):
        FrontEnd(*limits)
