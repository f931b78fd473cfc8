"""Stage evaluate: score the hold-out through the code that serves, and write the model card."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, recall_score

from api.window.answers import analyse
from api.window.predictor import Predictor
from pipeline import figures, params
from pipeline.catalogue import read_metadata
from pipeline.params import ASSETS, HOLDOUT, SPLIT, WINDOWS

ROWS = {"resampled": "holdout", "as_recorded": "reference"}


def main() -> None:
    metrics, matrices, predictors = {}, {}, {}
    for setting, assets in params.load("settings").items():
        row = ROWS[setting]
        predictor = predictors[row] = Predictor(Path(assets))
        windows, truth = load_holdout(setting)
        probabilities = predictor.predict(windows)
        metrics[row] = score(truth.label, probabilities, predictor.classes)
        matrices[row] = count(truth.label, probabilities, predictor.classes)
        if row == "holdout":
            save_holdout(windows, truth, probabilities, predictor.classes)
    (ASSETS / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    titles = {"holdout": "Served: every recording at one rate", "reference": "Reference protocol: rates as recorded"}
    classes = predictors["holdout"].classes
    figures.draw_confusion({titles[row]: matrices[row] for row in matrices}, classes, ASSETS / "confusion.png")
    (ASSETS / "model_card.md").write_text(write_card(metrics, predictors))
    answer_example(predictors["holdout"])
    for row, scores in metrics.items():
        print(f"{row}: accuracy {scores['accuracy']:.4f}, balanced accuracy {scores['balanced_accuracy']:.4f}")


def load_holdout(setting: str) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the raw held-out windows (windows, window_length) and their metadata."""
    held_out = (pd.read_csv(SPLIT / f"{setting}.csv").part == "holdout").to_numpy()
    metadata = read_metadata(WINDOWS / setting / "metadata.csv")
    return np.load(WINDOWS / setting / "windows.npy")[held_out], metadata[held_out].reset_index(drop=True)


def score(truth: pd.Series, probabilities: np.ndarray, classes: list[str]) -> dict:
    """Return accuracy, balanced accuracy, macro-F1, and recall and number of windows of each class."""
    predictions = np.array(classes)[probabilities.argmax(axis=1)]
    recall = recall_score(truth, predictions, labels=classes, average=None, zero_division=np.nan)
    return {
        "accuracy": float(accuracy_score(truth, predictions)),
        "balanced_accuracy": float(balanced_accuracy_score(truth, predictions)),
        "macro_f1": float(f1_score(truth, predictions, labels=sorted(truth.unique()), average="macro")),
        "recall": {name: float(value) for name, value in zip(classes, recall, strict=True) if name in set(truth)},
        "windows": truth.value_counts().sort_index().to_dict(),
    }


def count(truth: pd.Series, probabilities: np.ndarray, classes: list[str]) -> np.ndarray:
    """Return the confusion matrix (classes, classes): truth down, prediction across."""
    return confusion_matrix(truth, np.array(classes)[probabilities.argmax(axis=1)], labels=classes)


def save_holdout(windows: np.ndarray, truth: pd.DataFrame, probabilities: np.ndarray, classes: list[str]) -> None:
    """Keep the held-out records, their truth and the expected answers: the stage service replays them over HTTP."""
    HOLDOUT.mkdir(parents=True, exist_ok=True)
    np.save(HOLDOUT / "records.npy", windows)
    np.save(HOLDOUT / "probabilities.npy", probabilities)
    truth.to_csv(HOLDOUT / "truth.csv", index=False, lineterminator="\n")
    predictions = np.array(classes)[probabilities.argmax(axis=1)]
    pairs = pd.DataFrame({"actual": truth.label, "predicted": predictions})
    pairs.to_csv(ASSETS / "confusion.csv", index=False, lineterminator="\n")


def answer_example(predictor: Predictor) -> None:
    """Write the answers to the synthetic records, which check a service without any recording."""
    records = np.array([item["record"] for item in json.loads((ASSETS / "example.json").read_text())], np.float32)
    answer = {"Analysis": json.loads(analyse(predictor.predict(records).tolist(), predictor.classes))}
    (ASSETS / "example_answer.json").write_text(json.dumps(answer, indent=1) + "\n")


def write_card(metrics: dict, predictors: dict[str, Predictor]) -> str:
    """Return the model card: data used, protocol, scores and limits, from what the stages measured."""
    served = predictors["holdout"]
    facts = served.trained_on
    excerpts = ", ".join(facts["excerpts"])
    recordings = f"{facts['recordings']} recordings" + (
        f"; the originals of {excerpts} could not be had, shorter excerpts stand in for them" if excerpts else ""
    )
    rate = "each recording's own rate" if served.sampling_rate is None else f"{served.sampling_rate:g} Hz"
    band = "no band limit" if served.band_limit is None else f"band-limited to {served.band_limit:g} Hz"
    trained = ", ".join(f"{name} {number:,}" for name, number in facts["windows_of_class"].items())
    return "\n".join(
        [
            "# Model card",
            "",
            "Generated by `pipeline.evaluate`; do not edit.",
            "",
            "## Data",
            f"- {recordings}.",
            f"- Records of {served.window_length:,} samples at {rate}, {band} and z-scored one by one in the graph.",
            f"- Trained and selected on {sum(facts['windows_of_class'].values()):,} windows: {trained}.",
            "",
            "## Scores",
            f"Protocol `{facts['protocol']}`: a random part of the windows is held out and scored once, through the "
            "code that serves.",
            "",
            "| | windows held out | accuracy | balanced accuracy | macro-F1 | " + " | ".join(served.classes) + " |",
            "|---" * (5 + len(served.classes)) + "|",
            *(write_row(row, metrics[row], predictors[row]) for row in metrics),
            "",
            "The class columns are recalls.",
            "",
            "## Limits",
            f"- The `{facts['protocol']}` protocol leaks: windows of one recording, so of one physical bearing, lie on "
            "both sides. These scores say how well the network knows these bearings again. They say nothing about "
            "a bearing or a machine that it has not seen.",
            "- In the reference row recordings keep their own rates. Where healthy and damaged bearings were recorded "
            "at different rates, as in the CWRU data, a network can tell them apart by the rate alone.",
            "- One of the classes is always answered, also for a signal unlike anything in training.",
            "",
        ]
    )


def write_row(row: str, scores: dict, predictor: Predictor) -> str:
    name = {"holdout": "served", "reference": "reference protocol"}[row]
    values = [scores["accuracy"], scores["balanced_accuracy"], scores["macro_f1"]]
    values += [scores["recall"].get(label, float("nan")) for label in predictor.classes]
    windows = sum(scores["windows"].values())
    return f"| {name} | {windows:,} | " + " | ".join(f"{value:.4f}" for value in values) + " |"


if __name__ == "__main__":
    params.run_stage(main)
