"""Stage windows: cut every recording into windows of each setting, one metadata row each."""

import json

import numpy as np
import pandas as pd

from pipeline import params
from pipeline.catalogue import MANIFEST, read_catalogue
from pipeline.params import RECORDINGS, WINDOWS, InputError
from pipeline.training.framing import frame, resample
from pipeline.training.signals import read_signals

DESCRIPTION = ["label", "fault_diameter", "outer_race_position", "load_hp", "rpm"]


def main() -> None:
    catalogue = read_catalogue(params.load("download")["catalogue"])
    manifest = json.loads((RECORDINGS / MANIFEST).read_text())
    signals = read_signals(catalogue, manifest, RECORDINGS)
    for setting in params.load("settings"):
        windows, metadata = cut(catalogue, signals, **params.load("windows", setting))
        folder = WINDOWS / setting
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "windows.npy", windows)
        metadata.to_csv(folder / "metadata.csv", index=False, lineterminator="\n")
        print(f"{setting}: {len(windows)} windows: {metadata.label.value_counts().sort_index().to_dict()}")


def cut(
    catalogue: pd.DataFrame,
    signals: dict[str, np.ndarray],
    window_length: int,
    hop_length: int,
    sampling_rate: float | None,
    least_variation: float,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return windows float32 (windows, window_length) and their metadata, in the order of the catalogue.

    Lengths in samples. Every signal is brought to sampling_rate (Hz) first; None leaves each at its own rate. A window
    has to vary by more than least_variation of its largest value, for a constant has no z-score.
    Raises InputError that names a recording that is too short, sampled too slowly, or partly constant.
    """
    windows, metadata = [], []
    for row in catalogue.itertuples():
        signal = resample(signals[row.recording], row.sampling_rate, sampling_rate, row.recording)
        frames = frame(signal, window_length, hop_length).astype(np.float32)
        check_frames(frames, row.recording, hop_length, least_variation)
        windows.append(frames)
        metadata.append(describe(row, len(frames), hop_length))
    return np.concatenate(windows), pd.concat(metadata, ignore_index=True)


def check_frames(frames: np.ndarray, recording: str, hop_length: int, least_variation: float) -> None:
    window_length = frames.shape[1]
    if not len(frames):
        raise InputError(f"recording {recording} is shorter than one window of {window_length} samples")
    constant = np.ptp(frames, axis=1) <= least_variation * np.abs(frames).max(axis=1)
    if constant.any():
        start = int(constant.argmax()) * hop_length
        raise InputError(f"recording {recording} is constant from sample {start} to {start + window_length}")


def describe(row: tuple, windows: int, hop_length: int) -> pd.DataFrame:
    """Return one metadata row a window; start counts samples at the windows' rate, native_sampling_rate is in Hz."""
    return pd.DataFrame(
        {"recording": row.recording, "start": np.arange(windows) * hop_length}
        | {name: getattr(row, name) for name in DESCRIPTION}
        | {"native_sampling_rate": row.sampling_rate}
    )


if __name__ == "__main__":
    params.run_stage(main)
