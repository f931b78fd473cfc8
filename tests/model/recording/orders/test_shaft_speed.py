import numpy as np
import pytest

from model.recording.orders.shaft_speed import find_shaft_rate, pick_teeth, weakest_part
from pipeline.population import draw_machine
from pipeline.simulator import DEFAULT, Fault, simulate
from pipeline.training.signals import read_signal
from tests.conftest import POPULATION

RATE, SECONDS = 12_000, 10
TIME = np.arange(RATE * SECONDS) / RATE


@pytest.fixture
def find(thresholds):
    """Return a function that finds the shaft's rate (Hz) in a signal."""
    return lambda signal, rate=RATE: find_shaft_rate(signal, rate, thresholds.shaft_speed)


def comb(generator, rate, orders, height=0.2):
    return sum(height * np.cos(2 * np.pi * k * rate * TIME + generator.uniform(0, 6)) for k in orders)


@pytest.mark.parametrize("rate", [21.3, 24.7, 29.95, 41.0, 58.9])
def test_twelve_harmonics_tell_the_shafts_rate(noise, find, rate):
    signal = noise.standard_normal(len(TIME)) + comb(noise, rate, range(1, 13))
    assert find(signal) == pytest.approx(rate, rel=2e-3)
    assert find(1e200 * signal) == find(1e-200 * signal) == find(signal)


def test_the_rate_follows_the_sampling_rate(noise, find):
    signal = noise.standard_normal(len(TIME)) + comb(noise, 24.7, range(1, 13))
    assert find(signal, 2 * RATE) == pytest.approx(2 * 24.7, rel=2e-3)


@pytest.mark.parametrize("lines", [1, 2])
def test_few_lines_tell_nothing(noise, find, lines):
    assert find(noise.standard_normal(len(TIME)) + comb(noise, 29, range(1, lines + 1), height=1)) is None


def test_noise_tells_nothing(noise, find):
    assert [find(noise.standard_normal(len(TIME))) for _ in range(20)] == [None] * 20


@pytest.mark.parametrize("hum", [50, 60])
def test_hum_is_no_shaft(noise, find, hum):
    assert find(noise.standard_normal(len(TIME)) + comb(noise, hum, range(1, 13))) is None


def test_two_explanations_are_none(noise, find):
    cage_and_shaft = comb(noise, 0.398 * 45, range(1, 13)) + comb(noise, 45, range(1, 13))
    assert find(noise.standard_normal(len(TIME)) + cage_and_shaft) is None
    faint_odd_orders = comb(noise, 20.2, range(2, 25, 2)) + comb(noise, 20.2, range(1, 25, 2), height=0.03)
    assert find(noise.standard_normal(len(TIME)) + faint_odd_orders) in (None, pytest.approx(20.2, rel=2e-3))


def test_a_comb_of_a_part_that_is_too_fast_for_a_shaft_tells_nothing(noise, find):
    fault = Fault("OuterRace", snr_db=15)
    assert find(simulate(DEFAULT, 1_750, RATE, SECONDS, noise, (fault,))) is None


@pytest.mark.parametrize("signal", [np.zeros(50_000), np.ones(5), np.full(50_000, 1e300), np.sin(np.arange(50_000))])
def test_what_holds_no_harmonics_tells_nothing(find, signal):
    assert find(signal) is None


def test_a_short_recording_tells_nothing(noise, find):
    assert find((noise.standard_normal(len(TIME)) + comb(noise, 29, range(1, 13)))[: 2 * RATE]) is None


def test_a_score_of_noise_has_the_deviation_1_and_a_half_comb_has_none(noise):
    scores = [np.sum(noise.standard_normal(8)) / np.sqrt(8) for _ in range(2_000)]
    assert np.std(scores) == pytest.approx(1, abs=0.1)
    spectrum = np.zeros(3_000)
    spectrum[100::100] = 3.0  # a line every 100 bins of 1 Hz
    true, half, third = weakest_part(pick_teeth(spectrum, 1.0, np.array([100.0, 50.0, 100 / 3]))[:12])
    assert true == pytest.approx(3 * np.sqrt(6))  # six odd teeth of twelve
    assert half == 0
    assert third == 0


def test_simulated_machines_get_their_speed_or_none(noise, find):
    for number in range(60):
        label = ("Ball", "InnerRace", "Normal", "OuterRace")[number % 4]
        bearing, rpm, faults, surroundings = draw_machine(label, noise, POPULATION)
        rate = find(simulate(bearing, rpm, RATE, SECONDS, noise, faults, surroundings))
        assert rate in (None, pytest.approx(rpm / 60, rel=0.01))


def test_real_recordings_get_their_speed_or_none(catalogue, mirror, find):
    found = []
    for row in catalogue.itertuples():
        path = mirror / (row.file if (mirror / row.file).is_file() else row.excerpt_file)
        if path.is_file():
            rate = find(read_signal(path, row.variable), row.sampling_rate)
            found += [60 * rate / row.rpm] if rate else []
    assert len(found) > 20
    assert found == pytest.approx(np.ones(len(found)), abs=0.01)
