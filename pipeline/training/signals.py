"""The signals of the catalogue's recordings."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from api.files.errors import UnreadableError
from api.files.formats import read
from api.files.limits import NO_LIMITS
from pipeline.params import InputError

SAME_RATE = 1e-3  # share by which a rate counted from a time axis may differ from the one listed


def read_signals(catalogue: pd.DataFrame, manifest: dict, folder: Path) -> dict[str, np.ndarray]:
    """Return {recording: signal} at each recording's own rate.

    Raises InputError where a file cannot be read, or contradicts the length or the rate that the catalogue gives.
    """
    signals = {}
    for row in tqdm(list(catalogue.itertuples()), desc="read", unit="file", disable=None):
        entry = manifest[row.recording]
        signal = read_signal(folder / entry["file"], row.variable, row.sampling_rate)
        if entry["samples"] and len(signal) != entry["samples"]:
            raise InputError(f"{entry['file']} holds {len(signal)} samples, the catalogue says {entry['samples']}")
        signals[row.recording] = signal
    return signals


def read_signal(path: Path, variable: str, sampling_rate: float | None = None) -> np.ndarray:
    """Return one channel, float64 (samples,); variable is its name in the file, sampling_rate (Hz) what it may say.

    Raises InputError that names the file.
    """
    try:
        recording = read(path.read_bytes(), path.name, variable, NO_LIMITS)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnreadableError as error:
        raise InputError(f"{path.name}: {error}") from error
    said = recording.sampling_rate
    if said and sampling_rate and not math.isclose(said, sampling_rate, rel_tol=SAME_RATE):
        raise InputError(f"{path.name} says {said:g} Hz, expected {sampling_rate:g} Hz")
    return recording.signal
