import pytest

from pipeline.trials.scores import METRICS
from pipeline.trials.table import add_rigs, make_table


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


def test_rigs_join_the_table_at_their_stated_rate_without_a_baseline():
    def tried(f1: float) -> dict:
        return {
            "without baseline": {"stated": entry(f1, 1), "+5 %": entry(0, 0)},
            "with baseline": {"stated": entry(1, 2)},
        }

    table = {"rig": {"wide_kernel": {}}}
    add_rigs(table, {"recording": {"a": tried(0.5), "b": tried(0.75)}, "simulation_only": {"cwru": tried(0.25)}})
    assert set(table["rig"]) == {"wide_kernel", "recording"}, "there is no other rig without its recordings"
    made = table["rig"]["recording"]
    assert (made["mean"]["macro_f1"], made["spread"]["macro_f1"]) == (0.625, 0.125)
    assert made["worst"] == {"rig": "a", "macro_f1": 0.5}
    assert set(made["folds"]) == {"a", "b"}
    add_rigs(table, {"simulation_only": {"a": tried(0.5), "cwru": tried(0.1)}})
    assert table["rig"]["simulation_only"]["mean"]["macro_f1"] == 0.5
    assert set(table["rig"]["simulation_only"]["folds"]) == {"a", "cwru"}


def test_a_score_that_a_rig_cannot_have_is_left_out_of_the_mean():
    single = entry(0.5, 1)
    single.pop("macro_auroc")
    results = {("rig", "wide_kernel", 0): {"a": entry(0.25, 1), "healthy alone": single}}
    mean = make_table(results)["rig"]["wide_kernel"]["mean"]
    assert (mean["macro_auroc"], mean["macro_f1"]) == (0.25, 0.375)
