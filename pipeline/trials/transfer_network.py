"""The network of the transfer protocol: wide first kernel, then narrow ones, batch norm throughout."""

from torch import Tensor, nn


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
