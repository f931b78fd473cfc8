import numpy as np
import pytest

from pipeline.training.framing import frame, resample


@pytest.mark.parametrize("samples", [0, 7, 8, 9, 15, 16, 17, 100])
@pytest.mark.parametrize("hop_length", [1, 3, 8, 20])
def test_frames_follow_the_formula_and_drop_the_tail(samples, hop_length):
    signal = np.arange(samples)
    frames = frame(signal, 8, hop_length)
    assert len(frames) == (0 if samples < 8 else 1 + (samples - 8) // hop_length)
    for number, window in enumerate(frames):
        assert window.tolist() == list(range(number * hop_length, number * hop_length + 8))


@pytest.mark.parametrize("own_rate", [12_000, 24_000, 25_600, 48_000, 48_828])
def test_resampling_keeps_a_tone_where_it_is_in_hz(own_rate):
    time = np.arange(own_rate) / own_rate
    signal = resample(np.sin(2 * np.pi * 1000 * time), own_rate, 12_000, "1")
    assert len(signal) == 12_000
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal)))) / (len(signal) / 4)
    assert spectrum.argmax() == 1000
    assert spectrum[1000] == pytest.approx(1, abs=0.01)
    assert spectrum[1100:].max() < 1e-3


def test_resampling_removes_what_would_fold_back():
    time = np.arange(48_000) / 48_000
    folded = resample(np.sin(2 * np.pi * 9000 * time), 48_000, 12_000, "1")
    assert np.abs(folded[1000:-1000]).max() < 0.01


def test_an_offset_stays_an_offset(noise):
    signal = resample(10 + 0.01 * noise.standard_normal(48_000), 48_000, 12_000, "1")
    assert signal[:2048].mean() == pytest.approx(10, abs=1e-3)
    assert signal[:2048].std() < 0.01
