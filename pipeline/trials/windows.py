"""Trials of networks of single windows: trained fold by fold, scored on what each fold holds out."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from model.recording.classes import CLASSES
from model.window.front_end import FrontEnd
from pipeline.catalogue import read_metadata
from pipeline.params import SCALED, WINDOWS
from pipeline.training.framing import frame, resample
from pipeline.training.wide_kernel import train
from pipeline.trials import folds
from pipeline.trials.folds import PROTOCOLS
from pipeline.trials.rig import list_rigs, load_rig
from pipeline.trials.scores import Entry, assess

VALIDATION = 0.1  # of a fold's training side; chooses the epoch

Answer = Callable[[Tensor], np.ndarray]  # scaled windows (windows, window_length) to probabilities (windows, classes)
Fit = Callable[[np.ndarray, np.ndarray], Answer]  # from labels and a mask of the windows that train


class Windows(NamedTuple):
    """The single windows of one setting: raw and scaled (windows, window_length), and one row of metadata each."""

    raw: np.ndarray
    scaled: Tensor
    metadata: pd.DataFrame


@cache
def load_windows(setting: str) -> Windows:
    folder = WINDOWS / setting
    scaled = torch.from_numpy(np.load(SCALED / f"{setting}.npy"))
    metadata = read_metadata(folder / "metadata.csv")
    return Windows(np.load(folder / "windows.npy"), scaled, metadata)


def try_windows(
    protocol: str,
    seed: int,
    *,
    setting: str,
    shuffled: bool,
    training: dict[str, Any],
    front_end: dict[str, Any],
    noise: list[float],
) -> dict[str, Entry]:
    """Return {fold: scores} of the wide-kernel network on one protocol.

    training holds the arguments of pipeline.training.wide_kernel.train but its seed, front_end those of FrontEnd; noise
    lists the noise protocol's signal-to-noise ratios (dB). A shuffled network learns from labels out of order.
    """
    windows = load_windows(setting)
    labels = windows.metadata.label.to_numpy(dtype=str)

    def fit(labels: np.ndarray, mask: np.ndarray) -> Answer:
        return fit_windows(windows.scaled, labels, mask, shuffled, seed, training)

    if protocol == "transfer":
        return try_transfer(fit, windows)
    if protocol == "rig":
        return try_on_rig(fit(labels, np.ones(len(labels), bool)), windows.raw.shape[1], front_end)
    if protocol == "noise":
        return try_under_noise(fit, windows, FrontEnd(**front_end), noise, seed)
    return {
        fold.name: assess_held_out(fit(labels, fold.training), windows.scaled[fold.held_out], windows, fold.held_out)
        for fold in PROTOCOLS[protocol](windows.metadata, windows.raw.shape[1])
    }


def assess_held_out(answer: Answer, scaled: Tensor, windows: Windows, held_out: np.ndarray) -> Entry:
    part = windows.metadata[held_out]
    return assess(part.label.to_numpy(dtype=str), answer(scaled), CLASSES, part.recording.to_numpy())


def fit_windows(
    scaled: Tensor, labels: np.ndarray, mask: np.ndarray, shuffled: bool, seed: int, training: dict[str, Any]
) -> Answer:
    """Return the answer of a network trained on the scaled windows of a mask, a tenth of which choose the epoch."""
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(np.flatnonzero(mask))
    classes = sorted(set(labels[chosen]))
    targets = torch.from_numpy(pd.Categorical(labels, classes).codes.astype(np.int64))
    if shuffled:
        targets[chosen] = targets[generator.permutation(chosen)]
    selecting, learning = np.split(chosen, [round(VALIDATION * len(chosen))])
    parts = [(scaled[part], targets[part]) for part in (learning, selecting)]
    network, _ = train(*parts, len(classes), **training, seed=seed)
    return lambda windows: to_probabilities(network, windows)


@torch.inference_mode()
def to_probabilities(network: torch.nn.Module, windows: Tensor) -> np.ndarray:
    return torch.cat([network(batch).softmax(dim=-1) for batch in windows.split(256)]).double().numpy()


def try_under_noise(fit: Fit, windows: Windows, front_end: FrontEnd, noise: list[float], seed: int) -> dict[str, Entry]:
    """Train on the clean blocks and score what they hold out with white noise of each level (dB)."""
    (fold,) = folds.block(windows.metadata, windows.raw.shape[1])
    answer = fit(windows.metadata.label.to_numpy(dtype=str), fold.training)
    return {
        f"{level} dB": assess_held_out(answer, front_end(noisy), windows, fold.held_out)
        for level, noisy in add_noise(windows.raw[fold.held_out], noise, seed)
    }


def add_noise(raw: np.ndarray, levels: list[float], seed: int) -> Iterator[tuple[float, Tensor]]:
    """Yield (signal-to-noise ratio in dB, noisy windows) of raw windows (windows, window_length)."""
    generator = np.random.default_rng(seed)
    for level in levels:
        noise = generator.standard_normal(raw.shape) * raw.std(axis=1, keepdims=True) * 10 ** (-level / 20)
        yield level, torch.from_numpy((raw + noise).astype(np.float32))


def try_on_rig(answer: Answer, window_length: int, front_end: dict[str, Any]) -> dict[str, Entry]:
    scale, entries = FrontEnd(**front_end), {}
    for rig in list_rigs():
        answers, truth, names = [], [], []
        for label, recording, _ in load_rig(rig):
            signal = resample(recording.signal, recording.sampling_rate, front_end["sampling_rate"], recording.name)
            windows = torch.from_numpy(frame(signal, window_length, window_length).astype(np.float32))
            answers.append(answer(scale(windows)))
            truth += [label] * len(windows)
            names += [recording.name] * len(windows)
        entries[rig] = assess(np.array(truth), np.concatenate(answers), CLASSES, np.array(names))
    return entries


def try_transfer(fit: Fit, windows: Windows) -> dict[str, Entry]:
    """Train on each load once and score it on the others, with the ten classes of size_labels."""
    labels = folds.size_labels(windows.metadata)
    classes = tuple(sorted(set(labels) - {""}))
    recordings = windows.metadata.recording.to_numpy()
    answers: dict[bytes, Answer] = {}
    entries = {}
    for fold in folds.transfer(windows.metadata, windows.raw.shape[1]):
        key = fold.training.tobytes()
        if key not in answers:
            answers[key] = fit(labels, fold.training)
        answer = answers[key](windows.scaled[fold.held_out])
        entries[fold.name] = assess(labels[fold.held_out], answer, classes, recordings[fold.held_out])
    return entries
