from dataclasses import replace

import numpy as np
import pytest
import scipy.io

from model.recording.orders.shaft_check import find_contradiction
from model.recording.recording import Recording
from pipeline.population import draw_machine
from pipeline.simulator import Fault, simulate
from pipeline.training.signals import read_signal
from tests.conftest import POPULATION

RATE, SECONDS = 12_000, 10
TIME = np.arange(RATE * SECONDS) / RATE


@pytest.fixture
def find(thresholds):
    """Return a function that finds what contradicts a signal's stated sampling rate (Hz) and speed (rpm)."""
    return lambda signal, rate, rpm: find_contradiction(Recording(signal, rate, rpm), thresholds.shaft_check)


@pytest.fixture
def warned(thresholds):
    """Return a function that finds which share of recordings is warned of with another rate or speed than theirs."""

    def share(recordings, rate_factor=1.0, rpm_factor=1.0):
        stated = [
            replace(r, sampling_rate=r.sampling_rate * rate_factor, rpm=r.rpm * rpm_factor)
            for r in recordings
            if r.sampling_rate * rate_factor >= RATE
        ]
        return sum(bool(find_contradiction(each, thresholds.shaft_check)) for each in stated) / len(stated)

    return share


@pytest.fixture(scope="module")
def cwru(catalogue, mirror):
    recordings = []
    for row in catalogue.itertuples():
        path = mirror / (row.file if (mirror / row.file).is_file() else row.excerpt_file)
        if path.is_file():
            recordings.append(Recording(read_signal(path, row.variable), row.sampling_rate, row.rpm))
    return recordings


@pytest.fixture(scope="module")
def other_rig(rig):
    signals = [scipy.io.loadmat(path)["bearing"][0, 0]["gs"].ravel() for path in sorted(rig.glob("*.mat"))]
    signals += [np.loadtxt(path) for path in sorted(rig.glob("*.txt.gz"))]
    return [Recording(signal, 48_828, 1_500) for signal in signals]


def add_comb(noise, rate, lines, height=0.2):
    return noise.standard_normal(len(TIME)) + sum(
        height * np.cos(2 * np.pi * k * rate * TIME + noise.uniform(0, 6)) for k in range(1, lines + 1)
    )


@pytest.mark.parametrize("rpm", [900, 1_797 * 0.99, 1_797, 1_797 * 1.01, 3_450])
def test_harmonics_at_the_stated_rate_are_no_contradiction(noise, rpm, find):
    assert find(add_comb(noise, round(rpm, -1) / 60, 8), RATE, rpm) == ""


def test_a_rate_four_times_too_high_is_named(noise, find):
    assert find(add_comb(noise, 1_750 / 60, 8), 48_000, 1_750) == (
        "the shaft's harmonics contradict 1,750 rpm at 48,000 Hz, check both: "
        "they would fit 7,000 rpm at that rate, or 12,000 Hz at that speed"
    )


@pytest.mark.parametrize(("stated", "fits"), [(1_650, "1,500"), (1_800, "1,500"), (3_000, "1,500"), (25, "1,500")])
def test_a_wrong_speed_is_named(noise, stated, fits, find):
    assert f"they would fit {fits} rpm at that rate" in find(add_comb(noise, 25, 12), RATE, stated)


@pytest.mark.parametrize("rate", [50, 60])
def test_hum_is_no_shaft(noise, rate, find):
    assert find(add_comb(noise, rate, 12), RATE, 1_790) == ""


def test_a_comb_beside_the_shafts_own_line_is_no_contradiction(noise, find):
    blades = add_comb(noise, 4 * 29, 8) + 0.2 * np.cos(2 * np.pi * 29 * TIME)
    assert find(blades, RATE, 29 * 60) == ""


def test_fainter_half_orders_of_looseness_are_no_contradiction(noise, find):
    loose = add_comb(noise, 29, 10, height=0.4) + add_comb(noise, 14.5, 20, height=0.1)
    assert find(loose, RATE, 29 * 60) == ""


@pytest.mark.parametrize("signal", [np.zeros(50_000), np.ones(5), np.full(50_000, 1e300), np.sin(np.arange(50_000))])
@pytest.mark.parametrize("rpm", [1e-9, 1_797, 1e12])
def test_what_holds_no_harmonics_is_no_contradiction(signal, rpm, find):
    assert find(signal, RATE, rpm) == ""


def test_noise_and_bearing_faults_alone_are_no_contradiction(noise, find):
    assert [find(noise.standard_normal(len(TIME)), RATE, rpm) for rpm in range(600, 3_600, 100)] == [""] * 30
    for label in ("Ball", "InnerRace", "OuterRace"):
        for seed in range(5):
            bearing, rpm, *_ = draw_machine(label, np.random.default_rng(seed), POPULATION)
            fault = Fault(label, snr_db=10, jitter=0.001, zone_floor=0.5)
            assert find(simulate(bearing, rpm, RATE, SECONDS, seed, (fault,)), RATE, rpm) == ""


def test_simulated_machines(noise, warned):
    machines = []
    for number in range(60):
        label = ("Ball", "InnerRace", "Normal", "OuterRace")[number % 4]
        bearing, rpm, faults, surroundings = draw_machine(label, noise, POPULATION)
        machines.append(Recording(simulate(bearing, rpm, RATE, SECONDS, noise, faults, surroundings), RATE, rpm))
    assert warned(machines) == 0
    assert warned(machines, rate_factor=4) > 0.1  # most have fewer than four harmonics


def test_real_recordings_contradict_only_what_is_wrong(cwru, warned):
    assert warned(cwru) == 0
    assert warned(cwru, rate_factor=4) > 0.75
    assert warned(cwru, rate_factor=2) > 0.75
    assert warned(cwru, rpm_factor=1.1) > 0.65
    assert warned(cwru, rpm_factor=1 / 1.2) > 0.6


def test_another_rigs_recordings_contradict_only_what_is_wrong(other_rig, warned):
    assert warned(other_rig) == 0
    assert warned(other_rig, rpm_factor=1.1) > 0.5
