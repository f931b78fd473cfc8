"""Stage train: fit each setting's wide-kernel network and keep the epoch that did best on the validation part."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline import figures, params
from pipeline.catalogue import read_metadata
from pipeline.params import SCALED, SPLIT, TRAINED, WINDOWS
from pipeline.training.wide_kernel import train


def main() -> None:
    for setting, assets in params.load("settings").items():
        fit(setting, Path(assets))


def fit(setting: str, assets: Path) -> None:
    parts, classes = load(setting)
    network, history = train(parts["train"], parts["validation"], len(classes), **params.load("train", setting))

    folder = TRAINED / setting
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "state_dict.pt")
    (folder / "decoder.json").write_text(json.dumps(dict(enumerate(classes))) + "\n")
    assets.mkdir(parents=True, exist_ok=True)
    history.to_csv(assets / "training.csv", index=False, lineterminator="\n")
    figures.draw_training(history, assets / "training.png")
    best = history.loc[history.validation_loss.idxmin()]
    print(
        f"{setting}: epoch {best.epoch:.0f} kept, {100 * best.validation_accuracy:.2f} % of the validation part right"
    )


def load(setting: str) -> tuple[dict[str, tuple[Tensor, Tensor]], list[str]]:
    """Return {part: (scaled windows, class numbers)} and the classes, sorted by name."""
    labels = read_metadata(WINDOWS / setting / "metadata.csv").label
    classes = sorted(labels.unique())
    windows = torch.from_numpy(np.load(SCALED / f"{setting}.npy"))
    targets = torch.from_numpy(pd.Categorical(labels, classes).codes.astype(np.int64))
    parts = pd.read_csv(SPLIT / f"{setting}.csv").part.to_numpy()
    return {part: (windows[parts == part], targets[parts == part]) for part in np.unique(parts)}, classes


if __name__ == "__main__":
    params.run_stage(main)
