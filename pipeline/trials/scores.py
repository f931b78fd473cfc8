"""Scores of class probabilities against the truth."""

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score, recall_score, roc_auc_score

from model.recording.classes import CLASSES, FAULTS, UNKNOWN, pool_windows

METRICS = ("macro_f1", "balanced_accuracy", "macro_auroc", "ece")
BINS = 15
RACES = ("InnerRace", "OuterRace")
STATED = "stated"  # a rig's own sampling rate, among wrong ones
WITHOUT, WITH = "without baseline", "with baseline"

Entry = dict[str, float | dict]


def assess(truth: np.ndarray, answers: np.ndarray, classes: tuple[str, ...], recordings: np.ndarray) -> Entry:
    """Return the scores of answers (windows, classes), those of whole recordings, and the windows' confusion matrix."""
    names = list(dict.fromkeys(recordings))
    whole = np.stack([pool_windows(answers[recordings == name]) for name in names])
    whole_truth = np.array([truth[recordings == name][0] for name in names])
    matrix = count(truth, answers, classes)
    return score(truth, answers, classes) | {
        "recordings_macro_f1": score(whole_truth, whole, classes)["macro_f1"],
        "confusion": {
            name: dict(zip(classes, row, strict=True)) for name, row in zip(classes, matrix, strict=True) if sum(row)
        },
    }


def score(truth: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    """Return macro-F1, balanced accuracy, macro AUROC (one against the rest) and ECE, over the classes in truth (n,).

    Of a single class there is no AUROC.

    probabilities (n, classes).
    """
    present = [name for name in classes if name in set(truth)]
    predictions = np.array(classes)[probabilities.argmax(axis=1)]
    return {
        "macro_f1": float(f1_score(truth, predictions, labels=present, average="macro")),
        # The balanced accuracy; the function of that name warns where a class is predicted that does not occur.
        "balanced_accuracy": float(recall_score(truth, predictions, labels=present, average="macro")),
        "ece": calibration_error(truth, probabilities, classes),
    } | score_areas(truth, probabilities, classes)


def score_areas(truth: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    present = [name for name in classes if name in set(truth)]
    if len(present) < 2:
        return {}
    areas = [roc_auc_score(truth == name, probabilities[:, classes.index(name)]) for name in present]
    return {"macro_auroc": float(np.mean(areas))}


def calibration_error(truth: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...]) -> float:
    """Return the expected calibration error: mean gap of confidence and accuracy over BINS bins, by their share.

    Formula: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 5.
    """
    confidence = probabilities.max(axis=1)
    right = np.array(classes)[probabilities.argmax(axis=1)] == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [(bins == number).mean() * abs(confidence[bins == number].mean() - right[bins == number].mean())
            for number in np.unique(bins)]  # fmt: skip
    return float(sum(gaps))


def count(truth: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...]) -> list[list[int]]:
    """Return the confusion matrix: truth down, prediction across."""
    predictions = np.array(classes)[probabilities.argmax(axis=1)]
    return confusion_matrix(truth, predictions, labels=list(classes)).tolist()


def score_rig(truth: np.ndarray, predictions: np.ndarray, probabilities: np.ndarray) -> Entry:
    """Return counts and scores of the answers about recordings of one rig.

    truth (n,) holds labels, predictions (n,) labels or UNKNOWN, which is always wrong; probabilities (n, classes) in
    the order of CLASSES. races_named counts the race faults that were named as one of either race.
    """
    if not len(truth):
        return {"recordings": 0}
    healthy, named = truth == "Normal", np.isin(predictions, FAULTS)
    race, ball, right = np.isin(truth, RACES), truth == "Ball", predictions == truth
    counts = {
        "healthy": healthy,
        "healthy_called_faulty": healthy & named,
        "healthy_uncertain": healthy & (predictions == UNKNOWN),
        "race_faults": race,
        "race_faults_found": race & named,
        "race_faults_right": race & right,
        "races_named": race & np.isin(predictions, RACES),
        "ball_faults": ball,
        "ball_faults_found": ball & named,
        "ball_faults_right": ball & right,
    }
    present = [name for name in CLASSES if name in set(truth)]
    f1 = float(f1_score(truth, predictions, labels=present, average="macro", zero_division=0))
    return (
        {"recordings": len(truth)}
        | {name: int(mask.sum()) for name, mask in counts.items()}
        | {
            "macro_f1": f1,
            "recordings_macro_f1": f1,
            "balanced_accuracy": float(recall_score(truth, predictions, labels=present, average="macro")),
            "ece": calibration_error(truth, probabilities, CLASSES),
        }
        | score_areas(truth, probabilities, CLASSES)
        | {"confusion": count_answers(truth, predictions)}
    )


def count_answers(truth: np.ndarray, predictions: np.ndarray) -> dict[str, dict[str, int]]:
    return {
        label: {answer: int(((truth == label) & (predictions == answer)).sum()) for answer in (*CLASSES, UNKNOWN)}
        for label in CLASSES
        if label in set(truth)
    }
