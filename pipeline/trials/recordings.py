"""Trials of the recording diagnosis, and of its networks alone, which know nothing but simulated faults."""

from collections.abc import Callable
from functools import partial

import numpy as np

from model.recording.classes import CLASSES
from model.recording.decision import probabilities
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.experts import network_odds
from model.recording.familiarity import relative_distance
from model.recording.lines import Features
from model.recording.thresholds import Thresholds
from pipeline.training.lines import WINDOW_LENGTH, lines_metadata, load_lines, load_networks
from pipeline.training.recording import fit_recording_diagnosis
from pipeline.trials import folds
from pipeline.trials.folds import PROTOCOLS, Fold
from pipeline.trials.scores import Entry, assess

Networks = list[dict[str, np.ndarray]]
Answer = Callable[[Features], np.ndarray]  # to probabilities (windows, classes)


def try_recordings(
    protocol: str,
    seed: int,
    *,
    network: str,
    noise: list[float],
    regularisation: float,
    spectra: dict[str, float],
    thresholds: Thresholds,
) -> dict[str, Entry]:
    """Return {fold: scores} of "recording" or "simulation_only" on one protocol.

    noise lists the noise protocol's signal-to-noise ratios (dB); regularisation, spectra and thresholds are those of
    fit_recording_diagnosis. The protocol rig, whole recordings of other machines, is the stage rig_trials'.
    """
    networks, metadata = load_networks(seed), lines_metadata()

    def fit(training: np.ndarray) -> Answer:
        if network == "simulation_only":
            return partial(answer_simulated, networks, thresholds=thresholds)
        return partial(answer_fitted, fit_on(networks, training, regularisation, spectra, thresholds))

    if protocol == "noise":
        (fold,) = folds.block(metadata, WINDOW_LENGTH)
        answer = fit(fold.training)
        return {f"{level} dB": try_fold(answer, fold, load_lines(f"noise_{level}")) for level in noise}
    clean = load_lines("clean")
    return {
        fold.name: try_fold(fit(fold.training), fold, clean) for fold in PROTOCOLS[protocol](metadata, WINDOW_LENGTH)
    }


def try_fold(answer: Answer, fold: Fold, tried: Features) -> Entry:
    held_out = lines_metadata()[fold.held_out]
    answers = answer(tried.select(fold.held_out))
    return assess(held_out.label.to_numpy(dtype=str), answers, CLASSES, held_out.recording.to_numpy())


def answer_simulated(networks: Networks, features: Features, thresholds: Thresholds) -> np.ndarray:
    return probabilities(network_odds(networks, features, thresholds.experts))


def fit_on(
    networks: Networks,
    training: np.ndarray,
    regularisation: float,
    spectra: dict[str, float],
    thresholds: Thresholds,
) -> RecordingDiagnosis:
    copies = [load_lines(name).select(training) for name in ("clean", "augmented")]
    metadata = lines_metadata()[training].reset_index(drop=True)
    return fit_recording_diagnosis(networks, *copies, metadata, regularisation, spectra, thresholds)


def answer_fitted(diagnosis: RecordingDiagnosis, features: Features) -> np.ndarray:
    relative = relative_distance(diagnosis.spectra, features)
    return diagnosis.probabilities(features, diagnosis.ask_networks(features), relative)
