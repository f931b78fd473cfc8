"""Open set: how well novelty separates a fault type that training has not seen from the others."""

import numpy as np
from sklearn.metrics import roc_auc_score

from model.recording.classes import COMBS
from model.recording.familiarity import novelty, relative_distance
from model.recording.lines import Features
from model.recording.thresholds import Familiarity
from pipeline.training.lines import WINDOW_LENGTH, lines_metadata, load_lines
from pipeline.training.recording import bearing_of, fit_spectra
from pipeline.trials import folds


def try_open_set(label: str, limits: Familiarity, **spectra: float) -> dict[str, float]:
    """Return the AUROC of novelty for windows of a fault type that training has not seen against the others'.

    "known bearings": the others' first 70 % train, their last 30 % are tried. "unseen bearings": each of the others is
    tried with its bearing left out. limits and spectra are the settings of fit_spectra.
    """
    metadata = lines_metadata()

    def measure(seen: np.ndarray, tried: np.ndarray) -> np.ndarray:
        part = clean.select(tried)
        known = fit_spectra(clean.select(seen), None, metadata[seen], limits, **spectra)
        return novelty(relative_distance(known, part), part.combs, limits)

    clean = hide_type(load_lines("clean"), label)
    new, faulty = (metadata.label == label).to_numpy(), (metadata.label != "Normal").to_numpy()
    (fold,) = folds.block(metadata, WINDOW_LENGTH)
    tried = faulty & (new | fold.held_out)
    values = measure(fold.training & ~new, tried)
    areas = {"known bearings": float(roc_auc_score(new[tried], values))}
    bearing = bearing_of(metadata).to_numpy()
    values = np.zeros(len(metadata))
    for name in np.unique(bearing[faulty]):
        values[bearing == name] = measure(~new & (bearing != name), bearing == name)
    return areas | {"unseen bearings": float(roc_auc_score(new[faulty], values[faulty]))}


def hide_type(features: Features, label: str) -> Features:
    """Return features in which the lines of this fault type count as lines of no part."""
    known, combs = COMBS.index(label), features.combs.copy()
    combs[:, 3] = np.maximum(combs[:, 3], combs[:, known])
    combs[:, known] = 0
    return features._replace(combs=combs)
