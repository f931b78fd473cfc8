"""Stage lines: what the recording diagnosis reads of every real recording, clean and with noise added."""

import json

import numpy as np
import pandas as pd
from tqdm import tqdm

from model.bearings import BEARINGS
from model.recording.classes import CLASSES
from model.recording.lines import RATE, Features, concatenate, describe
from model.recording.windows import cut
from pipeline import params
from pipeline.catalogue import MANIFEST, read_catalogue
from pipeline.params import LINES, RECORDINGS, InputError
from pipeline.training.framing import resample
from pipeline.training.signals import read_signals

DESCRIPTION = ["recording", "label", "fault_diameter", "load_hp", "rpm"]


def main() -> None:
    catalogue = read_catalogue(params.load("download")["catalogue"])
    check_catalogue(catalogue)
    manifest = json.loads((RECORDINGS / MANIFEST).read_text())
    signals = read_signals(catalogue, manifest, RECORDINGS)
    least_variation = params.load("thresholds")["checks"]["least_variation"]
    copies, metadata = describe_recordings(catalogue, signals, **params.load("lines"), least_variation=least_variation)
    LINES.mkdir(parents=True, exist_ok=True)
    for name, features in copies.items():
        np.savez(LINES / f"{name}.npz", **features._asdict())
    metadata.to_csv(LINES / "metadata.csv", index=False, lineterminator="\n")
    print(f"{len(metadata)} windows: {metadata.label.value_counts().sort_index().to_dict()}")


def check_catalogue(catalogue: pd.DataFrame) -> None:
    wrong = sorted(set(catalogue.label) - set(CLASSES))
    if wrong:
        raise InputError(f"catalogue: labels {', '.join(wrong)}: the recording diagnosis knows {', '.join(CLASSES)}")
    nameless = catalogue.recording[~(catalogue.rpm > 0)]
    if len(nameless):
        raise InputError(f"catalogue: recording {', '.join(nameless)} has no rpm: without it no order is known")


def describe_recordings(
    catalogue: pd.DataFrame,
    signals: dict[str, np.ndarray],
    bearing: str,
    augmentation: list[float],
    noise: list[float],
    seed: int,
    least_variation: float,
) -> tuple[dict[str, Features], pd.DataFrame]:
    """Return {copy: features} of overlapping windows of all recordings, and one row of metadata a window.

    Copies: "clean"; "augmented" with white noise of a signal-to-noise ratio drawn from augmentation (dB) for each
    window; "noise_<dB>" for each of noise. Recordings are brought to one rate first: noise of one level is the same
    for all then.
    """
    orders = BEARINGS[bearing].orders
    generator = np.random.default_rng(seed)
    copies: dict[str, list[Features]] = {}
    metadata = []
    for row in tqdm(list(catalogue.itertuples()), desc="lines", unit="recording", disable=None):
        signal = resample(signals[row.recording], row.sampling_rate, RATE, row.recording)
        starts, windows = cut(signal, RATE, least_variation)
        levels = {"augmented": generator.uniform(*augmentation, (len(windows), 1))} | {
            f"noise_{level}": np.full((len(windows), 1), float(level)) for level in noise
        }
        noisy = {name: add_noise(windows, level, generator) for name, level in levels.items()}
        for name, version in ({"clean": windows} | noisy).items():
            copies.setdefault(name, []).append(describe(version, RATE, row.rpm / 60, orders))
        facts = {name: getattr(row, name) for name in DESCRIPTION}
        metadata.append(pd.DataFrame({"start": starts} | facts))
    return {name: concatenate(parts) for name, parts in copies.items()}, pd.concat(metadata, ignore_index=True)


def add_noise(windows: np.ndarray, snr_db: np.ndarray | float, generator: np.random.Generator) -> np.ndarray:
    """Return windows (windows, samples) with white noise, snr_db their power over the noise's."""
    spread = windows.std(axis=1, keepdims=True)
    return windows + generator.standard_normal(windows.shape) * spread * 10 ** (-np.asarray(snr_db) / 20)


if __name__ == "__main__":
    params.run_stage(main)
