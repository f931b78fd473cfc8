import re

import numpy as np
import pytest

from model.bearings import BEARINGS, Bearing
from model.recording.checks import check_recording
from model.recording.orders.evidence import judge, read_lines
from model.recording.orders.families import SHOWN_HARMONICS, list_families
from model.recording.recording import Recording
from pipeline.simulator import Fault, Surroundings, simulate
from pipeline.training.signals import read_signal

RPM = 1_740
ELSEWHERE = Bearing(11, 0.21, 1.0, contact_angle=8)
FAULTS = ("OuterRace", "InnerRace", "Ball")


@pytest.fixture
def look(thresholds):
    """Return a function that finds the speed factor and the lines in a signal, judged beside a prediction."""

    def find(signal, prediction="Normal", rate=12_000, rpm=RPM, bearing=ELSEWHERE):
        recording = Recording(signal, rate, rpm)
        factor, evidence = read_lines(recording, check_recording(recording), bearing.orders, thresholds)
        return factor, judge(evidence, prediction)

    return find


def faulty(label, rate=12_000, seconds=5.0, shaft=(), **others):
    fault = Fault(label, **{"snr_db": 6.0, "jitter": 0.002, "zone_floor": 0.3} | others)
    return simulate(ELSEWHERE, RPM, rate, seconds, 0, (fault,), Surroundings(shaft=shaft))


def test_the_lines_are_those_of_the_geometry():
    orders = ELSEWHERE.orders
    assert [family.order for family in list_families(orders)] == [orders.bpfo, orders.bpfi, 2 * orders.bsf]


@pytest.mark.parametrize("rate", [12_000, 25_600, 48_000])
@pytest.mark.parametrize("label", FAULTS)
def test_a_fault_shows_at_its_own_line_and_speaks_for_itself_alone(label, rate, look):
    evidence = look(faulty(label, rate), label, rate)[1]
    own = next(line for line in evidence.lines if line.fault == label)
    assert (evidence.fault, own.state, own.stands_out) == (label, "clear", True)
    assert len(own.heights) == SHOWN_HARMONICS
    assert own.heights[0] > 3
    assert evidence.verdict == "supports"
    assert own.name in evidence.explanation
    assert not any(line.stands_out for line in evidence.lines if line is not own)
    for other in (*FAULTS, "Normal"):
        if other != label:
            assert judge(evidence, other).verdict == "contradicts"
    assert judge(evidence, "Unknown").verdict == "inconclusive"


@pytest.mark.parametrize("seconds", [0.7, 2.0, 10.0])
def test_noise_shows_no_line_however_short(seconds, look):
    for seed in range(20):
        evidence = look(np.random.default_rng(seed).standard_normal(round(12_000 * seconds)))[1]
        assert evidence.fault == ""
        assert not any(line.stands_out for line in evidence.lines)


def test_too_few_turns_are_a_doubt(look):
    assert "turns" in look(faulty("OuterRace", seconds=0.7))[1].doubt


def test_neither_the_unit_nor_an_offset_matters(look):
    signal = faulty("InnerRace")
    expected = look(signal)[1]
    for changed in (signal * 1e9, signal * 1e-9, signal + 50):
        for line, same in zip(look(changed)[1].lines, expected.lines, strict=True):
            assert line.excess == pytest.approx(same.excess, abs=0.1)
            assert line.depth == pytest.approx(same.depth, rel=0.01)


@pytest.mark.parametrize("wrong", [0.95, 0.976, 1.024, 1.05])
def test_a_rate_that_is_some_percent_wrong_is_found_and_loses_no_line(wrong, look):
    signal = faulty("InnerRace", 25_600, shaft=(0.5, 0.4, 0.3, 0.2, 0.2, 0.2))
    factor, evidence = look(signal, "InnerRace", 25_600 * wrong)
    assert factor == pytest.approx(wrong, rel=0.001)
    assert (evidence.fault, evidence.verdict) == ("InnerRace", "supports")


@pytest.mark.parametrize("wrong", [0.9, 0.93, 1.07, 1.1])
def test_a_factor_beyond_the_search_is_not_taken_for_its_edge(wrong, look):
    factor, _ = look(faulty("InnerRace", 25_600, shaft=(0.5, 0.4, 0.3, 0.2, 0.2, 0.2)), "InnerRace", 25_600 * wrong)
    assert factor == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("slip", [-0.008, 0.008])
def test_slip_is_no_wrong_speed(slip, look):
    factor, evidence = look(faulty("OuterRace", shaft=(0.5, 0.4, 0.3, 0.2), slip=slip))
    assert factor == pytest.approx(1, abs=0.008)
    assert evidence.fault == "OuterRace"


def test_impacts_of_no_part_are_no_fault(look):
    neighbour = Bearing(14, 0.18, 1.0)
    for label, order in (("OuterRace", 5.74), ("InnerRace", 8.26)):
        signal = simulate(neighbour, RPM, 12_000, 5.0, 1, (Fault(label, 6.0, jitter=0.002),))
        evidence = look(signal)[1]
        assert evidence.fault == ""
        found = re.search(r"lines at ([\d.]+) orders of the shaft, those of no part of this bearing", evidence.doubt)
        multiples = float(found.group(1)) / order
        assert multiples == pytest.approx(round(multiples), rel=0.003)


@pytest.mark.parametrize("recording", ["105", "130", "209", "97"])
def test_the_lines_of_real_faults_stand_out_and_those_of_a_real_healthy_bearing_do_not(
    mirror, catalogue, recording, look
):
    row = catalogue.set_index("recording").loc[recording]
    signal = read_signal(mirror / row.file, row.variable)
    factor, evidence = look(signal, row.label, row.sampling_rate, row.rpm, BEARINGS["6205-2RS"])
    assert evidence.verdict == "supports"
    assert evidence.fault == row.label.replace("Normal", "")
    assert factor == pytest.approx(1, abs=0.008)
