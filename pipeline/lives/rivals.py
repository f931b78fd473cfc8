"""Published rivals of the watch: rules that learn from as many recordings as it does."""

import numpy as np
from sklearn.ensemble import IsolationForest

from model.machine.indicators import Indicators

RIVALS = ("3 sigma of RMS", "CUSUM of RMS", "isolation forest")
ALLOWANCE, LIMIT = 0.5, 5.0  # deviations


def find_alarms(name: str, sensor: list[Indicators], learned: int) -> np.ndarray:
    """Return in which of a sensor's recordings a rival alarms, bool (recordings,); it learns from the first ones.

    CUSUM: Page, Biometrika 41 (1954) 100, one-sided, with an allowance of half a deviation and a limit of five.
    Isolation forest: Liu, Ting and Zhou, ICDM 2008, as scikit-learn sets it up.
    """
    if name == "isolation forest":
        features = np.array([[each.rms, each.peak, each.kurtosis, *known(each.envelopes)] for each in sensor])
        return IsolationForest(random_state=0).fit(features[:learned]).predict(features) < 0
    rms = np.array([each.rms for each in sensor])
    deviations = (rms - rms[:learned].mean()) / max(rms[:learned].std(), 1e-12)
    return deviations > 3 if name == "3 sigma of RMS" else sum_up(deviations) > LIMIT


def sum_up(deviations: np.ndarray) -> np.ndarray:
    """Return Page's cumulative sum (recordings,), which never falls below 0."""
    total, sums = 0.0, np.zeros(len(deviations))
    for place, deviation in enumerate(deviations):
        total = sums[place] = max(0.0, total + deviation - ALLOWANCE)
    return sums


def known(levels: np.ndarray) -> np.ndarray:
    return levels[np.isfinite(levels)]
