import numpy as np
import pytest

from model.recording.lines import window_length
from model.recording.spectra import BANDS, SURROUNDINGS, prominence, squared_envelope, transform_windows


def test_the_squared_envelope_of_a_modulated_tone_is_its_modulation():
    time = np.arange(8_192) / 12_000
    tone = (1 + 0.5 * np.cos(2 * np.pi * 60 * time)) * np.sin(2 * np.pi * 3_300 * time)
    envelope = squared_envelope(np.fft.rfft(tone)[None], 12_000 / 8_192, BANDS[6])[0]
    at = np.arange(len(envelope)) * 8_192 / 12_000 / len(envelope)
    expected = (1 + 0.5 * np.cos(2 * np.pi * 60 * at)) ** 2
    inner = slice(len(at) // 10, -len(at) // 10)
    np.testing.assert_allclose(envelope[inner], (expected / expected.mean())[inner], atol=0.05)


def test_a_modulated_tone_has_the_envelope_spectrum_that_follows_from_its_modulation():
    # x = (1 + m cos a) cos b: squared envelope (1 + m cos a)^2, over its mean 1 + m^2 / 2: lines 2 m and m^2 / 2.
    rate, depth, samples = 12_000, 0.4, window_length(12_000)
    time = np.arange(samples) / rate
    modulation, carrier = 60 * rate / samples, 2_500 / 12_000 * samples // 1 * rate / samples
    signal = (1 + depth * np.cos(2 * np.pi * modulation * time)) * np.cos(2 * np.pi * carrier * time)
    spectrum = transform_windows(signal[None], rate).envelopes[BANDS.index((2_000, 4_900))][0]
    mean = 1 + depth**2 / 2
    assert spectrum[60] == pytest.approx(2 * depth / mean, rel=2e-3)
    assert spectrum[120] == pytest.approx(depth**2 / 2 / mean, rel=2e-2)
    assert spectrum[[30, 90, 150]].max() < 1e-3


def test_no_spectrum_depends_on_the_amplitude(noise):
    windows = noise.standard_normal((3, 8_192))
    expected, louder = transform_windows(windows, 12_000), transform_windows(1e9 * windows, 12_000)
    np.testing.assert_allclose(louder.transform, expected.transform, atol=1e-3)
    for mine, theirs in zip(louder.envelopes, expected.envelopes, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_a_line_stands_above_the_mean_around_it():
    spectrum = np.ones((1, 200), np.float32)
    spectrum[0, 100] = np.e
    heights = prominence(spectrum)[0]
    assert heights[100] == pytest.approx(1 - 1 / (2 * SURROUNDINGS + 1), abs=1e-5)
    assert heights[150] == pytest.approx(0, abs=1e-5)
