"""The committed table: its form, and what has to be true of it."""

import json

import numpy as np
import pytest

from pipeline.trials.jobs import ALL, ON_RIGS, TRIED
from pipeline.trials.rig import KNOWN
from pipeline.trials.scores import METRICS
from pipeline.trials.table import HEADLINE
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def table():
    return json.loads((ROOT / "assets" / "protocols.json").read_text())


def test_the_committed_table_has_the_form_that_others_read(table):
    assert table.pop("headline_network") == HEADLINE
    assert set(table) <= {*ALL, "rig", "machine", "transfer"}
    assert {"random", "block", "load", "bearing", "combinations", "noise", "transfer"} <= set(table)
    for protocol, networks in table.items():
        expected = {name for name, tried in TRIED.items() if protocol in tried}
        others = {"rig": set(ON_RIGS), "machine": {HEADLINE}}
        assert set(networks) == expected | others.get(protocol, set())
        for network, made in networks.items():
            assert set(METRICS) <= set(made["mean"])
            assert set(made["mean"]) == set(made["spread"])
            seeds = 1 if network in others.get(protocol, ()) else 3  # there is one diagnosis that is served
            assert all(fold["seeds"] >= seeds for fold in made["folds"].values())
            assert all(np.isfinite(value) for value in made["mean"].values())


def test_nothing_in_the_table_is_a_list(table):
    """DVC drops lists from metrics."""

    def walk(value):
        assert not isinstance(value, list)
        for inner in value.values() if isinstance(value, dict) else ():
            walk(inner)

    walk(table)


def test_shuffled_labels_sit_at_chance(table):
    control = table["block"]["shuffled_labels"]["mean"]
    assert control["balanced_accuracy"] == pytest.approx(0.25, abs=0.08)
    assert control["macro_auroc"] == pytest.approx(0.5, abs=0.1)
    assert table["block"]["wide_kernel"]["mean"]["macro_auroc"] > 0.99


def test_the_gap_between_random_and_bearing_is_in_the_table(table):
    assert table["random"]["reference"]["mean"]["macro_f1"] > 0.98
    assert table["bearing"]["reference"]["mean"]["macro_f1"] < 0.75
    assert table["bearing"][HEADLINE]["mean"]["macro_f1"] > 0.88


def test_rigs_show_their_worst_and_the_rig_that_trains_is_none_of_them(table):
    if "rig" not in table:
        pytest.skip("RIGS SKIPPED: the committed table was made without their recordings")
    for network in ON_RIGS:
        entry = table["rig"][network]
        others = {rig: fold["macro_f1"] for rig, fold in entry["folds"].items() if rig != KNOWN}
        assert entry["worst"]["macro_f1"] == min(others.values()) == others[entry["worst"]["rig"]]
        assert entry["mean"]["macro_f1"] == pytest.approx(np.mean(list(others.values())), abs=1e-6)
    assert KNOWN not in table["rig"]["recording"]["folds"]
