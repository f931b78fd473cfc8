"""Trials of the recording diagnosis, and of its networks alone, which know nothing but simulated faults."""

from collections.abc import Callable

import numpy as np

from model.bearings import BEARINGS
from model.recording.baseline import change_odds, to_healthy
from model.recording.classes import CLASSES
from model.recording.decision import probabilities
from model.recording.experts import network_odds, sigmoid
from model.recording.familiarity import relative_distance
from model.recording.lines import Features, concatenate, describe
from model.recording.recording import Recording
from model.recording.thresholds import Thresholds
from model.recording.windows import cut
from pipeline.training.recording import fit_recording_diagnosis
from pipeline.trials import folds
from pipeline.trials.folds import KNOWN, PROTOCOLS, Fold
from pipeline.trials.lines import WINDOW_LENGTH, lines_metadata, load_lines, load_networks
from pipeline.trials.rig import assess_detection, assess_rig, load_rig
from pipeline.trials.scores import Entry, assess

Networks = list[dict[str, np.ndarray]]
Answer = Callable[[np.ndarray, Features], np.ndarray]  # a mask of what trains, and features, to probabilities


def try_recordings(
    protocol: str,
    seed: int,
    *,
    network: str,
    noise: list[float],
    regularisation: float,
    spectra: dict[str, float],
    bearing: str,
    thresholds: Thresholds,
) -> dict[str, Entry]:
    """Return {fold: scores} of "recording" or "simulation_only" on one protocol.

    noise lists the noise protocol's signal-to-noise ratios (dB); bearing is the designation of the rig's;
    regularisation, spectra and thresholds are those of fit_recording_diagnosis.
    """
    networks, metadata = load_networks(seed), lines_metadata()

    def answer(training: np.ndarray, features: Features) -> np.ndarray:
        if network == "simulation_only":
            return answer_simulated(networks, features, thresholds)
        return answer_fitted(networks, training, features, regularisation, spectra, thresholds)

    if protocol == "rig":
        known = split_known_recordings(networks, thresholds) if network == "simulation_only" else {}
        return try_on_rig(answer, networks, load_rig(), bearing, known, thresholds)
    if protocol == "noise":
        (fold,) = folds.block(metadata, WINDOW_LENGTH)
        return {f"{level} dB": try_fold(answer, fold, load_lines(f"noise_{level}")) for level in noise}
    clean = load_lines("clean")
    return {fold.name: try_fold(answer, fold, clean) for fold in PROTOCOLS[protocol](metadata, WINDOW_LENGTH)}


def try_fold(answer: Answer, fold: Fold, tried: Features) -> Entry:
    held_out = lines_metadata()[fold.held_out]
    answers = answer(fold.training, tried.select(fold.held_out))
    return assess(held_out.label.to_numpy(dtype=str), answers, CLASSES, held_out.recording.to_numpy())


def answer_simulated(networks: Networks, features: Features, thresholds: Thresholds) -> np.ndarray:
    return probabilities(network_odds(networks, features, thresholds.experts))


def answer_fitted(
    networks: Networks,
    training: np.ndarray,
    features: Features,
    regularisation: float,
    spectra: dict[str, float],
    thresholds: Thresholds,
) -> np.ndarray:
    copies = [load_lines(name).select(training) for name in ("clean", "augmented")]
    metadata = lines_metadata()[training].reset_index(drop=True)
    diagnosis = fit_recording_diagnosis(networks, *copies, metadata, regularisation, spectra, thresholds)
    return diagnosis.probabilities(features, relative_distance(diagnosis.spectra, features))


def try_on_rig(
    answer: Answer,
    networks: Networks,
    rig: list[tuple[str, Recording]],
    bearing: str,
    known: dict[str, Entry],
    thresholds: Thresholds,
) -> dict[str, Entry]:
    """Score on the rig what was trained on all recordings of the other; with a baseline, each healthy recording is
    tried with the others as baseline."""
    features = [describe_recording(recording, bearing) for _, recording in rig]
    every = np.ones(len(lines_metadata()), bool)
    answers = answer(every, concatenate(features))
    truth = np.concatenate([[label] * len(each.lines) for (label, _), each in zip(rig, features, strict=True)])
    names = np.concatenate([[r.name] * len(each.lines) for (_, r), each in zip(rig, features, strict=True)])
    beside = try_baselines(networks, concatenate(features), truth, names, thresholds)
    return assess_rig(answers, truth, names) | known | {"fault or healthy, with a baseline": beside}


def describe_recording(recording: Recording, bearing: str) -> Features:
    windows = cut(recording.signal, recording.sampling_rate)[1]
    return describe(windows, recording.sampling_rate, recording.rpm / 60, BEARINGS[bearing].orders)


def try_baselines(
    networks: Networks, features: Features, truth: np.ndarray, names: np.ndarray, thresholds: Thresholds
) -> Entry:
    fault, labels, tried_names = [], [], []
    for held_out in dict.fromkeys(names[truth == "Normal"]):
        others = (truth == "Normal") & (names != held_out)
        baseline = to_healthy(features.select(others), thresholds.baseline)
        tried = (truth != "Normal") | (names == held_out)
        fault.append(sigmoid(change_odds(networks, baseline, features.select(tried), thresholds)))
        labels.append(truth[tried])
        tried_names.append(np.char.add(names[tried], f" beside {held_out}"))
    return assess_detection(*map(np.concatenate, (labels, fault, tried_names)))


def split_known_recordings(networks: Networks, thresholds: Thresholds) -> dict[str, Entry]:
    """Return the rig's scores on the catalogue's recordings, an unseen rig to networks that are only simulated."""
    metadata = lines_metadata()
    answers = answer_simulated(networks, load_lines("clean"), thresholds)
    entries = assess_rig(answers, metadata.label.to_numpy(dtype=str), metadata.recording.to_numpy())
    return {f"{KNOWN}: {name}": entry for name, entry in entries.items()}
