import numpy as np
import pytest

from pipeline.trials.scores import calibration_error, count, score

CLASSES = ("a", "b", "c")


def test_perfect_answers_score_one_and_are_calibrated():
    truth = np.array(list("aabbcc"))
    answers = np.eye(3)[[0, 0, 1, 1, 2, 2]]
    assert score(truth, answers, CLASSES) == {
        "macro_f1": 1.0, "balanced_accuracy": 1.0, "macro_auroc": 1.0, "ece": 0.0,
    }  # fmt: skip


def test_a_class_that_never_occurs_does_not_count():
    truth = np.array(list("aab"))
    answers = np.array([[0.8, 0.1, 0.1], [0.2, 0.1, 0.7], [0.1, 0.8, 0.1]])
    scores = score(truth, answers, CLASSES)
    assert scores["balanced_accuracy"] == pytest.approx((0.5 + 1) / 2)
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy():
    truth = np.array(["a"] * 6 + ["b"] * 4)
    answers = np.tile([0.9, 0.1, 0.0], (10, 1))
    assert calibration_error(truth, answers, CLASSES) == pytest.approx(0.9 - 0.6)
    answers[:5] = [0.6, 0.4, 0.0]  # two bins: 5 right of 5 at 0.6, 1 of 5 right at 0.9
    assert calibration_error(truth, answers, CLASSES) == pytest.approx(0.5 * 0.4 + 0.5 * 0.7)


def test_the_confusion_matrix_has_truth_down():
    truth = np.array(list("abb"))
    answers = np.array([[0.1, 0.9, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert count(truth, answers, CLASSES) == [[0, 1, 0], [0, 1, 1], [0, 0, 0]]
