"""One simulated life through the watch and its rivals; the whole population is the stage's."""

import pytest

from model.machine.thresholds import Thresholds
from model.thresholds import read_thresholds
from pipeline import params
from pipeline.lives.life import NUISANCES
from pipeline.lives.rivals import RIVALS
from pipeline.lives.watched import live

SETTINGS = params.load("life_trials")["life"] | {
    "population": params.load("simulate")["population"],
    "thresholds": read_thresholds(Thresholds, params.load("machine")),
}


@pytest.fixture(scope="module")
def repaired():
    return live(NUISANCES.index("repair"), "OuterRace", **SETTINGS)


def test_a_fault_after_a_repair_is_found_with_its_part_and_without_a_false_alarm(repaired):
    watch = repaired["methods"]["watch"]
    assert (watch["false_alarms"], watch["warned"], repaired["family_right"]) == (0, True, True)
    assert SETTINGS["snr_db"][0] < watch["snr_at_the_alarm"] < SETTINGS["snr_db"][1]


def test_hours_of_learning_are_not_watched(repaired):
    learned = SETTINGS["thresholds"].learning.recordings
    assert repaired["watched"] == repaired["onset"] - 2 * learned
    trouble = repaired["trouble"]
    assert repaired["levels"][trouble : trouble + learned - 1] == ["learning"] * (learned - 1)


def test_the_rivals_are_scored_on_the_same_life(repaired):
    assert list(repaired["methods"]) == ["watch", *RIVALS]
    assert {each["onset"] for each in repaired["methods"].values()} == {repaired["onset"]}
