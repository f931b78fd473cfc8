"""The network that reads line heights, one small net for every band, pooled over the bands; and its training."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from model.recording.classes import CLASSES
from model.recording.lines import Features
from pipeline.training.seeds import set_seed


class LineNetwork(nn.Module):
    """Classify line heights (batch, bands, lines) and log envelope moments (batch, bands) to logits (batch, classes).

    Bands may be left out: the pool is over those that are given. `model.recording.experts` computes the same in numpy.
    """

    def __init__(self, lines: int, classes: int, hidden: int, pooled: int, head: int) -> None:
        super().__init__()
        self.band_in, self.band_out = nn.Linear(lines, hidden), nn.Linear(hidden, pooled)
        self.head_in, self.head_out = nn.Linear(2 * pooled + 2, head), nn.Linear(head, classes)

    def forward(self, lines: Tensor, moments: Tensor) -> Tensor:
        bands = self.band_out(nn.functional.silu(self.band_in(lines)))
        largest, mean = moments.amax(dim=1, keepdim=True), moments.mean(dim=1, keepdim=True)
        pooled = torch.cat([bands.logsumexp(dim=1), bands.mean(dim=1), largest, mean], dim=1)
        return self.head_out(nn.functional.silu(self.head_in(pooled)))


def train_line_network(
    features: Features,
    labels: np.ndarray,
    seed: int,
    network: dict[str, int],
    steps: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    dropout: float,
    jitter: float,
    least_bands: int,
    quiet_line: float,
) -> dict[str, np.ndarray]:
    """Return the weights, by name, of a LineNetwork trained on simulated windows and their labels (windows,).

    A share `dropout` of the lines is replaced by quiet_line and `jitter` (natural logarithm) added, so that no single
    line decides; half the batches see least_bands or more bands, drawn anew.
    """
    set_seed(seed)
    lines, moments = torch.from_numpy(features.lines), torch.from_numpy(features.moments)
    targets = torch.from_numpy(pd.Categorical(labels, CLASSES).codes.astype(np.int64))
    bands = lines.shape[1]
    net = LineNetwork(lines.shape[2], len(CLASSES), **network)
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    for step in range(steps):
        batch = torch.randint(len(targets), (batch_size,))
        seen = torch.randperm(bands)[: torch.randint(least_bands, bands + 1, ()).item() if step % 2 else bands]
        heights = lines[batch][:, seen]
        heights = torch.where(torch.rand(batch_size, 1, lines.shape[2]) < dropout, quiet_line, heights)
        heights = heights + jitter * torch.randn_like(heights)
        loss = functional.cross_entropy(net(heights, moments[batch][:, seen]), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return {name: weight.numpy() for name, weight in net.state_dict().items()}
