import pytest
import torch
from torch.nn import functional

from model.window.wide_kernel import FoldedWideKernelCNN, WideKernelCNN


def test_it_has_the_1269_parameters_of_the_reference():
    network = WideKernelCNN(2048, 4, channels=5, kernel_length=100, pool_length=50)
    assert sum(parameter.numel() for parameter in network.parameters()) == 5 * 100 + 5 + 4 * 5 * 38 + 4 == 1269


def test_it_is_convolution_tanh_mean_and_a_linear_layer():
    torch.manual_seed(0)
    network = WideKernelCNN(200, 3, channels=2, kernel_length=11, pool_length=19)
    windows = torch.randn(7, 200)
    features = torch.stack([
        functional.unfold(window[None, None, None], (1, 11))[0].T @ network.convolution.weight[:, 0].T
        for window in windows
    ]) + network.convolution.bias  # fmt: skip
    pooled = features.tanh().reshape(7, 10, 19, 2).mean(dim=2).transpose(1, 2).reshape(7, 20)
    expected = pooled @ network.linear.weight.T + network.linear.bias
    torch.testing.assert_close(network(windows), expected, atol=1e-5, rtol=1e-5)


def test_a_window_shorter_than_one_pool_is_refused():
    with pytest.raises(ValueError, match="window_length is 148, expected at least 149"):
        WideKernelCNN(148, 4, channels=5, kernel_length=100, pool_length=50)


@pytest.mark.parametrize("stride", [1, 5, 10, 25, 50])
@pytest.mark.parametrize("window_length", [149, 198, 199, 2048, 2049, 2100])
def test_the_folded_form_is_the_same_function(stride, window_length):
    torch.manual_seed(stride)
    network = WideKernelCNN(window_length, 4, channels=5, kernel_length=100, pool_length=50)
    windows = 3 * torch.randn(6, window_length)
    torch.testing.assert_close(FoldedWideKernelCNN(network, stride)(windows), network(windows), atol=2e-5, rtol=1e-5)


def test_a_stride_that_does_not_divide_the_pool_is_refused():
    network = WideKernelCNN(2048, 4, channels=5, kernel_length=100, pool_length=50)
    with pytest.raises(ValueError, match="stride is 7, expected a divisor of pool_length 50"):
        FoldedWideKernelCNN(network, 7)
