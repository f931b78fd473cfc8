from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import resample
from scipy.stats import t

from model.recording.checks import check_recording
from model.recording.levels import (
    DECIBELS,
    EDGES,
    LevelChange,
    Levels,
    band_power,
    compare_levels,
    describe_levels,
    independent_windows,
    measure_levels,
    overall,
    widening,
)
from model.recording.recording import Recording
from pipeline.training.signals import read_signal

RATE = 12_000


@pytest.fixture(scope="module")
def limits(thresholds):
    return thresholds.baseline


def levels_of(signal, rate=RATE, rpm=1_750.0) -> Levels:
    recording = Recording(signal, rate, rpm)
    return measure_levels(recording, check_recording(recording), 1e-5)


def steady(level: float, windows: int = 13, rpm: float = 1_750.0) -> Levels:
    """Levels of a machine that is as loud in all bands and never varies."""
    return Levels(np.full((windows, 7), level), rpm)


def test_a_tone_counts_with_its_rms_amplitude_in_its_band():
    time = np.arange(5 * RATE) / RATE
    levels = levels_of(7 * np.sin(2 * np.pi * 2_500 * time))
    assert EDGES[4] < 2_500 < EDGES[5]
    np.testing.assert_allclose(levels.bands[:, 4], np.log(7 / np.sqrt(2)), atol=1e-3)
    np.testing.assert_allclose(overall(levels.bands), np.log(7 / np.sqrt(2)), atol=1e-3)


def test_the_bands_hold_the_power_between_their_edges(noise):
    """White noise has the share of its variance that the bands have of half the rate."""
    power = band_power(noise.standard_normal((400, 8_192)), RATE).mean(axis=0)
    np.testing.assert_allclose(power, np.diff(EDGES[:8]) / (RATE / 2), rtol=0.03)


@pytest.mark.parametrize("factor", [3, 1e-3, 1e250, 1e-200])
def test_a_gain_moves_every_band_by_its_logarithm(noise, factor):
    signal = noise.standard_normal(4 * RATE)
    moved = levels_of(factor * signal).bands - levels_of(signal).bands
    np.testing.assert_allclose(moved, np.log(factor), rtol=1e-9, atol=1e-9)
    assert np.log(3) * DECIBELS == pytest.approx(9.542, abs=1e-3)


def test_whole_numbers_are_levels_in_their_own_unit(noise):
    counts = np.rint(1_000 * noise.standard_normal(4 * RATE)).astype(np.int16)
    np.testing.assert_array_equal(levels_of(counts).bands, levels_of(counts.astype(float)).bands)


def test_a_band_that_holds_nothing_does_not_change(noise, limits):
    """Below 60 dB under the whole there is rounding alone, whatever filter made it."""
    spectrum = np.fft.rfft(noise.standard_normal(5 * RATE))
    spectrum[len(spectrum) // 2 :] = 0
    past = np.fft.irfft(spectrum)
    change = compare_levels(levels_of(past.astype(np.float32)), [levels_of(past)], limits)
    np.testing.assert_allclose(change.bands.mean(axis=0), 0, atol=1e-3)


def test_recordings_of_two_rates_are_compared_in_the_bands_of_both(noise, limits):
    past = noise.standard_normal(5 * 48_000)
    spectrum = np.fft.rfft(past)
    spectrum[5 * 5_500 :] = 0  # the recorder's filter
    present = resample(np.fft.irfft(spectrum), 5 * RATE)
    fast, slow = levels_of(past, 48_000), levels_of(present)
    assert (fast.bands.shape[1], slow.bands.shape[1]) == (12, 7)
    change = compare_levels(slow, [fast], limits)
    assert change.bands.shape[1] == 7
    np.testing.assert_allclose(change.bands.mean(axis=0), 0, atol=0.02)
    assert change.overall.mean() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("windows", [5, 7, 14.5, 30, 200])
def test_few_windows_widen_the_spread_as_a_prediction_interval_says(limits, windows):
    assert limits.confidence == pytest.approx(t.ppf(0.975, 1e9), abs=1e-3)
    expected = t.ppf(0.975, windows - 1) / limits.confidence * np.sqrt(1 + 1 / windows)
    assert widening(windows, limits) == pytest.approx(expected, rel=0.005)


def test_more_recordings_narrow_the_spread(limits):
    spreads = [
        compare_levels(steady(0), [steady(0)] * count, limits).overall_spread / limits.least_spread_level
        for count in (1, 2, 8)
    ]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads == pytest.approx([widening(7 * count, limits) for count in (1, 2, 8)])


def test_windows_that_overlap_by_half_count_half():
    assert independent_windows([13]) == 7
    assert independent_windows([1] * 20) == 20


def test_the_level_may_follow_the_speed(limits):
    """20 dB a decade: what is twice as loud at twice the speed did not change."""
    change = compare_levels(steady(np.log(2), rpm=2_000), [steady(0, rpm=1_000)], limits)
    np.testing.assert_allclose(change.overall, 0, atol=1e-12)
    np.testing.assert_allclose(change.bands, 0, atol=1e-12)
    assert change.allowance * DECIBELS == pytest.approx(20 * np.log10(2))
    unsure = np.hypot(limits.least_spread_level, limits.speed_slope_spread * np.log(2))
    assert change.overall_spread == pytest.approx(unsure * widening(7, limits))


@pytest.mark.parametrize("power", [0, 1, 2])
def test_another_speed_is_no_alarm_whether_the_level_rises_by_0_20_or_40_decibels_a_decade(limits, power):
    for rpm in (600, 900, 1_800, 2_400):
        change = compare_levels(steady(power * np.log(rpm / 1_200), rpm=rpm), [steady(0, rpm=1_200)], limits)
        assert (change.spreads() < limits.change_level).all()


def test_recordings_at_the_present_speed_are_compared_with_alone(limits):
    loud, quiet = steady(1, rpm=1_000), steady(0, rpm=2_000)
    assert compare_levels(steady(0, rpm=2_020), [loud, quiet], limits).overall == pytest.approx(0, abs=0.02)
    brief = Levels(quiet.bands[:3], quiet.rpm)
    assert abs(compare_levels(steady(0, rpm=2_020), [loud, brief], limits).overall).max() > 0.5


def test_a_machine_that_varies_may_go_on_varying(noise, limits):
    calm = Levels(np.zeros((40, 7)), 1_750)
    moody = Levels(np.repeat(noise.standard_normal((40, 1)), 7, axis=1), 1_750)
    alarms = [
        compare_levels(steady(np.log(3)), [each], limits).spreads() / limits.change_level for each in (calm, moody)
    ]
    assert alarms[0].min() > 1 > alarms[1].max()


def test_what_changed_is_said_in_decibels(limits):
    same = compare_levels(steady(np.log(3)), [steady(0)], limits)
    ((alarms, words),) = describe_levels(same, limits)
    assert words == "level rose 9.5 dB"
    assert alarms == pytest.approx(np.log(3) / same.overall_spread / limits.change_level)
    bands = np.zeros((13, 7))
    bands[:, 4], bands[:, 0] = 14 / DECIBELS, -12.5 / DECIBELS
    uneven = LevelChange(np.full(13, -0.1), bands, 0.17, np.full(7, 0.2), -np.log(2))
    words = [words for _, words in describe_levels(uneven, limits)]
    assert words == [
        "level fell 0.9 dB (allowing -6.0 dB for the speed)",
        "2 to 3 kHz rose 14.0 dB",
        "10 to 250 Hz fell 12.5 dB",
    ]


def test_a_real_healthy_recording_three_times_as_loud_rose_by_9_5_decibels(mirror, catalogue, limits):
    row = catalogue.set_index("recording").loc["97"]
    recording = Recording(read_signal(mirror / row.file, row.variable), row.sampling_rate, row.rpm)
    signal = check_recording(recording)
    past = measure_levels(recording, signal, 1e-5)
    present = measure_levels(replace(recording, signal=3 * recording.signal), signal, 1e-5)
    assert describe_levels(compare_levels(present, [past], limits), limits)[0][1] == "level rose 9.5 dB"
