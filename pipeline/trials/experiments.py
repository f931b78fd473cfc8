"""Trials: one network, one protocol, one seed; trained on each fold's training side and scored on what it holds out."""

import gzip
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.io
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from model.bearings import BEARINGS
from model.recording.baseline import change_odds, to_healthy
from model.recording.classes import CLASSES, COMBS
from model.recording.decision import pool_windows, probabilities
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.experts import network_odds, sigmoid
from model.recording.familiarity import novelty, relative_distance
from model.recording.lines import LEAST_RATE, WINDOW_SECONDS, Features, concatenate, describe
from model.recording.windows import cut
from model.window.front_end import FrontEnd
from pipeline import params
from pipeline.catalogue import read_metadata
from pipeline.params import FOLDS, LINES, SCALED, SIMULATED, WINDOWS
from pipeline.recordings import frame, resample
from pipeline.training.recording import bearing_of, fit_recording_diagnosis, fit_spectra, train_line_network
from pipeline.training.wide_kernel import add_noise, train
from pipeline.trials import folds
from pipeline.trials.folds import PROTOCOLS, Fold
from pipeline.trials.scores import count, score
from pipeline.trials.transfer_network import TransferCNN

SETTINGS = {"reference": "as_recorded", "wide_kernel": "resampled", "shuffled_labels": "resampled"}
RACES = ("InnerRace", "OuterRace")
FAULT_OR_NOT = ("Fault", "Normal")
KNOWN = "catalogue"  # folds on the recordings of the catalogue, where a network has not learned from them
VALIDATION = 0.1  # of a fold's training side; chooses the epoch

Entry = dict[str, float | dict]


class Windows(NamedTuple):
    """The single windows of one setting: raw and scaled (windows, window_length), and one row of metadata each."""

    raw: np.ndarray
    scaled: Tensor
    metadata: pd.DataFrame


class Recording(NamedTuple):
    """One recording of another rig; sampling_rate in Hz."""

    name: str
    label: str
    signal: np.ndarray
    sampling_rate: float
    rpm: float


@cache
def load_windows(setting: str) -> Windows:
    folder = WINDOWS / setting
    scaled = torch.from_numpy(np.load(SCALED / f"{setting}.npy"))
    metadata = read_metadata(folder / "metadata.csv")
    return Windows(np.load(folder / "windows.npy"), scaled, metadata)


@cache
def load_lines(copy: str) -> Features:
    stored = np.load(LINES / f"{copy}.npz")
    return Features(*(stored[name] for name in Features._fields))


@cache
def lines_metadata() -> pd.DataFrame:
    return read_metadata(LINES / "metadata.csv")


@cache
def load_rig() -> tuple[Recording, ...]:
    """Return the recordings of the rig that trains nothing; none where its folder is not at hand."""
    section = params.load("protocols")["rig"]
    folder = os.environ.get(section["mirror"], "")
    recordings = []
    for path in sorted(Path(folder).glob("*.mat")) if folder else []:
        bearing = scipy.io.loadmat(path, simplify_cells=True)["bearing"]
        label = "InnerRace" if path.name.startswith("Inner") else "OuterRace"
        recordings.append(
            Recording(path.stem, label, bearing["gs"].ravel(), float(bearing["sr"]), bearing["rate"] * 60)
        )
    for path in sorted(Path(folder).glob("normal*.txt.gz")) if folder else []:
        with gzip.open(path, "rt") as file:
            signal = np.loadtxt(file)
        recordings.append(Recording(path.name, "Normal", signal, section["healthy_rate"], section["healthy_rpm"]))
    return tuple(recordings)


def describe_rig(recording: Recording) -> Features:
    orders = BEARINGS[params.load("protocols")["rig"]["bearing"]].orders
    windows = cut(recording.signal, recording.sampling_rate)[1]
    return describe(windows, recording.sampling_rate, recording.rpm / 60, orders)


def assess(truth: np.ndarray, answers: np.ndarray, classes: tuple[str, ...], recordings: np.ndarray) -> Entry:
    """Return the scores of answers (windows, classes), those of whole recordings, and the windows' confusion matrix."""
    names = list(dict.fromkeys(recordings))
    whole = np.stack([pool_windows(answers[recordings == name]) for name in names])
    whole_truth = np.array([truth[recordings == name][0] for name in names])
    matrix = count(truth, answers, classes)
    return score(truth, answers, classes) | {
        "recordings_macro_f1": score(whole_truth, whole, classes)["macro_f1"],
        "confusion": {
            name: dict(zip(classes, row, strict=True)) for name, row in zip(classes, matrix, strict=True) if sum(row)
        },
    }


def try_window_network(protocol: str, network: str, seed: int) -> dict[str, Entry]:
    """Train the wide-kernel network on single windows fold by fold; shuffled_labels learns from labels out of order."""
    setting = SETTINGS[network]
    windows = load_windows(setting)
    length = windows.raw.shape[1]
    labels = windows.metadata.label.to_numpy(dtype=str)
    recordings = windows.metadata.recording.to_numpy()
    if protocol == "transfer":
        return try_transfer(lambda sized, mask: fit_windows(network, sized, mask, seed), setting)
    if protocol == "rig":
        answer = fit_windows(network, labels, np.ones(len(labels), bool), seed)
        return try_windows_on_rig(answer, setting)
    if protocol == "noise":
        (fold,) = folds.block(windows.metadata, length)
        answer = fit_windows(network, labels, fold.training, seed)
        return {
            f"{level} dB": assess(labels[fold.held_out], answer(scaled), CLASSES, recordings[fold.held_out])
            for level, scaled in noisy_windows(windows, fold.held_out, setting, seed)
        }
    entries = {}
    for fold in PROTOCOLS[protocol](windows.metadata, length):
        answer = fit_windows(network, labels, fold.training, seed)
        held_out = fold.held_out
        entries[fold.name] = assess(labels[held_out], answer(windows.scaled[held_out]), CLASSES, recordings[held_out])
    return entries


def fit_windows(network: str, labels: np.ndarray, training: np.ndarray, seed: int) -> Callable[[Tensor], np.ndarray]:
    """Return a function from scaled windows to probabilities (windows, classes), trained on a fold's training side."""
    setting = SETTINGS[network]
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(np.flatnonzero(training))
    classes = sorted(set(labels[chosen]))
    targets = torch.from_numpy(pd.Categorical(labels, classes).codes.astype(np.int64))
    if network == "shuffled_labels":
        targets[chosen] = targets[generator.permutation(chosen)]
    selecting, learning = np.split(chosen, [round(VALIDATION * len(chosen))])
    scaled = load_windows(setting).scaled
    parts = [(scaled[part], targets[part]) for part in (learning, selecting)]
    section = params.load("train", setting) | {"epochs": params.load("protocols")["epochs"], "seed": seed, "threads": 1}
    trained, _ = train(*parts, len(classes), **section)
    return lambda windows: to_probabilities(trained, windows)


@torch.inference_mode()
def to_probabilities(network: torch.nn.Module, windows: Tensor) -> np.ndarray:
    return torch.cat([network(batch).softmax(dim=-1) for batch in windows.split(256)]).double().numpy()


def make_front_end(setting: str) -> FrontEnd:
    return FrontEnd(sampling_rate=params.load("windows", setting)["sampling_rate"], **params.load("scale", setting))


def noisy_windows(windows: Windows, held_out: np.ndarray, setting: str, seed: int) -> Iterator[tuple[float, Tensor]]:
    """Yield (signal-to-noise ratio in dB, scaled windows) of what is held out, with white noise on the raw windows."""
    generator = np.random.default_rng(seed)
    raw = windows.raw[held_out]
    for level in params.load("lines")["noise"]:
        noise = generator.standard_normal(raw.shape) * raw.std(axis=1, keepdims=True) * 10 ** (-level / 20)
        yield level, make_front_end(setting)(torch.from_numpy((raw + noise).astype(np.float32)))


def try_windows_on_rig(answer: Callable[[Tensor], np.ndarray], setting: str) -> dict[str, Entry]:
    section = params.load("windows", setting)
    length = section["window_length"]
    answers, truth, names = [], [], []
    for recording in load_rig():
        rate = section["sampling_rate"]
        signal = resample(recording.signal, recording.sampling_rate, rate, recording.name)
        windows = torch.from_numpy(frame(signal, length, length).astype(np.float32))
        answers.append(answer(make_front_end(setting)(windows)))
        truth += [recording.label] * len(windows)
        names += [recording.name] * len(windows)
    return split_rig(np.concatenate(answers), np.array(truth), np.array(names))


def split_rig(answers: np.ndarray, truth: np.ndarray, names: np.ndarray) -> dict[str, Entry]:
    """Return the scores of inner against outer race, and of fault against healthy, from four probabilities."""
    race = np.isin(truth, RACES)
    races = answers[:, [CLASSES.index(name) for name in RACES]]
    races = races / np.maximum(races.sum(axis=1, keepdims=True), 1e-300)
    healthy = answers[:, CLASSES.index("Normal")]
    return {
        "inner or outer": assess(truth[race], races[race], RACES, names[race]),
        "fault or healthy": assess_detection(truth, 1 - healthy, names),
    }


def assess_detection(truth: np.ndarray, fault: np.ndarray, names: np.ndarray) -> Entry:
    """Return scores of P(fault) (windows,), with the shares of faulty and of healthy windows called faulty."""
    labels = np.where(truth == "Normal", "Normal", "Fault")
    entry = assess(labels, np.stack([fault, 1 - fault], axis=1), FAULT_OR_NOT, names)
    return entry | {
        "true_positive_rate": float((fault[labels == "Fault"] > 0.5).mean()),
        "false_positive_rate": float((fault[labels == "Normal"] > 0.5).mean()),
    }


def try_transfer(fit: Callable[[np.ndarray, np.ndarray], Callable], setting: str) -> dict[str, Entry]:
    """Train on each load once and score it on the others; fit takes the ten classes' labels and the training mask."""
    windows = load_windows(setting)
    sized = folds.size_labels(windows.metadata)
    classes = tuple(sorted(set(sized) - {""}))
    recordings = windows.metadata.recording.to_numpy()
    answers: dict[bytes, Callable] = {}
    entries = {}
    for fold in folds.transfer(windows.metadata, windows.raw.shape[1]):
        key = fold.training.tobytes()
        if key not in answers:
            answers[key] = fit(sized, fold.training)
        answer = answers[key](windows.scaled[fold.held_out])
        entries[fold.name] = assess(sized[fold.held_out], answer, classes, recordings[fold.held_out])
    return entries


def try_transfer_network(network: str, seed: int) -> dict[str, Entry]:
    """Try the transfer network; "adapted" takes the batch-norm statistics of the unlabelled windows it is asked about.

    Method: Li et al., Revisiting Batch Normalization For Practical Domain Adaptation, arXiv 1603.04779.
    """
    section = params.load("protocols")["transfer"]

    def fit(sized: np.ndarray, training: np.ndarray) -> Callable[[Tensor], np.ndarray]:
        trained = train_transfer_network(load_windows("resampled").scaled, sized, training, seed, **section)
        if network == "transfer_network":
            return lambda windows: to_probabilities(trained, windows)
        return lambda windows: to_probabilities(adapt(trained, windows), windows)

    return try_transfer(fit, "resampled")


def train_transfer_network(
    scaled: Tensor,
    labels: np.ndarray,
    training: np.ndarray,
    seed: int,
    steps: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    noise: list[float],
    speed_jitter: float,
) -> TransferCNN:
    """Return the network trained on scaled windows, classes drawn alike; each window is noisy, shifted and at another
    speed every time it is seen."""
    torch.manual_seed(seed)
    classes = sorted(set(labels[training]))
    members = [torch.from_numpy(np.flatnonzero(training & (labels == name))) for name in classes]
    net = TransferCNN(len(classes)).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    for _ in range(steps):
        targets = torch.randint(len(classes), (batch_size,))
        batch = torch.stack([members[target][torch.randint(len(members[target]), ())] for target in targets])
        seen = add_noise(change_speed(scaled[batch], speed_jitter), *noise)
        loss = functional.cross_entropy(net(seen), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def change_speed(windows: Tensor, most: float) -> Tensor:
    """Return windows (batch, samples) stretched or squeezed by up to `most`, from a random start."""
    batch, samples = windows.shape
    stretch = 1 + most * (2 * torch.rand(batch, 1) - 1)
    position = (torch.rand(batch, 1) * samples + torch.arange(samples) * stretch) % (samples - 1)
    before = position.long()
    later = position - before
    return windows.gather(1, before) * (1 - later) + windows.gather(1, before + 1) * later


def adapt(network: TransferCNN, windows: Tensor) -> TransferCNN:
    """Return a copy of the network with the batch-norm statistics of these unlabelled windows."""
    adapted = TransferCNN(network.linear.out_features)
    adapted.load_state_dict(network.state_dict())
    adapted.train()
    for module in adapted.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = None  # the plain mean over all that is seen
            module.reset_running_stats()
    with torch.no_grad():
        adapted(windows)
    return adapted.eval()


def line_networks(seed: int) -> list[dict[str, np.ndarray]]:
    """Return the networks of one seed, as train_line_networks kept them: knowing no real window, folds share them."""
    stored = np.load(networks_path(seed))
    numbers = sorted({name.split("/")[0] for name in stored})
    return [{name.split("/")[1]: stored[name] for name in stored if name.startswith(f"{n}/")} for n in numbers]


def networks_path(seed: int) -> Path:
    return FOLDS / f"line_networks-{seed}.npz"


def train_line_networks(seed: int) -> None:
    """Train the networks of one seed on simulated machines; those of two seeds have no seed in common."""
    section = params.load("diagnosis")
    simulated = np.load(SIMULATED)
    features = Features(*(simulated[name] for name in Features._fields))
    first = section["networks"] * seed
    weights = {}
    for number in range(section["networks"]):
        network = train_line_network(features, simulated["label"], first + number, **section["training"])
        weights |= {f"{number}/{name}": weight for name, weight in network.items()}
    np.savez(networks_path(seed), **weights)


def try_recording_network(protocol: str, network: str, seed: int) -> dict[str, Entry]:
    """Try the recording diagnosis, or the networks that know nothing but simulated faults."""
    metadata = lines_metadata()
    networks = line_networks(seed)
    length = round(WINDOW_SECONDS * LEAST_RATE)
    answer = answer_simulated if network == "simulation_only" else answer_pooled
    if protocol == "rig":
        return try_recording_on_rig(network, networks)
    if protocol == "noise":
        (fold,) = folds.block(metadata, length)
        levels = {f"{level} dB": f"noise_{level}" for level in params.load("lines")["noise"]}
        return {name: try_fold(answer, networks, fold, load_lines(copy)) for name, copy in levels.items()}
    copies = load_lines("clean")
    return {fold.name: try_fold(answer, networks, fold, copies) for fold in PROTOCOLS[protocol](metadata, length)}


def try_fold(answer: Callable, networks: list, fold: Fold, tried: Features) -> Entry:
    metadata = lines_metadata()
    held_out = metadata[fold.held_out]
    answers = answer(networks, fold.training, tried.select(fold.held_out))
    return assess(held_out.label.to_numpy(dtype=str), answers, CLASSES, held_out.recording.to_numpy())


def answer_simulated(networks: list, _training: np.ndarray, features: Features) -> np.ndarray:
    return probabilities(network_odds(networks, features))


def answer_pooled(networks: list, training: np.ndarray, features: Features) -> np.ndarray:
    diagnosis = fit(networks, training)
    return diagnosis.probabilities(features, diagnosis.odds(features))


def fit(networks: list, training: np.ndarray) -> RecordingDiagnosis:
    copies = [load_lines(name).select(training) for name in ("clean", "augmented")]
    metadata = lines_metadata()[training].reset_index(drop=True)
    return fit_recording_diagnosis(networks, *copies, metadata, params.load("diagnosis")["regularisation"])


def try_recording_on_rig(network: str, networks: list) -> dict[str, Entry]:
    """Score on the rig, trained on all recordings of the other; with a baseline, each healthy recording is tried with
    the others as baseline."""
    rig = load_rig()
    features = [describe_rig(recording) for recording in rig]
    every = np.ones(len(lines_metadata()), bool)
    answer = answer_simulated if network == "simulation_only" else answer_pooled
    answers = answer(networks, every, concatenate(features))
    truth = np.concatenate([[r.label] * len(f.lines) for r, f in zip(rig, features, strict=True)])
    names = np.concatenate([[r.name] * len(f.lines) for r, f in zip(rig, features, strict=True)])
    entries = split_rig(answers, truth, names)
    if network == "simulation_only":  # to which the recordings that train the others are an unseen rig as well
        entries |= split_known_recordings(networks)
    healthy = [r.name for r in rig if r.label == "Normal"]
    fault, labels, tried_names = [], [], []
    for held_out in healthy:
        baseline = to_healthy(
            concatenate([features[i] for i, r in enumerate(rig) if r.name in healthy and r.name != held_out])
        )
        tried = (truth != "Normal") | (names == held_out)
        fault.append(sigmoid(change_odds(networks, baseline, concatenate(features).select(tried))))
        labels.append(truth[tried])
        tried_names.append(np.char.add(names[tried], f" beside {held_out}"))
    entries["fault or healthy, with a baseline"] = assess_detection(*map(np.concatenate, (labels, fault, tried_names)))
    return entries


def split_known_recordings(networks: list) -> dict[str, Entry]:
    metadata = lines_metadata()
    answers = answer_simulated(networks, np.ones(len(metadata), bool), load_lines("clean"))
    entries = split_rig(answers, metadata.label.to_numpy(dtype=str), metadata.recording.to_numpy())
    return {f"{KNOWN}: {name}": entry for name, entry in entries.items()}


def try_open_set(label: str) -> dict[str, float]:
    """Return the AUROC with which novelty tells windows of a fault type that was never seen from those of the others.

    "known bearings": the others' first 70 % train, their last 30 % are tried. "unseen bearings": each of the others is
    tried with its bearing left out.
    """
    metadata = lines_metadata()
    clean = hide_type(load_lines("clean"), label)
    new, faulty = (metadata.label == label).to_numpy(), (metadata.label != "Normal").to_numpy()
    (fold,) = folds.block(metadata, round(WINDOW_SECONDS * LEAST_RATE))
    tried = faulty & (new | fold.held_out)
    values = measure_novelty(clean, metadata, fold.training & ~new, tried)
    areas = {"known bearings": float(roc_auc_score(new[tried], values))}
    bearing = bearing_of(metadata).to_numpy()
    values = np.zeros(len(metadata))
    for name in np.unique(bearing[faulty]):
        values[bearing == name] = measure_novelty(clean, metadata, ~new & (bearing != name), bearing == name)
    return areas | {"unseen bearings": float(roc_auc_score(new[faulty], values[faulty]))}


def hide_type(features: Features, label: str) -> Features:
    """Return features as if nobody knew that a bearing can fail in this way: its lines are lines of no part."""
    known, combs = COMBS.index(label), features.combs.copy()
    combs[:, 3] = np.maximum(combs[:, 3], combs[:, known])
    combs[:, known] = 0
    return features._replace(combs=combs)


def measure_novelty(clean: Features, metadata: pd.DataFrame, seen: np.ndarray, tried: np.ndarray) -> np.ndarray:
    part = clean.select(tried)
    return novelty(relative_distance(fit_spectra(clean.select(seen), metadata[seen]), part), part.combs)
