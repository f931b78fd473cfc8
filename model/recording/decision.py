"""From the experts' log-odds to probabilities, and from these to a prediction or "Unknown" with its reason."""

import numpy as np

from model.recording.classes import CLASSES, FAULTS, UNKNOWN
from model.recording.experts import LIMIT, Odds, sigmoid
from model.recording.familiarity import spectral_familiarity, spectral_share

LEAST_BALL = (
    -2.0
)  # lines of a race speak against a ball fault only so far: balls strike the races (Smith, Randall 2015)
CLEAR, CLEAR_FADE = 0.8, 0.4  # a fault's comb this far above the others' decides the type alone
LEAST_FAMILIARITY = 0.01
FOREIGN_COMB, FOREIGN_LEAD = 2.1, 1.0  # lines of no part: this high, and this far above those of every fault


def clarity(combs: np.ndarray) -> np.ndarray:
    """Return 1 where the lines of one fault stand far above those of the others, 0 where they do not, (windows,)."""
    ranked = np.sort(combs[:, :3], axis=1)
    return np.clip((ranked[:, 2] - ranked[:, 1] - CLEAR) / CLEAR_FADE, 0, 1)


def pool(lines: Odds, spectral: Odds, relative: np.ndarray, clear: np.ndarray) -> Odds:
    """Return the pooled log-odds of lines and spectrum; relative is the relative_distance of the spectra.

    A fault is called where its lines show or a familiar spectrum says so: a spectrum from elsewhere says nothing. On
    the type a clear comb of lines decides alone.
    """
    familiarity, share = spectral_familiarity(relative), spectral_share(relative) * (1 - clear)
    least_ball = LEAST_BALL - (LIMIT + LEAST_BALL) * clear
    return Odds(
        np.maximum(lines.fault, (1 - familiarity) * lines.fault + familiarity * spectral.fault),
        (1 - share) * np.maximum(lines.ball, least_ball) + share * spectral.ball,
        (1 - share) * lines.outer + share * spectral.outer,
    )


def probabilities(odds: Odds) -> np.ndarray:
    """Return probabilities of CLASSES (windows, classes): fault or not, then ball or race, then which race."""
    fault, ball, outer = (sigmoid(np.asarray(value, np.float64)) for value in odds)
    race = fault * (1 - ball)
    return np.stack([fault * ball, race * (1 - outer), 1 - fault, race * outer], axis=1)


def calibrate(uncalibrated: np.ndarray, temperature: float, relative: np.ndarray) -> np.ndarray:
    """Return probabilities (windows, classes) sharpened by the temperature as far as the spectrum is familiar.

    The mean of two experts is less sure than it could be; the lines alone, trained to be calibrated, are left as they
    are. The most probable class stays. Formula: Guo et al., On Calibration of Modern Neural Networks, ICML 2017,
    section 4.2.
    """
    power = temperature ** -spectral_familiarity(relative)
    sharpened = uncalibrated ** power[:, None]
    return sharpened / sharpened.sum(axis=1, keepdims=True)


def pool_windows(each: np.ndarray) -> np.ndarray:
    """Return the probabilities of a recording (classes,): the geometric mean of its windows'."""
    mean = np.exp(np.log(np.maximum(each, 1e-9)).mean(axis=0))
    return mean / mean.sum()


def replace_fault(each: np.ndarray, fault: np.ndarray) -> np.ndarray:
    """Return probabilities (windows, classes) with these of a fault (windows,); the types keep their proportions."""
    normal = CLASSES.index("Normal")
    types = np.delete(each, normal, axis=1)
    types = types / np.maximum(types.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return np.insert(types * fault[:, None], normal, 1 - fault, axis=1)


def name_prediction(row: np.ndarray, combs: np.ndarray, familiarity: float, relative: float) -> tuple[str, str]:
    """Return the class of probabilities (classes,), or UNKNOWN and the reason."""
    types = {name: row[CLASSES.index(name)] for name in FAULTS}
    fault, likely = sum(types.values()), max(types, key=types.get)
    explained, other = float(combs[:3].max()), float(combs[3])
    foreign = other > FOREIGN_COMB and other - explained > FOREIGN_LEAD
    if foreign and (fault > 0.5 or relative > 1):
        return UNKNOWN, (
            "unlike anything in training: strong lines at orders that no part of this bearing makes; check rpm, "
            "sampling rate and bearing"
        )
    if fault <= 0.5:
        return "Normal", ""
    if familiarity < LEAST_FAMILIARITY:
        return UNKNOWN, "unlike anything in training: signs of damage, but neither spectrum nor lines of a known fault"
    if types[likely] < fault / 2:
        return UNKNOWN, "damage, type unclear: no type has half of the probability of a fault"
    return likely, ""
