"""The committed trials of the watch: every nuisance is there, the counts fit, and what was promised is reached."""

import json

import pytest

from pipeline import life_trials, params
from pipeline.lives.life import NUISANCES, OF_THE_SENSOR
from pipeline.lives.rivals import RIVALS
from tests.conftest import ROOT

SECTION = params.load("life_trials")


@pytest.fixture(scope="module")
def trials():
    return json.loads((ROOT / "assets" / "lives.json").read_text())


def test_every_nuisance_was_tried_alike(trials):
    simulated = trials["simulated"]
    assert list(simulated["by_nuisance"]) == list(NUISANCES)
    assert simulated["watched"] == sum(each["watched"] for each in simulated["by_nuisance"].values())
    assert simulated["lives"] == sum(SECTION["lives"].values())
    assert simulated["lives"] % len(NUISANCES) == 0
    assert simulated["sensor_faults"] == simulated["lives"] * len(OF_THE_SENSOR) // len(NUISANCES)


def test_at_most_one_recording_in_ten_thousand_is_a_false_alarm_and_faults_are_found_early(trials):
    simulated, watch = trials["simulated"], trials["simulated"]["methods"]["watch"]
    assert simulated["watched"] > 10_000
    assert watch["false_alarms"] <= simulated["watched"] / 10_000
    assert watch["warned"] == simulated["faults"]
    assert simulated["family_right"] >= 0.95 * simulated["faults"]
    assert watch["median_snr_at_the_alarm"] <= -8
    assert simulated["sensor_faults_found"] == simulated["sensor_faults"]


def test_runs_to_failure_are_warned_of_with_few_false_episodes_and_the_rivals_beside(trials):
    assert list(trials["runs"]) == ["watch", *RIVALS]
    watch = trials["runs"]["watch"]["all"]
    assert (watch["runs"], watch["warned"], watch["valid_10"]) == (6, 6, 6)
    assert watch["valid_5"] >= 5
    assert watch["false_episodes"] <= 2
    for entry in trials["runs"].values():
        assert list(entry["runs"]) == list(SECTION["runs"]["rpm"])


def test_the_healthy_beginning_raises_no_alarm(trials):
    assert trials["beginning"]["channels"] == SECTION["beginning"]["channels"]
    assert trials["beginning"]["alarms"]["watch"] == 0


def test_without_the_runs_their_scores_stay_as_they_were(trials, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("RIGS_MIRROR", str(tmp_path))
    monkeypatch.setattr(life_trials, "SCORES", ROOT / "assets" / "lives.json")
    assert life_trials.try_runs(thresholds=None, **SECTION["runs"]) == trials["runs"]
    assert life_trials.try_beginnings(thresholds=None, **SECTION["beginning"]) == trials["beginning"]
    assert "RIGS_MIRROR names no folder with femto: its scores stay" in capsys.readouterr().out
