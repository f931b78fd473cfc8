"""The wide-kernel network for single windows."""

from torch import Tensor, nn
from torch.nn import functional


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
        # All outputs of a pool at once, as channels of a strided convolution: the same sums in less than half the time.
        channels, pool_length = self.convolution.out_channels, self.pool.kernel_size[0]
        bank = shifted_bank(self.convolution.weight, pool_length)
        pools = self.linear.in_features // channels
        used = windows[:, : (pools - 1) * pool_length + bank.shape[-1]]
        bias = self.convolution.bias.repeat_interleave(pool_length)
        features = functional.conv1d(used.unsqueeze(1), bank, bias, stride=pool_length).tanh()
        return self.linear(features.unflatten(1, (channels, pool_length)).mean(dim=2).flatten(1))


def shifted_bank(kernels: Tensor, stride: int) -> Tensor:
    """Return kernels (channels, 1, length) shifted by 0 to stride - 1: (channels x stride, 1, length + stride - 1).

    A convolution with them and this stride gives, as channels, the outputs of the plain one.
    """
    channels, _, length = kernels.shape
    rows = functional.pad(kernels, (0, stride)).expand(channels, stride, length + stride).flatten(1)
    return rows[:, : stride * (length + stride - 1)].reshape(channels * stride, 1, length + stride - 1)


class FoldedWideKernelCNN(nn.Module):
    """The same function as a trained WideKernelCNN in a form that is faster to compute, for export.

    A strided convolution computes `stride` neighbouring outputs of every channel at once, as channels of their own. The
    mean of each pool and the linear layer are both linear, so one matrix does both.
    """

    def __init__(self, network: WideKernelCNN, stride: int) -> None:
        super().__init__()
        channels = network.convolution.out_channels
        pool_length = network.pool.kernel_size[0]
        if pool_length % stride:
            raise ValueError(f"stride is {stride}, expected a divisor of pool_length {pool_length}")
        classes, features = network.linear.weight.shape
        pools, positions = features // channels, pool_length // stride
        bank = shifted_bank(network.convolution.weight.detach(), stride)
        share = network.linear.weight.detach().reshape(classes, channels, 1, pools, 1) / pool_length
        self.stride = stride
        self.used_length = (pools * positions - 1) * stride + bank.shape[-1]  # what the last pool does not reach is cut
        self.register_buffer("bank", bank)
        self.register_buffer("bias", network.convolution.bias.detach().repeat_interleave(stride))
        self.register_buffer(
            "matrix", share.expand(classes, channels, stride, pools, positions).flatten(1).contiguous()
        )
        self.register_buffer("offset", network.linear.bias.detach().clone())

    def forward(self, windows: Tensor) -> Tensor:
        used = windows[:, : self.used_length].unsqueeze(1)
        features = functional.conv1d(used, self.bank, self.bias, stride=self.stride).tanh()
        return functional.linear(features.flatten(1), self.matrix, self.offset)
