import torch

from pipeline.training.seeds import set_seed


def draw(seed: int) -> list[float]:
    set_seed(seed)
    return torch.rand(4).tolist()


def test_a_seed_draws_the_same_again_and_another_seed_does_not():
    assert draw(3) == draw(3)
    assert draw(3) != draw(4)
    assert torch.are_deterministic_algorithms_enabled()
