"""Trials of the transfer network: learn at one motor load, answer at another; its layers and training are here too."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.training.seeds import set_seed
from pipeline.training.wide_kernel import add_noise
from pipeline.trials.scores import Entry
from pipeline.trials.windows import Answer, load_windows, to_probabilities, try_transfer

SETTING = "resampled"


def try_networks(seed: int, training: dict[str, Any]) -> dict[str, dict[str, Entry]]:
    """Return {network: {fold: scores}} of the network as trained, and of the same one adapted.

    training holds the arguments of train_transfer_network from steps on. The adapted network takes the batch-norm
    statistics of the unlabelled windows that it is asked about. Method: Li et al., Revisiting Batch Normalization For
    Practical Domain Adaptation, arXiv 1603.04779.
    """
    windows = load_windows(SETTING)
    trained: dict[bytes, TransferCNN] = {}

    def network_of(labels: np.ndarray, mask: np.ndarray) -> TransferCNN:
        key = mask.tobytes()
        if key not in trained:
            trained[key] = train_transfer_network(windows.scaled, labels, mask, seed, **training)
        return trained[key]

    def fit(labels: np.ndarray, mask: np.ndarray) -> Answer:
        network = network_of(labels, mask)
        return lambda held_out: to_probabilities(network, held_out)

    def fit_adapted(labels: np.ndarray, mask: np.ndarray) -> Answer:
        network = network_of(labels, mask)
        return lambda held_out: to_probabilities(adapt(network, held_out), held_out)

    return {
        "transfer_network": try_transfer(fit, windows),
        "transfer_network_adapted": try_transfer(fit_adapted, windows),
    }


class TransferCNN(nn.Module):
    """Classify scaled windows (batch, window_length) to logits (batch, classes).

    Layers: Zhang et al., A New Deep Learning Model for Fault Diagnosis, Sensors 17 (2017) 425 (WDCNN), with the mean
    over time in place of its dense layer, so that what is learned does not depend on where in the window it lies.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *layer(1, 16, kernel_length=64, stride=8),
            *layer(16, 32, kernel_length=3),
            *layer(32, 64, kernel_length=3),
            *layer(64, 64, kernel_length=3),
            *layer(64, 64, kernel_length=3),
        )
        self.linear = nn.Linear(64, classes)

    def forward(self, windows: Tensor) -> Tensor:
        return self.linear(self.features(windows.unsqueeze(1)).mean(dim=-1))


def layer(channels: int, out: int, kernel_length: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv1d(channels, out, kernel_length, stride, padding=(kernel_length - stride + 1) // 2, bias=False)
    return [convolution, nn.BatchNorm1d(out), nn.ReLU(), nn.MaxPool1d(2)]


def train_transfer_network(
    scaled: Tensor,
    labels: np.ndarray,
    training: np.ndarray,
    seed: int,
    steps: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    noise: list[float],
    speed_jitter: float,
) -> TransferCNN:
    """Return the network trained on scaled windows, classes drawn alike; each window is noisy, shifted and at another
    speed every time it is seen."""
    set_seed(seed)
    classes = sorted(set(labels[training]))
    members = [torch.from_numpy(np.flatnonzero(training & (labels == name))) for name in classes]
    net = TransferCNN(len(classes)).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    for _ in range(steps):
        targets = torch.randint(len(classes), (batch_size,))
        batch = torch.stack([members[target][torch.randint(len(members[target]), ())] for target in targets])
        seen = add_noise(change_speed(scaled[batch], speed_jitter), *noise)
        loss = functional.cross_entropy(net(seen), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def change_speed(windows: Tensor, most: float) -> Tensor:
    """Return windows (batch, samples) stretched or squeezed by up to `most`, from a random start."""
    batch, samples = windows.shape
    stretch = 1 + most * (2 * torch.rand(batch, 1) - 1)
    position = (torch.rand(batch, 1) * samples + torch.arange(samples) * stretch) % (samples - 1)
    before = position.long()
    later = position - before
    return windows.gather(1, before) * (1 - later) + windows.gather(1, before + 1) * later


def adapt(network: TransferCNN, windows: Tensor) -> TransferCNN:
    """Return a copy of the network with the batch-norm statistics of these unlabelled windows."""
    adapted = TransferCNN(network.linear.out_features)
    adapted.load_state_dict(network.state_dict())
    adapted.train()
    for module in adapted.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = None  # the plain mean over all that is seen
            module.reset_running_stats()
    with torch.no_grad():
        adapted(windows)
    return adapted.eval()
