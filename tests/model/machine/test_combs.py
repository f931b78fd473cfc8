import numpy as np
import pytest

from model.bearings import Bearing
from model.machine.combs import ORDERS, cut_segments, find_families, measure_combs
from pipeline.simulator import Fault, simulate

RATE, RPM = 12_000, 1_750
BEARING = Bearing(9, 0.2, 1.0)


@pytest.mark.parametrize("label", ["OuterRace", "InnerRace", "Ball"])
@pytest.mark.parametrize(("rpm", "seconds"), [(900, 4.0), (RPM, 1.0), (3_000, 1.0)])
def test_a_faults_comb_is_the_highest_at_any_speed(label, rpm, seconds):
    fault = Fault(label, 6.0, jitter=0.002, zone_floor=0.5)
    signal = simulate(BEARING, rpm, RATE, seconds, 0, (fault,))
    combs = measure_combs(signal, RATE, rpm)
    fault, _, order, near = next(each for each in find_families(BEARING.orders, 0.015) if each[0] == label)
    multiples = ORDERS[int(combs.argmax())] / order
    assert min(abs(multiples / each - 1) for each in (0.5, 1, 2)) < 0.02
    assert combs[near].max() > combs.mean() + 3 * combs.std()


def test_noise_has_no_comb(noise):
    combs = measure_combs(noise.standard_normal(RATE), RATE, RPM)
    assert combs.max() < 1.3


def test_segments_reach_from_the_first_sample_to_the_last():
    segments = cut_segments(np.arange(1_000.0), 300)
    assert segments[0, 0] == 0
    assert segments[-1, -1] == 999
    assert (np.diff(segments[:, 0]) <= 150).all()
    assert cut_segments(np.arange(10.0), 10).shape == (1, 10)


def test_orders_lie_a_percent_apart():
    np.testing.assert_allclose(np.diff(np.log(ORDERS)), 0.01, atol=3e-4)
    assert (ORDERS[0], ORDERS[-1]) == (pytest.approx(0.3), pytest.approx(20))
