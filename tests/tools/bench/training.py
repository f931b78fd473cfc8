"""How long training takes until the hold-out is right: ours beside the reference loop, in one run.

The reference loop after its description: Adam, the whole training side as one batch, 5,000 epochs. The hold-out is
looked at after every epoch here, which no stage does, to know when the loop was good for the first time.
"""

from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import trange

from model.window.wide_kernel import WideKernelCNN
from pipeline import params
from pipeline.train import load
from pipeline.training.wide_kernel import score, train

REFERENCE_EPOCHS = 5_000
REFERENCE_LEARNING_RATE = 1e-3


def main() -> None:
    parts, _ = load("as_recorded")
    section = params.load("train", "as_recorded")
    torch.set_num_threads(section["threads"])
    ours = time_ours(parts, section)
    reference = time_reference(parts, section)
    print(f"reference protocol, {section['threads']} threads: ours {ours:.1f} s for the whole training")
    print(f"reference loop {reference:.1f} s until the hold-out was first right: {reference / ours:.1f} times as long")


def time_ours(parts: dict[str, tuple[Tensor, Tensor]], section: dict) -> float:
    start = perf_counter()
    network, _ = train(parts["train"], parts["validation"], classes=4, **section)
    seconds = perf_counter() - start
    print(f"ours: hold-out accuracy {score(network, *parts['holdout'])[1]:.4f} after {section['epochs']} epochs")
    return seconds


def time_reference(parts: dict[str, tuple[Tensor, Tensor]], section: dict) -> float:
    """Return the seconds until every held-out window was right, or until the last epoch."""
    windows, targets = (torch.cat(pair) for pair in zip(parts["train"], parts["validation"], strict=True))
    torch.manual_seed(section["seed"])
    network = plain_network(WideKernelCNN(windows.shape[-1], classes=4, **section["network"]))
    optimizer = torch.optim.Adam(network.parameters(), lr=REFERENCE_LEARNING_RATE)
    start = perf_counter()
    looking = 0.0
    for epoch in trange(1, REFERENCE_EPOCHS + 1, desc="reference", unit="epoch", disable=None):
        optimizer.zero_grad()
        functional.cross_entropy(network(windows), targets).backward()
        optimizer.step()
        look = perf_counter()
        accuracy = score(network, *parts["holdout"])[1]
        looking += perf_counter() - look
        if accuracy == 1:
            print(f"reference loop: hold-out right after {epoch} epochs")
            break
    else:
        print(f"reference loop: hold-out accuracy {accuracy:.4f} after {REFERENCE_EPOCHS} epochs")
    return perf_counter() - start - looking


def plain_network(network: WideKernelCNN) -> nn.Sequential:
    """Return the same layers as everybody writes them down, without our way to compute the convolution."""
    return nn.Sequential(
        nn.Unflatten(1, (1, -1)), network.convolution, nn.Tanh(), network.pool, nn.Flatten(), network.linear
    )


if __name__ == "__main__":
    main()
