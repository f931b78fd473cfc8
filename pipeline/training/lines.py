"""What the recording diagnosis is fitted on: the lines of all recordings, and the networks of one seed."""

from functools import cache

import numpy as np
import pandas as pd

from model.recording.lines import RATE, WINDOW_SECONDS, Features
from pipeline.catalogue import read_metadata
from pipeline.params import LINE_NETWORKS, LINES

WINDOW_LENGTH = round(WINDOW_SECONDS * RATE)


@cache
def load_lines(copy: str) -> Features:
    stored = np.load(LINES / f"{copy}.npz")
    return Features(*(stored[name] for name in Features._fields))


@cache
def lines_metadata() -> pd.DataFrame:
    return read_metadata(LINES / "metadata.csv")


def load_networks(seed: int) -> list[dict[str, np.ndarray]]:
    """Return the networks of one seed, as the stage line_networks keeps them: they know no real window."""
    stored = np.load(LINE_NETWORKS / f"{seed}.npz")
    numbers = sorted({name.split("/")[0] for name in stored})
    return [{name.split("/")[1]: stored[name] for name in stored if name.startswith(f"{n}/")} for n in numbers]
