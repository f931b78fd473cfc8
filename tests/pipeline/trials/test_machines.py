import numpy as np
import pytest

from model.recording.classes import CLASSES
from pipeline import params
from pipeline.trials.machines import collect, draw_recording, try_machines
from pipeline.trials.markdown import write_machines
from pipeline.trials.table import add_machines
from tests.conftest import POPULATION

SECTION = params.load("machine_trials")
SETTINGS = {name: SECTION[name] for name in ("turns", "seconds", "sampling_rates", "seed", "clutter")}


def draw(rpm, label, number):
    return draw_recording(rpm, label, number, population=POPULATION, **SETTINGS)


def answer(name: str):
    return name, [0.7 if name == each else 0.1 for each in CLASSES]


@pytest.fixture
def machines():
    return collect(
        {
            (300, "Normal"): [answer("Normal"), answer("Unknown"), answer("Ball"), answer("Normal")],
            (300, "InnerRace"): [answer("InnerRace"), answer("OuterRace")],
            (300, "OuterRace"): [answer("Normal"), answer("Unknown")],
            (500, "Normal"): [answer("Normal")] * 4,
            (500, "InnerRace"): [answer("InnerRace")] * 2,
            (500, "OuterRace"): [answer("OuterRace")] * 2,
        }
    )


def test_a_recording_has_the_turns_asked_for_within_the_seconds_that_are_allowed():
    shortest, longest = SETTINGS["seconds"]
    assert draw(300, "Normal", 0).recording.seconds == pytest.approx(60 * SETTINGS["turns"] / 300, abs=1e-3)
    assert draw(8_000, "Normal", 0).recording.seconds == pytest.approx(shortest)
    assert draw(100, "Normal", 0).recording.seconds == pytest.approx(longest)


def test_a_machine_is_always_the_same_and_another_number_speed_or_label_gives_another():
    tried = draw(800, "InnerRace", 3)
    again = draw(800, "InnerRace", 3)
    assert tried.bearing == again.bearing
    assert np.array_equal(tried.recording.signal, again.recording.signal)
    firsts = {
        draw(*other).recording.signal[0]
        for other in ((800, "InnerRace", 4), (500, "InnerRace", 3), (800, "OuterRace", 3))
    }
    assert len(firsts | {tried.recording.signal[0]}) == 4


def test_sampling_rates_are_drawn_from_those_of_params():
    rates = {draw(8_000, "Normal", number).recording.sampling_rate for number in range(20)}
    assert rates == set(SETTINGS["sampling_rates"])


def test_the_diagnosis_is_asked_about_every_machine():
    given = try_machines(1_800, "OuterRace", machines={"OuterRace": 2}, population=POPULATION, **SETTINGS)
    assert len(given) == 2
    for prediction, probabilities in given:
        assert prediction in (*CLASSES, "Unknown")
        assert sum(probabilities) == pytest.approx(1)


def test_alarms_and_what_was_found_are_counted_by_speed(machines):
    slow, fast = machines["300 rpm"], machines["500 rpm"]
    assert (slow["healthy"], slow["healthy_called_faulty"], slow["healthy_uncertain"]) == (4, 1, 1)
    assert (slow["race_faults"], slow["race_faults_found"], slow["race_faults_right"]) == (4, 2, 1)
    assert (slow["extended_faults"], slow["extended_faults_found"]) == (2, 1)  # every second one is extended
    assert fast["macro_f1"] == 1


def test_a_speed_is_a_fold_of_the_protocol(machines):
    table = {}
    add_machines(table, machines)
    entry = table["machine"]["recording"]
    assert set(entry["folds"]) == {"300 rpm", "500 rpm"}
    expected = (machines["300 rpm"]["macro_f1"] + 1) / 2
    assert entry["mean"]["macro_f1"] == pytest.approx(expected, abs=1e-6)


def test_the_table_says_alarms_per_thousand_with_an_interval_by_speed_and_of_all(machines):
    rows = write_machines(machines).splitlines()[2:]
    assert rows[0].startswith("| 300 rpm | 4 | 250 (46 to 699) | 1 of 4 ")  # Wilson: (p + z2/2n -+ ...) / (1 + z2/n)
    assert rows[2].startswith("| all | 8 | 125 (22 to 471) | 1 of 8 ")
    assert rows[2].endswith("3 of 4 (30 to 95 %) |")
