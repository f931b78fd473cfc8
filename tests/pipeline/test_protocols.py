"""The committed table: its form, and what has to be true of it."""

import json

import numpy as np
import pytest

from pipeline.trials.jobs import ALL, TRIED
from pipeline.trials.scores import METRICS
from pipeline.trials.table import HEADLINE
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def table():
    return json.loads((ROOT / "assets" / "protocols.json").read_text())


def test_the_committed_table_has_the_form_that_others_read(table):
    assert table.pop("headline_network") == HEADLINE
    assert set(table) <= {*ALL, "transfer"}
    assert {"random", "block", "load", "bearing", "combinations", "noise", "transfer"} <= set(table)
    for protocol, networks in table.items():
        assert set(networks) == {name for name, tried in TRIED.items() if protocol in tried}
        for made in networks.values():
            assert set(METRICS) <= set(made["mean"])
            assert set(made["mean"]) == set(made["spread"])
            assert all(fold["seeds"] >= 3 for fold in made["folds"].values())
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
