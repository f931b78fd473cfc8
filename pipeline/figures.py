"""The pictures that the stages leave in assets/, in one look."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

matplotlib.use("agg")
INK, BLUE, ORANGE = "#22303c", "#2367a8", "#c8581a"
STYLE = {
    "figure.constrained_layout.use": True,
    "figure.dpi": 130,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)


def draw_training(history: pd.DataFrame, path: Path) -> None:
    """Draw loss and accuracy over the epochs, and the epoch that was kept."""
    with pyplot.rc_context(STYLE):
        figure, (losses, accuracy) = pyplot.subplots(1, 2, figsize=(8, 3))
        best = history.loc[history.validation_loss.idxmin()]
        losses.semilogy(history.epoch, history.training_loss, color=BLUE, label="training")
        losses.semilogy(history.epoch, history.validation_loss, color=ORANGE, label="validation")
        losses.plot(best.epoch, best.validation_loss, "o", color=ORANGE)
        losses.annotate(
            f"kept: epoch {best.epoch:.0f}",
            (best.epoch, best.validation_loss),
            (0.62, 0.42),
            textcoords="axes fraction",
            arrowprops={"arrowstyle": "-", "color": INK},
        )
        losses.set(title="Loss", xlabel="epoch", ylabel="cross-entropy (nats)")
        losses.legend()
        accuracy.plot(history.epoch, 100 * history.validation_accuracy, color=ORANGE)
        accuracy.set(title="Accuracy on the validation part", xlabel="epoch", ylabel="windows right (%)")
        accuracy.set_ylim(top=101)
        save(figure, path)


def draw_confusion(counts: dict[str, np.ndarray], classes: list[str], path: Path) -> None:
    """Draw {title: confusion matrix (classes, classes)} side by side, truth down, prediction across."""
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(1, len(counts), figsize=(4.2 * len(counts), 3.9), squeeze=False)
        for axis, (title, matrix) in zip(axes[0], counts.items(), strict=True):
            draw_matrix(axis, matrix, classes)
            axis.set(title=title, xlabel="predicted", ylabel="true")
        save(figure, path)


def draw_matrix(axis: Axes, matrix: np.ndarray, classes: list[str]) -> None:
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(range(len(classes)), classes)
    axis.set_yticks(range(len(classes)), classes, rotation=90, va="center")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    for (row, column), count in np.ndenumerate(matrix):
        color = "white" if share[row, column] > 0.5 else INK
        axis.text(column, row, f"{count:,}", ha="center", va="center", color=color, fontsize=11)


def draw_protocols(table: dict, path: Path) -> None:
    """Draw macro-F1 of every network on every protocol, with the spread over folds and seeds."""
    order = [
        name
        for name in ("random", "block", "load", "noise", "bearing", "combinations", "transfer", "rig", "machine")
        if name in table
    ]
    names = list(dict.fromkeys(network for protocol in order for network in table[protocol]))
    names = [name for name in names if name != "shuffled_labels"]
    with pyplot.rc_context(STYLE):
        figure, axis = pyplot.subplots(figsize=(10, 4.4))
        width = 0.8 / len(names)
        for number, network in enumerate(names):
            shown = [(x, table[protocol][network]) for x, protocol in enumerate(order) if network in table[protocol]]
            places = [x + (number - (len(names) - 1) / 2) * width for x, _ in shown]
            means = [entry["mean"]["macro_f1"] for _, entry in shown]
            spreads = [entry["spread"]["macro_f1"] for _, entry in shown]
            axis.bar(places, means, width * 0.92, yerr=spreads, label=NETWORKS[network][0], color=NETWORKS[network][1],
                     error_kw={"elinewidth": 0.8, "ecolor": INK})  # fmt: skip
            for place, mean in zip(places, means, strict=True):
                axis.text(place, 0.02, f"{mean:.2f}", rotation=90, ha="center", va="bottom", color="white", fontsize=7)
        axis.set_xticks(range(len(order)), [f"{name}\n{PROTOCOL_NOTES[name]}" for name in order], fontsize=8)
        axis.set(
            ylabel="macro-F1 on what was held out", ylim=(0, 1.05), title="What is left of 100 %, protocol by protocol"
        )
        axis.legend(ncols=len(names), loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=8, columnspacing=1.2)
        save(figure, path)


def draw_protocol_confusion(table: dict, headline: str, path: Path) -> None:
    """Draw the confusion matrices of random and bearing, of the reference and the headline network."""
    matrices = {}
    for network in ("reference", headline):
        for protocol in ("random", "bearing"):
            folds = table[protocol][network]["folds"].values()
            rows = {truth: row for fold in folds for truth, row in fold["confusion"].items()}
            classes = sorted(rows)
            total = np.zeros((len(classes), len(classes)), int)
            for fold in folds:
                for truth, row in fold["confusion"].items():
                    total[classes.index(truth)] += [row.get(name, 0) for name in classes]
            matrices[f"{NETWORKS[network][0]}: {protocol}"] = total
    draw_confusion(matrices, classes, path)


NETWORKS = {  # what a network is called in pictures, and its colour
    "reference": ("reference CNN", "#8a949e"),
    "wide_kernel": ("wide kernel (served, single windows)", BLUE),
    "simulation_only": ("simulation only", "#7aa66a"),
    "recording": ("recording diagnosis", ORANGE),
    "transfer_network": ("transfer CNN", "#b79ad0"),
    "transfer_network_adapted": ("transfer CNN, adapted", "#6d4a94"),
}
PROTOCOL_NOTES = {
    "random": "same\nrecordings",
    "block": "same\nrecordings",
    "load": "same\nbearings",
    "noise": "same\nbearings",
    "bearing": "unseen\nbearings",
    "combinations": "unseen\nbearings",
    "transfer": "same\nbearings",
    "rig": "unseen\nrig",
    "machine": "simulated\nmachines",
}
