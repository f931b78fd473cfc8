"""The committed trials on rigs: every condition is there, and the counts fit each other."""

import json

import pytest

from pipeline import params
from pipeline.trials.jobs import ON_RIGS
from pipeline.trials.rig import KNOWN
from pipeline.trials.scores import STATED, WITH, WITHOUT
from tests.conftest import ROOT

RATES = {STATED, *(f"{100 * error:+g} %" for error in params.load("rig_trials")["rate_errors"])}


@pytest.fixture(scope="module")
def rigs():
    return json.loads((ROOT / "assets" / "rigs.json").read_text())


def test_the_served_diagnosis_was_tried_at_every_rate_and_never_on_what_trained_it(rigs):
    assert set(rigs) <= set(ON_RIGS)
    assert KNOWN not in rigs["recording"]
    for kinds in [*rigs["recording"].values(), rigs["simulation_only"][KNOWN]]:
        assert set(kinds) == {WITHOUT, WITH}
        assert all(set(rates) == RATES for rates in kinds.values())


def test_every_fault_is_tried_under_every_condition_and_the_counts_fit(rigs):
    for tried in rigs.values():
        for kinds in tried.values():
            entries = [entry for rates in kinds.values() for entry in rates.values()]
            assert len({(entry["race_faults"], entry["ball_faults"]) for entry in entries}) == 1
            for entry in entries:
                assert entry["recordings"] == entry["healthy"] + entry["race_faults"] + entry["ball_faults"]
                assert entry["healthy_called_faulty"] + entry["healthy_uncertain"] <= entry["healthy"]
                assert entry["race_faults_right"] <= entry["races_named"] <= entry["race_faults_found"]
                assert sum(sum(row.values()) for row in entry["confusion"].values()) == entry["recordings"]
