import numpy as np
import pytest

from model.recording.checks import find_defect
from pipeline.population import draw_machine
from pipeline.simulator import simulate
from pipeline.training.signals import read_signal
from tests.conftest import POPULATION

RATE = 12_000


@pytest.fixture
def machine():
    bearing, rpm, faults, surroundings = draw_machine("OuterRace", np.random.default_rng(3), POPULATION)
    return simulate(bearing, rpm, RATE, 2.0, 3, faults, surroundings)


def test_a_machine_has_no_defect(machine):
    assert find_defect(machine, RATE) == ""


@pytest.mark.parametrize("level", [0.0, 5.0, -1e6])
def test_a_constant_is_a_sensor_that_is_off(level):
    assert "the sensor is off: the signal is constant" in find_defect(np.full(10_000, level), RATE)


def test_a_sensor_that_hangs_is_named_with_the_share(machine):
    machine[5_000:] = machine[5_000]
    assert "stuck or too coarse: 79 % of the samples repeat" in find_defect(machine, RATE)


@pytest.mark.parametrize("part", [0.1, 0.3])
def test_clipping_is_named(machine, part):
    limit = part * np.abs(machine).max()
    assert "clipped" in find_defect(np.clip(machine, -limit, limit), RATE)


@pytest.mark.parametrize("frequency", [3.0, 50.0, 1_234.5])
def test_a_sine_is_named_with_its_frequency(frequency):
    time = np.arange(24_000) / RATE
    assert f"one tone at {frequency:.4g} Hz" in find_defect(7 + np.sin(2 * np.pi * frequency * time), RATE)


@pytest.mark.parametrize("drift", [np.linspace(0, 1000, 24_000), 300 * np.sin(np.linspace(0, 3, 24_000))])
def test_a_drifting_sensor_is_no_tone(machine, drift):
    assert find_defect(machine + drift, RATE) == ""


def test_no_real_recording_has_a_defect(catalogue, mirror):
    for row in catalogue.itertuples():
        path = mirror / row.file
        if path.is_file():
            signal = read_signal(path, row.variable, row.sampling_rate)
            assert find_defect(signal, row.sampling_rate) == "", row.recording


def test_no_simulated_recording_has_a_defect(noise):
    for label in ("Ball", "InnerRace", "OuterRace", "Normal"):
        for _ in range(10):
            bearing, rpm, faults, surroundings = draw_machine(label, noise, POPULATION)
            assert find_defect(simulate(bearing, rpm, RATE, 1.5, noise, faults, surroundings), RATE) == ""
