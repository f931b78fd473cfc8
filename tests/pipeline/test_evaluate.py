import json

import numpy as np
import onnx
import pandas as pd
import pytest

from pipeline.evaluate import count, score
from tests.conftest import ROOT

CLASSES = ["A", "B", "C"]
TRUTH = pd.Series(["A"] * 6 + ["B"] * 3 + ["C"])
PREDICTIONS = ["A"] * 5 + ["B"] + ["B"] * 2 + ["A"] + ["C"]
PROBABILITIES = np.eye(3)[[CLASSES.index(label) for label in PREDICTIONS]]


def test_scores_follow_their_formulas():
    scores = score(TRUTH, PROBABILITIES, CLASSES)
    assert scores["accuracy"] == pytest.approx(8 / 10)
    assert scores["recall"] == pytest.approx({"A": 5 / 6, "B": 2 / 3, "C": 1})
    assert scores["balanced_accuracy"] == pytest.approx((5 / 6 + 2 / 3 + 1) / 3)
    # F1 is 2 x hits / (predicted + true): A 10/12, B 4/6, C 2/2.
    assert scores["macro_f1"] == pytest.approx((10 / 12 + 4 / 6 + 1) / 3)
    assert scores["windows"] == {"A": 6, "B": 3, "C": 1}


def test_a_class_without_windows_has_no_recall():
    scores = score(TRUTH[:9], PROBABILITIES[:9], CLASSES)
    assert scores["recall"] == pytest.approx({"A": 5 / 6, "B": 2 / 3})
    assert scores["balanced_accuracy"] == pytest.approx((5 / 6 + 2 / 3) / 2)


def test_the_confusion_matrix_has_truth_down_and_prediction_across():
    assert count(TRUTH, PROBABILITIES, CLASSES).tolist() == [[5, 1, 0], [1, 2, 0], [0, 0, 1]]


def test_the_committed_metrics_hold_both_protocols_and_the_card_repeats_them():
    metrics = json.loads((ROOT / "assets" / "metrics.json").read_text())
    card = (ROOT / "assets" / "model_card.md").read_text()
    assert set(metrics) == {"holdout", "reference"}
    for scores in metrics.values():
        assert f"{scores['balanced_accuracy']:.4f} | {scores['macro_f1']:.4f}" in card
    facts = {entry.key: entry.value for entry in onnx.load(ROOT / "assets" / "model.onnx").metadata_props}
    for excerpt in json.loads(facts["trained_on"])["excerpts"]:
        assert excerpt in card
    assert "leaks" in card
