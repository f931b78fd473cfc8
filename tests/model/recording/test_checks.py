import numpy as np
import pytest

from model.recording.checks import check_recording, find_defect, is_noise, normalise, tone_strength
from model.recording.recording import Recording
from pipeline.population import draw_machine
from pipeline.simulator import simulate
from pipeline.training.signals import read_signal
from tests.conftest import POPULATION
from tests.model.recording.machines import ELSEWHERE, RATE, RPM, machine


def coloured_noise(exponent, samples=30_000, seed=0):
    """Gaussian noise whose power falls with frequency to the power of twice the exponent."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    return np.fft.irfft(spectrum / np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 5) ** exponent, samples)


@pytest.fixture
def vibration():
    bearing, rpm, faults, surroundings = draw_machine("OuterRace", np.random.default_rng(3), POPULATION)
    return simulate(bearing, rpm, RATE, 2.0, 3, faults, surroundings)


def test_a_machine_has_no_defect(vibration, thresholds):
    assert find_defect(vibration, RATE, thresholds.checks) == ""


@pytest.mark.parametrize("level", [0.0, 5.0, -1e6])
def test_a_constant_is_a_sensor_that_is_off(level, thresholds):
    assert "the sensor is off: the signal is constant" in find_defect(np.full(10_000, level), RATE, thresholds.checks)


def test_a_sensor_that_hangs_is_named_with_the_share(vibration, thresholds):
    vibration[5_000:] = vibration[5_000]
    assert "stuck or too coarse: 79 % of the samples repeat" in find_defect(vibration, RATE, thresholds.checks)


@pytest.mark.parametrize("part", [0.1, 0.3])
def test_clipping_is_named(vibration, part, thresholds):
    limit = part * np.abs(vibration).max()
    assert "clipped" in find_defect(np.clip(vibration, -limit, limit), RATE, thresholds.checks)


@pytest.mark.parametrize("frequency", [3.0, 50.0, 1_234.5])
def test_a_sine_is_named_with_its_frequency(frequency, thresholds):
    time = np.arange(24_000) / RATE
    assert f"one tone at {frequency:.4g} Hz" in find_defect(
        7 + np.sin(2 * np.pi * frequency * time), RATE, thresholds.checks
    )


@pytest.mark.parametrize("drift", [np.linspace(0, 1000, 24_000), 300 * np.sin(np.linspace(0, 3, 24_000))])
def test_a_drifting_sensor_is_no_tone(vibration, drift, thresholds):
    assert find_defect(vibration + drift, RATE, thresholds.checks) == ""


def test_no_real_recording_has_a_defect(catalogue, mirror, thresholds):
    for row in catalogue.itertuples():
        path = mirror / row.file
        if path.is_file():
            signal = read_signal(path, row.variable, row.sampling_rate)
            assert find_defect(signal, row.sampling_rate, thresholds.checks) == "", row.recording


def test_no_simulated_recording_has_a_defect(noise, thresholds):
    for label in ("Ball", "InnerRace", "OuterRace", "Normal"):
        for _ in range(10):
            bearing, rpm, faults, surroundings = draw_machine(label, noise, POPULATION)
            assert (
                find_defect(simulate(bearing, rpm, RATE, 1.5, noise, faults, surroundings), RATE, thresholds.checks)
                == ""
            )


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (np.zeros(20_000), "the sensor is off"),
        (np.repeat([0.0, 1.0], 10_000), "stuck"),
        (np.sin(np.arange(20_000)), "one tone"),
        (coloured_noise(0), "noise and nothing else"),
        (coloured_noise(0.5), "noise and nothing else"),
        (coloured_noise(-0.5), "noise and nothing else"),
        (np.clip(machine("InnerRace").signal, -1, 1), "clipped"),
    ],
    ids=["off", "stuck", "sine", "white noise", "pink noise", "blue noise", "clipped"],
)
def test_what_is_no_bearings_vibration_is_unknown_with_the_reason(diagnosis, signal, reason):
    answer = diagnosis.diagnose(Recording(signal, RATE, RPM))
    assert answer.prediction == "Unknown"
    assert reason in answer.reason


@pytest.mark.parametrize("label", ["Ball", "Normal"])
def test_a_machine_is_no_noise(diagnosis, label):
    analysis = diagnosis.diagnose(machine(label), ELSEWHERE).analysis
    assert not is_noise(analysis.features, analysis.spectrum, analysis.spacing, diagnosis.thresholds.checks)


def test_a_faint_tone_stands_beyond_chance_and_noise_does_not(thresholds, noise):
    power = noise.exponential(size=(20, 4_097)).mean(axis=0)
    limits = thresholds.checks
    assert tone_strength(power, RATE / 8_192, 20, limits.tones) < limits.least_tone
    power[1_000] = 4
    assert tone_strength(power, RATE / 8_192, 20, limits.tones) > limits.least_tone


@pytest.mark.parametrize(
    ("rpm", "reason"),
    [
        (60, "turns at 60 rpm; a diagnosis was tried from 300 to 8,000 rpm"),
        (320, "turns 3.6 times in a window, 4 or more are needed: too slow"),
        (30_000, "turns at 30,000 rpm; a diagnosis was tried from 300 to 8,000 rpm"),
    ],
)
def test_a_speed_beyond_what_windows_resolve_is_unknown_with_the_reason(diagnosis, rpm, reason):
    answer = diagnosis.diagnose(Recording(machine("OuterRace").signal, RATE, rpm), ELSEWHERE)
    assert answer.prediction == "Unknown"
    assert reason in answer.reason


@pytest.mark.parametrize(
    ("signal", "rate", "rpm", "message"),
    [
        (np.ones((2, 20_000)), RATE, RPM, r"float64 of shape \(2, 20000\), expected real"),
        (np.arange(20_000.0), 10_999, RPM, "sampled at 10999 Hz, expected 11,000 Hz or more"),
        (np.arange(20_000.0), float("nan"), RPM, "sampled at nan Hz"),
        (np.arange(8_000.0), RATE, RPM, "lasts 0.667 s, expected 0.68 s or more"),
        (np.arange(0), RATE, RPM, "lasts 0 s"),
        (np.where(np.arange(20_000) == 77, np.nan, 1.0), RATE, RPM, "NaN or infinity at sample 77"),
        (np.arange(20_000.0), RATE, 0, "rpm is 0, expected the shaft's turns a minute, above 0"),
        (np.arange(20_000.0), RATE, float("inf"), "rpm is inf"),
        (np.arange(20_000.0), RATE, "1750", "rpm is '1750', expected a number"),
        (np.arange(20_000.0), None, RPM, "sampling_rate is None, expected a number"),
        (np.arange(20_000) * 1j, RATE, RPM, "complex128 of shape"),
        (np.array(["a"] * 20_000), RATE, RPM, "expected real numbers"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused_in_words(signal, rate, rpm, message):
    with pytest.raises(ValueError, match=message):
        check_recording(Recording(signal, rate, rpm))


@pytest.mark.parametrize("signal", [np.array([1, 2, 3, 6]), np.array([1e300, 2e300, 3e300, 6e300])])
def test_a_signal_loses_its_mean_and_its_unit(signal):
    np.testing.assert_allclose(normalise(signal.astype(float)), [-2 / 3, -1 / 3, 0, 1])
    assert not normalise(np.full(10, 7.0)).any()
