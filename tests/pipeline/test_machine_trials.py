"""The committed trials on simulated machines: every speed is there, and the counts fit each other."""

import json

import pytest

from pipeline import params
from tests.conftest import ROOT

SECTION = params.load("machine_trials")


@pytest.fixture(scope="module")
def machines():
    return json.loads((ROOT / "assets" / "machine_trials.json").read_text())


def test_every_speed_was_tried_with_all_its_machines(machines):
    assert list(machines) == [f"{rpm} rpm" for rpm in SECTION["speeds"]]
    for entry in machines.values():
        assert entry["healthy"] == SECTION["machines"]["Normal"]
        assert entry["recordings"] == sum(SECTION["machines"].values())
        assert entry["extended_faults"] == entry["race_faults"] / 2


def test_the_counts_fit(machines):
    for entry in machines.values():
        assert entry["healthy_called_faulty"] + entry["healthy_uncertain"] <= entry["healthy"]
        assert entry["race_faults_right"] <= entry["race_faults_found"] <= entry["race_faults"]
        assert entry["extended_faults_found"] <= entry["race_faults_found"]
        assert sum(sum(row.values()) for row in entry["confusion"].values()) == entry["recordings"]
