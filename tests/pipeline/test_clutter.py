import numpy as np
import pytest

from model.bearings import BEARINGS, DEFAULT_BEARING
from pipeline import params
from pipeline.clutter import draw_cluttered, fault_orders, is_near
from pipeline.machinery import Machine, Spall, simulate_machine
from pipeline.simulator import Fault
from tests.conftest import POPULATION

CLUTTER = params.load("machine_trials")["clutter"]
PARTS = ("gears", "belts", "drives", "wear", "faint", "neighbours", "steps")
BEARING = BEARINGS[DEFAULT_BEARING]


def draw(label="Normal", extended=False, machines=100, rate=25_600, rpm=1_200) -> list[Machine]:
    return [
        draw_cluttered(label, extended, rpm, rate, np.random.default_rng([5, number]), POPULATION, CLUTTER)
        for number in range(machines)
    ]


@pytest.mark.parametrize("rate", [12_000, 51_200])
@pytest.mark.parametrize("rpm", [300, 8_000])
@pytest.mark.parametrize(("label", "extended"), [("Normal", False), ("InnerRace", False), ("OuterRace", True)])
def test_drawn_machines_can_be_simulated(label, extended, rpm, rate, noise):
    for machine in draw(label, extended, machines=5, rate=rate, rpm=rpm):
        signal = simulate_machine(machine, rate, 0.7, noise)
        assert len(signal) == round(0.7 * rate)
        assert np.isfinite(signal).all()


@pytest.mark.parametrize("part", PARTS)
def test_some_machines_have_a_part_and_some_do_not(part):
    counts = {bool(getattr(machine, part)) for machine in draw()}
    assert counts == {True, False}


def test_a_healthy_machine_has_no_fault_and_its_own_lines_are_faint():
    machines = draw()
    assert {machine.fault for machine in machines} == {None}
    depths = [line.depth for machine in machines for line in machine.faint]
    assert 0 < min(depths) <= max(depths) <= 0.15


def test_a_faulty_machine_has_the_fault_asked_for_local_or_extended():
    for machine in draw("OuterRace", machines=10):
        assert isinstance(machine.fault, Fault)
        assert machine.fault.label == machine.label == "OuterRace"
        assert CLUTTER["damage"]["snr_db"][0] <= machine.fault.snr_db <= CLUTTER["damage"]["snr_db"][1]
    for machine in draw("InnerRace", extended=True, machines=10):
        assert isinstance(machine.fault, Spall)
        assert machine.fault.fault.label == "InnerRace"


def test_modes_lie_where_the_sampling_rate_hears_them():
    lowest, highest = CLUTTER["resonance"]["frequency"]
    for rate in (12_000, 51_200):
        modes = [mode.frequency for machine in draw(rate=rate) for mode in machine.surroundings.coloured]
        assert lowest * rate <= min(modes) <= max(modes) <= highest * rate


def test_a_neighbours_fault_is_at_no_order_of_the_bearing():
    room, multiples = CLUTTER["neighbours"]["room"], CLUTTER["neighbours"]["multiples"]
    for machine in draw():
        for other in machine.neighbours:
            order = fault_orders(other.bearing)[other.fault.label] * (1 + other.fault.slip)
            assert not is_near(order, machine.bearing, room, multiples)


@pytest.mark.parametrize("ratio", [1, 2, 3 / 4, 1 / 4])
def test_an_order_near_a_simple_fraction_of_a_faults_is_the_bearings_own(ratio):
    assert is_near(1.02 * ratio * BEARING.orders.bpfo, BEARING, 0.025, 4)
    assert is_near(ratio * BEARING.orders.bsf, BEARING, 0.025, 4)


def test_an_order_far_from_all_of_them_is_another_ones():
    assert not is_near(
        4.29, BEARING, 0.025, 4
    )  # BPFO 3.58, BPFI 5.42, BSF 2.36: fractions end at 4.06 and restart at 4.71
