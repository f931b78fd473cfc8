"""The other rig: its recordings, which train nothing, and how answers about them are scored."""

import json

import numpy as np

from model.recording.classes import CLASSES
from model.recording.recording import Recording
from pipeline.params import RIG
from pipeline.trials.scores import Entry, assess

RACES = ("InnerRace", "OuterRace")
FAULT_OR_NOT = ("Fault", "Normal")


def list_rig() -> list[dict]:
    """Return name, label, sampling_rate (Hz) and rpm of each recording that the stage rig found, maybe none."""
    return json.loads((RIG / "recordings.json").read_text())


def load_rig() -> list[tuple[str, Recording]]:
    """Return (label, recording) of each."""
    return [
        (fact["label"], Recording(np.load(RIG / f"{fact['name']}.npy"), fact["sampling_rate"], fact["rpm"],
                                  name=fact["name"]))
        for fact in list_rig()
    ]  # fmt: skip


def assess_rig(answers: np.ndarray, truth: np.ndarray, names: np.ndarray) -> dict[str, Entry]:
    """Return the scores of inner against outer race, and of fault against healthy, from four probabilities.

    answers (windows, 4) in the order of CLASSES, truth and the recordings' names (windows,).
    """
    race = np.isin(truth, RACES)
    races = answers[:, [CLASSES.index(name) for name in RACES]]
    races = races / np.maximum(races.sum(axis=1, keepdims=True), 1e-300)
    healthy = answers[:, CLASSES.index("Normal")]
    return {
        "inner or outer": assess(truth[race], races[race], RACES, names[race]),
        "fault or healthy": assess_detection(truth, 1 - healthy, names),
    }


def assess_detection(truth: np.ndarray, fault: np.ndarray, names: np.ndarray) -> Entry:
    """Return scores of P(fault) (windows,), with the shares of faulty and of healthy windows called faulty."""
    labels = np.where(truth == "Normal", "Normal", "Fault")
    entry = assess(labels, np.stack([fault, 1 - fault], axis=1), FAULT_OR_NOT, names)
    return entry | {
        "true_positive_rate": float((fault[labels == "Fault"] > 0.5).mean()),
        "false_positive_rate": float((fault[labels == "Normal"] > 0.5).mean()),
    }
