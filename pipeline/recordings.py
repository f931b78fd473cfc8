"""Readers: one channel of a recording's file as a vector, whatever the format; and what becomes of it first."""

import re
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import resample_poly
from tqdm import tqdm

from pipeline.params import InputError


def read_signals(catalogue: pd.DataFrame, manifest: dict, folder: Path) -> dict[str, np.ndarray]:
    """Return {recording: signal} at each recording's own rate; a signal of another length than listed is refused."""
    signals = {}
    for row in tqdm(list(catalogue.itertuples()), desc="read", unit="file", disable=None):
        entry = manifest[row.recording]
        signal = read_signal(folder / entry["file"], row.variable, row.sampling_rate)
        if entry["samples"] and len(signal) != entry["samples"]:
            raise InputError(f"{entry['file']} holds {len(signal)} samples, the catalogue says {entry['samples']}")
        signals[row.recording] = signal
    return signals


def read_signal(path: Path, variable: str = "", sampling_rate: float | None = None) -> np.ndarray:
    """Return one channel of a recording, float64 (samples,), at the recording's own rate.

    variable names the MATLAB variable, the text column (name or number), or the column of a 2-D .npy or .wav; it may
    be empty where the file holds one vector only. sampling_rate in Hz is compared with what a .wav says.
    Raises InputError that names the file, what came and what was expected.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path.name}: format {path.suffix!r} is not one of {', '.join(READERS)}")
    try:
        if reader is read_wav and sampling_rate is not None:
            check_rate(path, sampling_rate)
        signal = reader(path, variable)
    except InputError:
        raise
    except Exception as error:  # a reader's own exceptions are many and undocumented
        raise InputError(f"{path.name} cannot be read as {path.suffix}: {error}") from error
    return checked(signal, path)


def read_mat(path: Path, variable: str) -> np.ndarray:
    variables = scipy.io.loadmat(path, variable_names=[variable] if variable else None)
    if variable:
        if variable not in variables:
            names = ", ".join(name for name, *_ in scipy.io.whosmat(path))
            raise InputError(f"{path.name} has no variable {variable}; it has {names}")
        return variables[variable]
    vectors = {name: value for name, value in variables.items() if is_vector(value)}
    if len(vectors) != 1:
        raise InputError(f"{path.name} holds {len(vectors)} vectors ({', '.join(vectors)}): name one as variable")
    return next(iter(vectors.values()))


def is_vector(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf" and value.size > 1 and value.size in value.shape


def read_npy(path: Path, variable: str) -> np.ndarray:
    return pick_column(np.load(path, allow_pickle=False), path, variable)


def read_wav(path: Path, variable: str) -> np.ndarray:
    return pick_column(scipy.io.wavfile.read(path)[1], path, variable)


def check_rate(path: Path, sampling_rate: float) -> None:
    own_rate, _ = scipy.io.wavfile.read(path)
    if own_rate != sampling_rate:
        raise InputError(f"{path.name} says {own_rate} Hz, expected {sampling_rate:g} Hz")


def read_text(path: Path, variable: str) -> np.ndarray:
    with path.open(encoding="utf-8-sig") as file:
        lines = [line.strip() for line in islice(filter(str.strip, file), 2)]
    if not lines:
        raise InputError(f"{path.name} is empty")
    separator = next((mark for mark in ";,\t" if mark in lines[0]), r"\s+")
    first, *second = [re.split(separator, line) for line in lines]
    if second and len(second[0]) != len(first):
        raise InputError(f"{path.name} starts with {len(first)} columns and goes on with {len(second[0])}")
    decimal = "," if separator == ";" and "," in "".join(lines) else "."
    header = None if is_number(first[0]) else 0
    table = pd.read_csv(path, sep=separator, decimal=decimal, header=header, encoding="utf-8-sig", index_col=False)
    if variable in table:
        return table[variable].to_numpy()
    if variable and not variable.isdecimal():
        raise InputError(f"{path.name} has no column {variable}; it has {', '.join(map(str, table))}")
    return pick_column(table.to_numpy(), path, variable)


def is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def pick_column(samples: np.ndarray, path: Path, variable: str) -> np.ndarray:
    if samples.ndim == 1 or samples.size in samples.shape:
        return samples.reshape(-1)
    if not variable.isdecimal() or int(variable) >= samples.shape[-1]:
        raise InputError(
            f"{path.name} has {samples.shape[-1]} columns, and variable is {variable!r}: expected a number from 0 to "
            f"{samples.shape[-1] - 1}"
        )
    return samples[:, int(variable)]


def checked(signal: np.ndarray, path: Path) -> np.ndarray:
    if signal.dtype.kind not in "iuf" or signal.size not in signal.shape:
        raise InputError(f"{path.name} holds {signal.dtype} of shape {signal.shape}, expected one vector of numbers")
    signal = signal.reshape(-1).astype(np.float64)
    if not np.isfinite(signal).all():
        raise InputError(f"{path.name} holds NaN or infinity at sample {int(np.argmin(np.isfinite(signal)))}")
    return signal


def resample(signal: np.ndarray, own_rate: float, sampling_rate: float | None, recording: str) -> np.ndarray:
    """Return the signal at sampling_rate by polyphase filtering, ceil(samples x sampling_rate / own_rate) samples."""
    if sampling_rate is None or own_rate == sampling_rate:
        return signal
    if own_rate < sampling_rate:
        raise InputError(
            f"recording {recording} was sampled at {own_rate:g} Hz, expected at least windows.sampling_rate "
            f"({sampling_rate:g} Hz): what lies above {own_rate / 2:g} Hz cannot be made up"
        )
    ratio = Fraction(sampling_rate / own_rate).limit_denominator(10_000)
    return resample_poly(signal, ratio.numerator, ratio.denominator, padtype="mean")


def frame(signal: np.ndarray, window_length: int, hop_length: int) -> np.ndarray:
    """Return frames (n, window_length), n = 1 + (samples - window_length) // hop_length; the tail is dropped."""
    if len(signal) < window_length:
        return np.empty((0, window_length))
    return sliding_window_view(signal, window_length)[::hop_length]


READERS = {".mat": read_mat, ".npy": read_npy, ".wav": read_wav, ".csv": read_text, ".txt": read_text}
