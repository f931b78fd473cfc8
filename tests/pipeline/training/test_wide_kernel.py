import pytest
import torch

from pipeline.params import InputError
from pipeline.training.wide_kernel import train

SETTINGS = {
    "network": {"channels": 3, "kernel_length": 9, "pool_length": 8},
    "epochs": 8, "batch_size": 16, "learning_rate": 0.02, "weight_decay": 1e-4, "seed": 1, "threads": 2,
}  # fmt: skip


def tones(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two classes: windows of a slow and of a fast tone, in noise, at any phase."""
    torch.manual_seed(seed)
    targets = torch.arange(count) % 2
    phase = 6.28 * torch.rand(count, 1)
    frequency = torch.tensor([0.2, 1.5])[targets, None]
    return torch.sin(frequency * torch.arange(128) + phase) + 0.3 * torch.randn(count, 128), targets


def test_it_learns_what_can_be_learned():
    network, history = train(tones(200, seed=0), tones(60, seed=1), 2, **SETTINGS)
    windows, targets = tones(100, seed=2)
    with torch.inference_mode():
        assert (network(windows).argmax(dim=-1) == targets).float().mean() > 0.98
    assert history.training_loss.iloc[-1] < 0.5 * history.training_loss.iloc[0]


def test_shuffled_labels_cannot_be_learned():
    windows, targets = tones(400, seed=0)
    shuffled = targets[torch.randperm(400)]
    network, _ = train((windows, shuffled), tones(60, seed=1), 2, **SETTINGS)
    learned, _ = train((windows, targets), tones(60, seed=1), 2, **SETTINGS)
    with torch.inference_mode():
        confidence = torch.softmax(network(tones(200, seed=2)[0]), dim=-1).max(dim=-1).values.mean()
        with_labels = torch.softmax(learned(tones(200, seed=2)[0]), dim=-1).max(dim=-1).values.mean()
    # Tones fall into two clusters, so accuracy would be all or nothing: what must be missing is confidence.
    assert confidence < 0.65 < 0.8 < with_labels


def test_a_loss_that_is_never_a_number_is_said():
    windows, targets = tones(20, seed=0)
    with pytest.raises(InputError, match=r"lower train\.learning_rate"):
        train((windows * float("nan"), targets), (windows, targets), 2, **SETTINGS)


def test_the_epoch_with_the_smallest_validation_loss_is_kept():
    # Validation labels are the wrong way round, so every epoch that learns is worse: an early one has to win.
    windows, targets = tones(60, seed=1)
    validation = (windows, 1 - targets)
    network, history = train(tones(200, seed=0), validation, 2, **SETTINGS)
    assert history.validation_loss.idxmin() < len(history) - 1
    with torch.inference_mode():
        loss = torch.nn.functional.cross_entropy(network(windows), validation[1]).item()
    assert loss == pytest.approx(history.validation_loss.min(), rel=1e-6)


def test_the_seed_fixes_every_bit():
    states = [train(tones(60, 0), tones(20, 1), 2, **SETTINGS | {"epochs": 2})[0].state_dict() for _ in range(2)]
    other = train(tones(60, 0), tones(20, 1), 2, **SETTINGS | {"epochs": 2, "seed": 2})[0].state_dict()
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name])
        assert not torch.equal(value, other[name])


def test_an_unknown_param_is_named():
    with pytest.raises(TypeError, match="learning_rte"):
        train(tones(4, 0), tones(4, 1), 2, learning_rte=1)
