"""Stage split: say of every window of each setting whether it trains, selects the epoch, or is held out."""

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from pipeline import params
from pipeline.catalogue import read_metadata
from pipeline.params import SPLIT, WINDOWS, InputError


def main() -> None:
    SPLIT.mkdir(parents=True, exist_ok=True)
    for setting in params.load("settings"):
        metadata = read_metadata(WINDOWS / setting / "metadata.csv")
        parts = split(len(metadata), **params.load("split"))
        pd.DataFrame({"part": parts}).to_csv(SPLIT / f"{setting}.csv", index=False, lineterminator="\n")
        print(f"{setting}: {pd.Series(parts).value_counts().to_dict()}")


def split(windows: int, protocol: str, holdout: float, validation: float, seed: int) -> np.ndarray:
    """Return the part of every window: "train", "validation" or "holdout".

    holdout is a share of all windows, validation a share of what remains. The random protocol leaks: windows of one
    recording, so of one bearing, lie on both sides. Raises InputError for another protocol.
    """
    if protocol != "random":
        raise InputError(f"split.protocol is {protocol!r}, expected 'random'")
    training, held_out = train_test_split(np.arange(windows), test_size=holdout, random_state=seed)
    _, selecting = train_test_split(training, test_size=validation, random_state=seed)
    parts = np.full(windows, "train", dtype="<U10")
    parts[held_out] = "holdout"
    parts[selecting] = "validation"
    return parts


if __name__ == "__main__":
    params.run_stage(main)
