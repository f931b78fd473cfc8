"""The picture of what one record becomes on its way through the network."""

from pathlib import Path

import numpy as np
import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from pipeline.figures import BLUE, INK, STYLE, save


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
        axis.plot(number - 0.5 * kernel / np.abs(kernel).max(), linewidth=0.9)  # the axis counts downwards
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
