import json

import numpy as np
import pytest

from pipeline import protocols
from pipeline.protocols import ALL, HEADLINE, TRIED, make_table, wilson
from pipeline.trials.scores import METRICS
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def table():
    return json.loads((ROOT / "assets" / "protocols.json").read_text())


def entry(f1: float, right: int) -> dict:
    scores = dict.fromkeys((*METRICS, "recordings_macro_f1"), f1)
    return scores | {"confusion": {"Ball": {"Ball": right, "Normal": 1}}}


def test_the_table_has_means_and_spreads_over_folds_and_seeds():
    results = {
        ("bearing", "recording", 0): {"0.007 in": entry(0.8, 3), "0.028 in": entry(0.1, 1)},
        ("bearing", "recording", 1): {"0.007 in": entry(0.6, 5), "0.028 in": entry(0.3, 2)},
    }
    made = make_table(results)["bearing"]["recording"]
    assert made["mean"]["macro_f1"] == pytest.approx(0.7)  # the other maker's diameter is apart
    assert made["spread"]["macro_f1"] == pytest.approx(0.1)
    assert made["folds"]["0.028 in"]["macro_f1"] == pytest.approx(0.2)
    assert made["folds"]["0.007 in"]["confusion"] == {"Ball": {"Ball": 8, "Normal": 2}}
    assert made["folds"]["0.007 in"]["seeds"] == 2


def test_the_interval_of_a_share_is_wilsons():
    assert wilson(1.0, 5) == pytest.approx((0.5655, 1.0), abs=1e-3)
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-3)


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


def test_a_trial_is_kept_until_what_it_rests_on_changes(monkeypatch, tmp_path):
    """The cache's name holds a hash of code, params and data; only the network that changed is tried again."""
    monkeypatch.chdir(tmp_path)
    for name in ("pipeline", "model"):
        (tmp_path / name).symlink_to(ROOT / name)
    for path in (protocols.SIMULATED, *(protocols.SCALED / f"{name}.npy" for name in ("as_recorded", "resampled"))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"data")
    for name in ("as_recorded", "resampled"):
        (protocols.WINDOWS / name).mkdir(parents=True)
        (protocols.WINDOWS / name / "metadata.csv").write_text("recording\n")
    protocols.LINES.mkdir()
    (protocols.LINES / "clean.npz").write_bytes(b"lines")
    text = (ROOT / "params.yaml").read_text()

    def fingerprints(params_text: str) -> dict[str, str]:
        (tmp_path / "params.yaml").write_text(params_text)
        protocols.fingerprint.cache_clear()
        return {network: protocols.fingerprint(network, False) for network in TRIED}

    before = fingerprints(text)
    assert before == fingerprints(text)
    changed = fingerprints(text.replace("regularisation: 0.2", "regularisation: 0.3"))
    assert {name for name in TRIED if changed[name] != before[name]} == {"recording", "simulation_only"}
    changed = fingerprints(text.replace("speed_jitter: 0.03", "speed_jitter: 0.04"))
    assert {name for name in TRIED if changed[name] != before[name]} == {"transfer_network", "transfer_network_adapted"}
    (protocols.LINES / "clean.npz").write_bytes(b"other lines")
    assert {name for name in TRIED if fingerprints(text)[name] != before[name]} == {"recording", "simulation_only"}
    protocols.fingerprint.cache_clear()
