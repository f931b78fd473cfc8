"""The pictures that the stages leave in assets/, in one look."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

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


@torch.inference_mode()
def draw_architecture(
    diagnosis: nn.Sequential, record: np.ndarray, classes: list[str], sampling_rate: float | None, path: Path
) -> None:
    """Draw what one record becomes on its way through the trained diagnosis, with the kernels that were learned."""
    front_end, network, softmax = diagnosis
    scaled = front_end(torch.from_numpy(record).unsqueeze(0))
    features = network.convolution(scaled.unsqueeze(1)).tanh()
    pooled = network.pool(features)[0].numpy()
    probabilities = softmax(network(scaled))[0].numpy()
    kernels = network.convolution.weight[:, 0].numpy()
    with pyplot.rc_context(STYLE):
        figure = pyplot.figure(figsize=(11, 4.6))
        grid = figure.add_gridspec(2, 4, width_ratios=[1.35, 1, 1.1, 0.9])
        draw_record(figure.add_subplot(grid[0, 0]), record, "1  Raw record (made up)", "amplitude (any unit)", INK)
        scaling = "Band-limited, z-scored" if front_end.limits_band else "Z-scored"
        draw_record(figure.add_subplot(grid[1, 0]), scaled[0].numpy(), f"2  {scaling}", "standard deviations", BLUE)
        draw_kernels(figure.add_subplot(grid[0, 1]), kernels)
        draw_responses(figure.add_subplot(grid[1, 1]), kernels, sampling_rate)
        draw_map(figure, figure.add_subplot(grid[0, 2]), features[0, :, :400].numpy(), "4  tanh", "sample")
        draw_map(
            figure, figure.add_subplot(grid[1, 2]), pooled, f"5  Mean of each {network.pool.kernel_size[0]}", "pool"
        )
        draw_probabilities(figure.add_subplot(grid[:, 3]), probabilities, classes)
        count = sum(parameter.numel() for parameter in network.parameters())
        figure.suptitle(
            f"From a raw record to {len(classes)} probabilities: {count:,} learned parameters", x=0.01, ha="left"
        )
        save(figure, path)


def draw_record(axis: Axes, record: np.ndarray, title: str, unit: str, color: str) -> None:
    axis.plot(record, color=color, linewidth=0.6)
    axis.set(title=title, xlabel="sample", ylabel=unit, xlim=(0, len(record)))


def draw_kernels(axis: Axes, kernels: np.ndarray) -> None:
    for number, kernel in enumerate(kernels, start=1):
        axis.plot(number + 0.5 * kernel / np.abs(kernel).max(), linewidth=0.9)
    axis.set_yticks(range(1, len(kernels) + 1))
    axis.invert_yaxis()
    axis.set(title="3  Learned kernels", xlabel="sample", ylabel="channel")


def draw_responses(axis: Axes, kernels: np.ndarray, sampling_rate: float | None) -> None:
    gain = np.abs(np.fft.rfft(kernels, 1024, axis=1))
    frequency = np.fft.rfftfreq(1024, 1 / (sampling_rate or 1))
    axis.plot(frequency, gain.T, linewidth=0.9)
    unit = "Hz" if sampling_rate else "cycles a sample"
    axis.set(title="     what they listen to", xlabel=f"frequency ({unit})", ylabel="gain", xlim=(0, frequency[-1]))


def draw_map(figure: Figure, axis: Axes, values: np.ndarray, title: str, step: str) -> None:
    image = axis.imshow(values, aspect="auto", cmap="RdBu", vmin=-1, vmax=1, interpolation="nearest")
    axis.set_yticks(range(len(values)), range(1, len(values) + 1))
    axis.set(title=title, xlabel=step, ylabel="channel")
    figure.colorbar(image, ax=axis, shrink=0.8)


def draw_probabilities(axis: Axes, probabilities: np.ndarray, classes: list[str]) -> None:
    axis.barh(classes, probabilities, color=BLUE, height=0.5)
    axis.invert_yaxis()
    for row, probability in enumerate(probabilities):
        axis.text(min(probability, 0.8) + 0.02, row - 0.32, f"{probability:.3f}", va="bottom")
    axis.set(title="6  Linear, softmax", xlabel="probability", xlim=(0, 1))


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
