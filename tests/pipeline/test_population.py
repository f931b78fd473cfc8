import copy

import numpy as np
import pytest

from model.bearings import BEARINGS, DEFAULT_BEARING
from model.recording.classes import CLASSES, FAULTS
from pipeline.population import draw_machine
from pipeline.simulator import simulate
from tests.conftest import POPULATION


def draw(label: str, machines: int = 200, population: dict = POPULATION) -> list:
    return [draw_machine(label, np.random.default_rng([7, number]), population) for number in range(machines)]


@pytest.mark.parametrize("label", CLASSES)
def test_drawn_machines_can_be_simulated(label, noise):
    for bearing, rpm, faults, surroundings in draw(label, machines=20):
        signal = simulate(bearing, rpm, 12_000, 0.7, noise, faults, surroundings)
        assert len(signal) == 8_400
        assert np.isfinite(signal).all()


@pytest.mark.parametrize("label", FAULTS)
def test_the_first_fault_is_the_one_asked_for_and_a_second_is_another(label):
    faults = [faults for _, _, faults, _ in draw(label)]
    assert {each[0].label for each in faults} == {label}
    assert {each[1].label for each in faults if len(each) == 2} == set(FAULTS) - {label}
    chance = POPULATION["second_fault"][label]["chance"]
    assert np.mean([len(each) == 2 for each in faults]) == pytest.approx(chance, abs=0.12)


def test_a_healthy_machine_has_no_fault_or_a_weak_one():
    faults = [faults for _, _, faults, _ in draw("Normal")]
    assert {len(each) for each in faults} == {0, 1}
    assert {fault.label for each in faults for fault in each} == set(FAULTS)
    lowest, highest = POPULATION["second_fault"]["Normal"]["level"]
    assert all(lowest <= fault.snr_db <= highest for each in faults for fault in each)


def test_half_of_the_bearings_are_the_known_one_and_the_others_are_within_their_ranges():
    bearings = [bearing for bearing, _, _, _ in draw("Normal")]
    drawn = [bearing for bearing in bearings if bearing != BEARINGS[DEFAULT_BEARING]]
    assert len(drawn) / len(bearings) == pytest.approx(0.5, abs=0.1)
    assert {bearing.rolling_elements for bearing in drawn} == set(range(7, 17))  # both ends occur
    assert all(0.12 <= bearing.element_diameter <= 0.3 and bearing.contact_angle <= 15 for bearing in drawn)


def test_the_ranges_are_what_the_population_says():
    population = copy.deepcopy(POPULATION)
    population["rpm"] = [3_000, 3_001]
    population["fault"]["slip"] = [0.5, 0.5]
    population["surroundings"]["hits"] = {"chance": 1, "between": [4, 4]}
    for _, rpm, faults, surroundings in draw("Ball", machines=10, population=population):
        assert 3_000 <= rpm <= 3_001
        assert {fault.slip for fault in faults} == {0.5}
        assert surroundings.hits == 4


def test_the_order_of_the_draws_is_fixed():
    """A seed gives the machine that it gave before: the trained artefacts rest on it."""
    bearing, rpm, faults, surroundings = draw_machine("OuterRace", np.random.default_rng([0, 3]), POPULATION)
    assert (bearing.rolling_elements, len(surroundings.tones)) == (16, 2)
    assert (rpm, faults[0].slip) == pytest.approx((1299.1340076504466, 0.003566436708893072), rel=1e-12)
    assert surroundings.looseness == pytest.approx(1.1377174659227545, rel=1e-12)  # among the last to be drawn
