"""The names of what a recording is called, and how its windows' probabilities of them are pooled; numpy only, as all
of this folder."""

import numpy as np

CLASSES = ("Ball", "InnerRace", "Normal", "OuterRace")
UNKNOWN = "Unknown"
FAULTS = ("Ball", "InnerRace", "OuterRace")
RACES = ("InnerRace", "OuterRace")
COMBS = (*FAULTS, "other")


def pool_windows(each: np.ndarray) -> np.ndarray:
    """Return the probabilities of a recording (classes,): the geometric mean of its windows'."""
    mean = np.exp(np.log(np.maximum(each, 1e-9)).mean(axis=0))
    return mean / mean.sum()
