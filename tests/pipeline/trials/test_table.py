import pytest

from pipeline.trials.scores import METRICS
from pipeline.trials.table import make_table


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
