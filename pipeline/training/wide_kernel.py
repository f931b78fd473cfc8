"""Training of the wide-kernel network, for the stage and for the protocols."""

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import trange

from model.window.wide_kernel import WideKernelCNN
from pipeline.params import InputError
from pipeline.training.seeds import set_seed


def train(
    training: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    classes: int,
    network: dict[str, int],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    threads: int,
    noise: list[float] | None = None,
) -> tuple[WideKernelCNN, pd.DataFrame]:
    """Return the network of the epoch with the smallest validation loss, and one row of history an epoch.

    training and validation are scaled windows (windows, window_length) and their class numbers (windows,). noise is the
    range of signal-to-noise ratios (dB) that half of each batch gets; None for none.
    """
    set_seed(seed)
    torch.set_num_threads(threads)
    net = WideKernelCNN(training[0].shape[-1], classes, **network)
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    steps = epochs * -(-len(training[0]) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    history = []
    best_loss, best_state = float("inf"), {}
    progress = trange(epochs, desc="train", unit="epoch", disable=None)
    for epoch in progress:
        training_loss = run_epoch(net, optimizer, schedule, *training, batch_size, noise)
        loss, accuracy = score(net, *validation)
        history.append((epoch + 1, training_loss, loss, accuracy))
        progress.set_postfix(validation_loss=f"{loss:.4f}", validation_accuracy=f"{accuracy:.4f}")
        if loss < best_loss:
            best_loss, best_state = loss, {name: value.clone() for name, value in net.state_dict().items()}
    if not best_state:
        raise InputError("the validation loss was never a number: lower train.learning_rate")
    net.load_state_dict(best_state)
    return net, pd.DataFrame(history, columns=["epoch", "training_loss", "validation_loss", "validation_accuracy"])


def run_epoch(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    windows: Tensor,
    targets: Tensor,
    batch_size: int,
    noise: list[float] | None,
) -> float:
    """Take one optimisation step a batch, in random order, and return the mean loss."""
    total = 0.0
    for batch in torch.randperm(len(windows)).split(batch_size):
        seen = windows[batch] if noise is None else add_noise(windows[batch], *noise)
        loss = functional.cross_entropy(net(seen), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item() * len(batch)
    return total / len(windows)


def add_noise(windows: Tensor, lowest: float, highest: float) -> Tensor:
    """Return z-scored windows, every second one with white noise of a signal-to-noise ratio (dB) drawn for it."""
    snr_db = lowest + (highest - lowest) * torch.rand(len(windows), 1)
    power = 10 ** (-snr_db / 10)
    power[::2] = 0
    return (windows + power.sqrt() * torch.randn_like(windows)) / (1 + power).sqrt()


@torch.inference_mode()
def score(net: nn.Module, windows: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy."""
    logits = net(windows)
    return (
        functional.cross_entropy(logits, targets).item(),
        (logits.argmax(dim=-1) == targets).float().mean().item(),
    )
