"""From the experts' log-odds to probabilities, and from these to a prediction or "Unknown" with its reason."""

from collections import Counter

import numpy as np

from model.bearings import Bearing
from model.recording.classes import CLASSES, FAULTS, RACES, UNKNOWN
from model.recording.experts import Odds, sigmoid
from model.recording.familiarity import spectral_familiarity, spectral_share
from model.recording.orders.evidence import CLEAR, DOUBTFUL, Evidence
from model.recording.orders.within import describe_place, find_best
from model.recording.thresholds import Decision, Familiarity, Thresholds

UNCERTAIN = "uncertain: a healthy baseline decides"


def clarity(combs: np.ndarray, limits: Decision) -> np.ndarray:
    """Return 1 where the lines of one fault stand far above those of the others, 0 where they do not, (windows,)."""
    ranked = np.sort(combs[:, :3], axis=1)
    return np.clip((ranked[:, 2] - ranked[:, 1] - limits.clear) / limits.clear_fade, 0, 1)


def pool(lines: Odds, spectral: Odds, relative: np.ndarray, clear: np.ndarray, limits: Thresholds) -> Odds:
    """Return the pooled log-odds of lines and spectrum; relative is the relative_distance of the spectra.

    A fault is called where its lines show or a familiar spectrum says so: a spectrum from elsewhere says nothing. On
    the type a clear comb of lines decides alone.
    """
    familiarity = spectral_familiarity(relative, limits.familiarity)
    share = spectral_share(relative, limits.familiarity) * (1 - clear)
    least_ball = limits.decision.least_ball - (limits.experts.limit + limits.decision.least_ball) * clear
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


def calibrate(uncalibrated: np.ndarray, temperature: float, relative: np.ndarray, limits: Familiarity) -> np.ndarray:
    """Return probabilities (windows, classes) sharpened by the temperature as far as the spectrum is familiar.

    The mean of two experts is less sure than it could be; the lines alone, trained to be calibrated, are left as they
    are. The most probable class stays. Formula: Guo et al., On Calibration of Modern Neural Networks, ICML 2017,
    section 4.2.
    """
    power = temperature ** -spectral_familiarity(relative, limits)
    sharpened = uncalibrated ** power[:, None]
    return sharpened / sharpened.sum(axis=1, keepdims=True)


def replace_fault(each: np.ndarray, fault: np.ndarray) -> np.ndarray:
    """Return probabilities (windows, classes) with these of a fault (windows,); the types keep their proportions."""
    normal = CLASSES.index("Normal")
    types = np.delete(each, normal, axis=1)
    types = types / np.maximum(types.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return np.insert(types * fault[:, None], normal, 1 - fault, axis=1)


def name_by_lines(evidence: Evidence, likely: dict[str, float] | None, limits: Decision) -> tuple[str, str]:
    """Return what the lines of a recording decide without a baseline: a class, or UNKNOWN and the reason.

    likely holds the networks' probabilities of CLASSES where they were trained for this speed. Lines that are neither
    clear nor faint count where the networks, asked window by window, name the same race; a ball's do not.
    """
    if evidence.fault:
        return evidence.fault, ""
    best = max(evidence.lines, key=lambda line: line.excess)
    if likely and best.state == DOUBTFUL and best.fault in RACES and likely[best.fault] >= limits.agree:
        return best.fault, ""
    if evidence.doubt:
        return UNKNOWN, f"{UNCERTAIN}; {evidence.doubt}"
    if likely and likely["Normal"] < limits.suspect:
        return UNKNOWN, f"{UNCERTAIN}; no fault's lines found, but the windows look damaged to the networks"
    return "Normal", ""


def name_by_estimated_lines(
    evidence: Evidence, bearing: Bearing, likely: dict[str, float] | None, limits: Decision
) -> tuple[str, str]:
    """Return what the lines decide of a bearing whose geometry is estimated: a class, or UNKNOWN and the reason.

    In so wide a range the lines of other parts are as likely: a race is named where its lines are as deep as those of
    plain damage, and where the networks name it too. bearing is the one whose lines were found.
    """
    best = find_best(evidence)
    if best.state != CLEAR:
        return name_by_lines(evidence, None if best.state == DOUBTFUL else likely, limits)
    if best.fault in RACES and best.depth >= limits.plain and likely and likely[best.fault] >= limits.agree:
        return best.fault, ""
    return UNKNOWN, f"{UNCERTAIN}; {describe_place(best, bearing)}: its damage, or the lines of another part"


def follow_lines(each: np.ndarray, decided: str, trust: np.ndarray, limits: Decision) -> np.ndarray:
    """Return probabilities (windows, classes) that follow what the lines decided as far as a spectrum is not trusted.

    trust (windows,) is 1 where the spectrum is one of training's: there the probabilities stay.
    """
    normal = CLASSES.index("Normal")
    odds = {UNKNOWN: 0.0, "Normal": -limits.evident}.get(decided, limits.evident)
    healthy = np.clip(each[:, normal], 1e-9, 1 - 1e-9)
    fault = sigmoid(trust * np.log((1 - healthy) / healthy) + (1 - trust) * odds)
    if decided in FAULTS:
        share = float(sigmoid(np.array(limits.evident)))
        named = np.where(np.array(CLASSES) == decided, share, (1 - share) / 2)
        each = trust[:, None] * each + (1 - trust[:, None]) * named
    return replace_fault(each, fault)


def name_prediction(row: np.ndarray, familiarity: float, limits: Decision) -> tuple[str, str]:
    """Return the class of probabilities (classes,), or UNKNOWN and the reason."""
    types = {name: row[CLASSES.index(name)] for name in FAULTS}
    fault, likely = sum(types.values()), max(types, key=types.get)
    if fault <= limits.fault:
        return "Normal", ""
    if familiarity < limits.least_familiarity:
        return UNKNOWN, "unlike anything in training: signs of damage, but neither spectrum nor lines of a known fault"
    if types[likely] < limits.type_share * fault:
        return UNKNOWN, "damage, type unclear: no type has half of the probability of a fault"
    return likely, ""


def find_dissent(prediction: str, of_windows: list[str], limits: Decision) -> str:
    """Return a warning where many windows say otherwise than the whole, or an empty text.

    A fault may come and go, or the load change.
    """
    counts = Counter(of_windows)
    if len(of_windows) - counts[prediction] < limits.dissent * max(len(of_windows), 1):
        return ""
    said = ", ".join(f"{count} {label}" for label, count in counts.most_common())
    return f"the windows disagree ({said}): look at them one by one"
