import json
from itertools import pairwise

import numpy as np
import pytest

from api.recording import plots


def test_no_extreme_is_lost(noise):
    signal = noise.standard_normal(120_001)
    signal[77_777], signal[5] = 50, -60
    shown = plots.waveform(signal, 12_000, windows=28)
    assert max(shown["high"]) == 50
    assert min(shown["low"]) == -60
    assert shown["high"].index(50) == 77_777 * len(shown["high"]) // len(signal)
    assert len(shown["low"]) * shown["seconds_per_point"] == pytest.approx(len(signal) / 12_000)


@pytest.mark.parametrize(("samples", "windows", "points"), [(500, 0, 500), (8_192, 1, 1_000), (10**6, 200, 12_000)])
def test_there_are_as_many_points_as_a_screen_needs(samples, windows, points, noise):
    assert len(plots.waveform(noise.standard_normal(samples), 12_000, windows)["low"]) == points


def test_every_stretch_holds_its_lowest_and_highest_value(noise):
    values = noise.standard_normal(1_003)
    low, high = plots.extremes(values, 100)
    edges = np.arange(101) * 1_003 // 100
    for index, (start, stop) in enumerate(pairwise(edges)):
        assert low[index] == pytest.approx(values[start:stop].min(), rel=1e-3)
        assert high[index] == pytest.approx(values[start:stop].max(), rel=1e-3)


def test_the_spectrum_keeps_every_peak_at_its_frequency():
    amplitude = np.zeros(4_097)
    amplitude[1_000] = 3.0
    plotted = plots.spectrum(amplitude, 12_000)
    peak = int(np.argmax(plotted["high"]))
    assert plotted["high"][peak] == 3
    assert peak * plotted["hertz_per_point"] == pytest.approx(1_000 * 6_000 / 4_097, abs=2 * plotted["hertz_per_point"])


def test_numbers_are_short_and_zero_stays_zero():
    values = np.array([0, 1 / 3, -12345.678, 1e-300, 1e30])
    assert json.dumps(plots.short(values)) == "[0.0, 0.3333, -12350.0, 0.0, 1e+30]"
    assert json.dumps(plots.short(np.float32([0.1, 1e-7]))) == "[0.1, 1e-07]"


def test_the_envelope_spectrum_is_the_mean_over_windows():
    shown = plots.envelope_spectrum(np.array([[1.0, 2, 3], [3, 4, 5]]), 0.05)
    assert shown == {"orders_per_point": 0.05, "amplitude": [2.0, 3.0, 4.0]}
