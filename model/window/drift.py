"""A simple statistic that tells records of another kind from those of training; numpy only."""

import numpy as np


def log_roughness(windows: np.ndarray) -> np.ndarray:
    """Return the natural logarithm of von Neumann's ratio of windows (windows, samples), (windows,).

    The mean square of successive differences over the variance: small for slow vibration, 2 for white noise, 4 at most.
    Neither the unit nor an offset matters; another sampling rate, sensor, mounting or machine does. Source: von
    Neumann, Annals of Mathematical Statistics 12 (1941) 367.
    """
    windows = windows.astype(np.float64)  # in which no square of a float32 overflows
    steps = np.square(np.diff(windows, axis=1)).mean(axis=1)
    return np.log(np.maximum(steps, TINY) / np.maximum(windows.var(axis=1), TINY))


TINY = np.finfo(np.float64).tiny
