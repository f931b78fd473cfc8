import numpy as np
import pytest
from scipy import signal
from sklearn.metrics import roc_auc_score

from pipeline.scale import scale
from pipeline.training.signals import read_signals
from pipeline.windows import cut
from tests.pipeline.test_windows import SETTINGS, manifest_of


def test_windows_are_band_limited_and_z_scored(noise):
    windows = noise.standard_normal((700, 2048)).astype(np.float32)
    scaled = scale(windows, 12_000, 5000, 101)
    taps = signal.firwin(101, 5000, fs=12_000, window=("general_hamming", 0.54))
    limited = signal.convolve(windows - windows.mean(axis=1, keepdims=True), taps[None], mode="same")
    expected = (limited - limited.mean(axis=1, keepdims=True)) / limited.std(axis=1, keepdims=True)
    np.testing.assert_allclose(scaled, expected, atol=1e-4)


def band_energy(windows, low, high):
    power = np.abs(np.fft.rfft(windows * np.hanning(windows.shape[1]))) ** 2
    frequency = np.fft.rfftfreq(windows.shape[1], 1 / 12_000)
    return power[:, (frequency >= low) & (frequency < high)].sum(axis=1)


@pytest.fixture(scope="module")
def real_windows(catalogue, mirror):
    rows = catalogue[catalogue.recording.isin(["97", "105", "118", "130", "222", "3001"])]
    signals = read_signals(rows, manifest_of(rows, "original"), mirror)
    windows, metadata = cut(rows, signals, sampling_rate=12_000, **SETTINGS)
    return windows, metadata.label == "Normal"


def test_the_recorders_filter_tells_normal_apart_and_the_band_limit_removes_it(real_windows):
    windows, normal = real_windows
    ratio = band_energy(windows, 5600, 6000) / band_energy(windows, 1000, 4000)
    assert roc_auc_score(normal, ratio) > 0.99

    limited = scale(windows, 12_000, 5000, 101)
    left = band_energy(limited, 5600, 6000) / band_energy(limited, 1000, 4000)
    assert left.max() < 1e-5
