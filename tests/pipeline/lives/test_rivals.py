import numpy as np
import pytest

from model.machine.indicators import measure
from model.recording.recording import Recording
from pipeline.lives.rivals import ALLOWANCE, RIVALS, find_alarms, sum_up

RATE, LEARNED = 12_000, 20


@pytest.fixture(scope="module")
def sensor():
    """Forty recordings of noise, of which the last ten are twice as loud."""
    generator = np.random.default_rng(0)
    loud = [1.0] * 30 + [2.0] * 10
    return [measure(Recording(each * generator.standard_normal(2_048), RATE, 1_750)) for each in loud]


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_alarms_when_the_level_doubles(name, sensor):
    assert find_alarms(name, sensor, LEARNED)[-9:].all()


def test_three_deviations_of_what_was_learned_are_the_limit(sensor):
    rms = np.array([each.rms for each in sensor])
    expected = rms > rms[:LEARNED].mean() + 3 * rms[:LEARNED].std()
    np.testing.assert_array_equal(find_alarms("3 sigma of RMS", sensor, LEARNED), expected)


def test_the_cumulative_sum_grows_by_what_is_beyond_the_allowance_and_never_falls_below_zero():
    np.testing.assert_allclose(sum_up(np.array([-3.0, 1.5, 1.5, -9.0])), [0, 1.5 - ALLOWANCE, 2 * (1.5 - ALLOWANCE), 0])
