"""The network that reads line heights: one small net for every band, pooled over the bands."""

import torch
from torch import Tensor, nn


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
