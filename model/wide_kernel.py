"""The wide-kernel network for single windows."""

from torch import Tensor, nn


class WideKernelCNN(nn.Module):
    """Classify scaled windows (batch, window_length) to logits (batch, classes).

    One convolution whose kernel is as long as a bearing's ringing, tanh, average pool, one linear layer.
    """

    def __init__(self, window_length: int, classes: int, channels: int, kernel_length: int, pool_length: int) -> None:
        super().__init__()
        pooled_length = (window_length - kernel_length + 1) // pool_length
        if pooled_length < 1:
            raise ValueError(
                f"window_length is {window_length}, expected at least {kernel_length + pool_length - 1} "
                f"for kernel_length {kernel_length} and pool_length {pool_length}"
            )
        self.convolution = nn.Conv1d(1, channels, kernel_length)
        self.pool = nn.AvgPool1d(pool_length)
        self.linear = nn.Linear(channels * pooled_length, classes)

    def forward(self, windows: Tensor) -> Tensor:
        features = self.pool(self.convolution(windows.unsqueeze(1)).tanh())
        return self.linear(features.flatten(1))
