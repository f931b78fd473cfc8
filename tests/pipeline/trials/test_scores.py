import numpy as np
import pytest

from pipeline.trials.scores import calibration_error, count, score, score_rig

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


def test_a_rig_is_counted_by_what_its_answers_name():
    truth = np.array(["Normal"] * 4 + ["InnerRace"] * 4 + ["OuterRace"] * 2 + ["Ball"])
    healthy, inner = ["Normal", "Normal", "Ball", "Unknown"], ["InnerRace", "OuterRace", "Ball", "Unknown"]
    predictions = np.array([*healthy, *inner, "OuterRace", "Normal", "Ball"])
    entry = score_rig(truth, predictions, np.full((11, 4), 0.25))
    counts = {name: value for name, value in entry.items() if isinstance(value, int)}
    assert counts == {
        "recordings": 11, "healthy": 4, "healthy_called_faulty": 1, "healthy_uncertain": 1, "race_faults": 6,
        "race_faults_found": 4, "race_faults_right": 2, "races_named": 3, "ball_faults": 1, "ball_faults_found": 1,
        "ball_faults_right": 1,
    }  # fmt: skip
    assert entry["confusion"]["InnerRace"] == {"Ball": 1, "InnerRace": 1, "Normal": 0, "OuterRace": 1, "Unknown": 1}
    # F1 is 2 right / (named + there): Ball 2/4, InnerRace 2/5, Normal 4/7, OuterRace 2/4.
    assert entry["macro_f1"] == pytest.approx((2 / 4 + 2 / 5 + 4 / 7 + 2 / 4) / 4)
    assert entry["balanced_accuracy"] == pytest.approx((1 + 1 / 4 + 2 / 4 + 1 / 2) / 4)


def test_a_single_class_has_no_auroc_and_nothing_tried_no_scores():
    answers = np.tile([0.1, 0.1, 0.7, 0.1], (2, 1))
    assert "macro_auroc" not in score_rig(np.array(["Normal"] * 2), np.array(["Normal"] * 2), answers)
    assert "macro_auroc" not in score(np.array(["Normal"] * 2), answers, ("Ball", "InnerRace", "Normal", "OuterRace"))
    assert score_rig(np.array([]), np.array([]), np.empty((0, 4))) == {"recordings": 0}
