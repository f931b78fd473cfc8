"""The protocols' folds: which windows train and which are held out, from one row of metadata a window."""

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from model.recording.classes import FAULTS

HOLDOUT = 0.3  # of the windows, or of each recording
SPLIT_SEED = 42
DIAMETERS = (0.007, 0.014, 0.021)  # inch; of these all three fault types were recorded
OTHER_MAKER = 0.028
HEALTHY_LOAD = {0.007: 1, 0.014: 2, 0.021: 3, OTHER_MAKER: 0}  # hp of the normal recording held out beside a diameter
TRANSFER_LOADS = (1, 2, 3)  # hp


class Fold(NamedTuple):
    """Masks of windows (windows,); a window in neither would lie on both sides."""

    name: str
    training: np.ndarray
    held_out: np.ndarray


def random(metadata: pd.DataFrame, _window_length: int) -> list[Fold]:
    """Hold out random windows. Leaks: recordings and bearings are shared, and where windows overlap, samples too."""
    windows = np.arange(len(metadata))
    _, held_out = train_test_split(windows, test_size=HOLDOUT, random_state=SPLIT_SEED)
    mask = np.isin(windows, held_out)
    return [Fold("30 % of the windows", ~mask, mask)]


def block(metadata: pd.DataFrame, window_length: int) -> list[Fold]:
    """Hold out the end of every recording: no sample is shared, every bearing is."""
    last = metadata.groupby("recording").start.transform("max") + window_length
    border = (1 - HOLDOUT) * last
    training = metadata.start + window_length <= border
    return [
        Fold(
            "last 30 % of each recording", training.to_numpy(copy=True), (metadata.start >= border).to_numpy(copy=True)
        )
    ]


def load(metadata: pd.DataFrame, _window_length: int) -> list[Fold]:
    """Hold out one motor load at a time: no recording is shared, every bearing is."""
    folds = []
    for hp in sorted(metadata.load_hp.unique()):
        held_out = of_load(metadata, hp)
        folds.append(Fold(f"{hp:g} hp", ~held_out, held_out))
    return folds


def bearing(metadata: pd.DataFrame, _window_length: int) -> list[Fold]:
    """Hold out all faults of one diameter, and one of the recordings of the only healthy bearing: no faulty bearing and
    no recording is shared."""
    return [
        hold_out(metadata, f"{diameter:.3f} in", dict.fromkeys(FAULTS, diameter), hp)
        for diameter, hp in HEALTHY_LOAD.items()
    ]


def combinations(metadata: pd.DataFrame, _window_length: int) -> list[Fold]:
    """As bearing, with the diameter drawn separately for each fault type."""
    folds = []
    for number, diameters in enumerate(product(DIAMETERS, repeat=len(FAULTS))):
        name = " ".join(f"{diameter:.3f}" for diameter in diameters)
        folds.append(hold_out(metadata, name, dict(zip(FAULTS, diameters, strict=True)), number % 4))
    return folds


def hold_out(metadata: pd.DataFrame, name: str, diameters: dict[str, float], healthy_load: int) -> Fold:
    healthy = (metadata.label == "Normal") & (metadata.load_hp == healthy_load)
    faulty = metadata.fault_diameter == metadata.label.map(diameters)
    held_out = (healthy | faulty).to_numpy(copy=True)
    return Fold(name, ~held_out, held_out)


def transfer(metadata: pd.DataFrame, _window_length: int) -> list[Fold]:
    """Train on one motor load, hold out another, on the ten classes of size_labels: no recording is shared."""
    classes = size_labels(metadata) != ""
    return [
        Fold(f"{source} to {target} hp", classes & of_load(metadata, source), classes & of_load(metadata, target))
        for source in TRANSFER_LOADS
        for target in TRANSFER_LOADS
        if source != target
    ]


def of_load(metadata: pd.DataFrame, hp: float) -> np.ndarray:
    return (metadata.load_hp == hp).to_numpy(copy=True)


def size_labels(metadata: pd.DataFrame) -> np.ndarray:
    """Return the ten classes of the transfer table: Normal, and each fault with its diameter; "" for all others.

    Outer race faults count at 6 o'clock only. The task of Zhang et al., Sensors 17 (2017) 425, table 2.
    """
    used = metadata.fault_diameter.isin(DIAMETERS)
    used &= (metadata.label != "OuterRace") | (metadata.outer_race_position == 6)
    sized = metadata.label + " " + metadata.fault_diameter.map("{:.3f}".format)
    return np.where(metadata.label == "Normal", "Normal", np.where(used, sized, "")).astype(str)


PROTOCOLS = {"random": random, "block": block, "load": load, "bearing": bearing, "combinations": combinations}
