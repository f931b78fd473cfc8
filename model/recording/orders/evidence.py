"""What a person can check: the bearing's lines in the envelope spectra of a recording, against decoys of the same.

A line family counts where its comb stands above every decoy comb of the recording, and matters where it modulates the
envelope deeply: healthy bearings of real machines have faint lines at their own orders.
numpy only: the service imports this module.
"""

from dataclasses import dataclass, field

import numpy as np

from model.bearings import FaultOrders
from model.recording import thresholds
from model.recording.orders.combs import (
    HARMONICS,
    SHAFT_ROOM,
    Found,
    find,
    find_highest_decoy,
    take_out,
    take_out_families,
    take_out_foreign,
)
from model.recording.orders.families import SHOWN_HARMONICS, Family, list_families
from model.recording.orders.spectra import AROUND, OrderSpectra, median, transform_orders
from model.recording.orders.speed import find_factor, is_stated
from model.recording.recording import Recording
from model.recording.spectra import BANDS

NOTHING = "there is nothing to see: no window varies"
CLEAR, FAINT, DOUBTFUL, NONE = "clear", "faint", "doubtful", "none"


@dataclass
class Line:
    """Where a fault shows in the envelope spectrum, and what is there.

    order is a multiple of the shaft rate, found the one at which its comb stands highest, since bearings slip. heights,
    one a harmonic, are multiples of the spectrum around it (0 beyond the spectrum's end). excess is the comb's score
    less that of the highest decoy, both in deviations of noise; depth is the modulation of the envelope by the comb, as
    a share of its mean. state is "clear" (significant and deep), "faint" (significant, not deep), "doubtful" (in
    between) or "none". It stands out where it is clear and no other fault's comb exceeds it by more.
    """

    fault: str
    name: str
    order: float
    found: float
    heights: list[float]
    excess: float
    depth: float
    state: str
    stands_out: bool


@dataclass
class Evidence:
    """The band (Hz), of those of the windows, whose envelope shows the lines best; the lines; and what they say.

    fault is the one whose lines are clear, or empty. doubt says in words why lines cannot settle it, or is empty.
    verdict is of the prediction: "supports", "contradicts" or "inconclusive", and explanation why.
    """

    band: tuple[int, int] = BANDS[0]
    lines: list[Line] = field(default_factory=list)
    fault: str = ""
    doubt: str = ""
    verdict: str = "inconclusive"
    explanation: str = NOTHING


def read_lines(
    recording: Recording, signal: np.ndarray, orders: FaultOrders, limits: thresholds.Thresholds
) -> tuple[float, Evidence]:
    """Return the true shaft rate over the stated one, 1 where that is borne out, and the lines of the bearing there.

    signal (samples,) is the recording's without its mean. At speeds that are not diagnosed there is no evidence.
    """
    slowest, fastest = limits.checks.rpm
    if not np.any(signal) or not slowest <= recording.rpm <= fastest:
        return 1.0, Evidence()
    spectra = transform_orders(signal, recording.sampling_rate, recording.rpm / 60)
    factor = find_factor(spectra, orders, limits.speed)
    evidence = find_lines(spectra, orders, factor, limits.evidence)
    return (1.0 if is_stated(factor, limits.speed) else factor), evidence


def find_lines(
    spectra: OrderSpectra, orders: FaultOrders, factor: float, limits: thresholds.Evidence, bearings: int = 1
) -> Evidence:  # fmt: skip
    """Return the lines of the bearing in spectra at a true shaft rate of `factor` times the stated one.

    The significance pays for every look: decoys have the same bands and the same freedom to slip, and of theirs the
    largest counts. The null is the recording without the lines of its own best combs. Where so many bearings are tried,
    the decoys' largest score grows with the logarithm of their number, as that of all extremes (Gumbel 1958) does.
    """
    families = list_families(orders)
    heights, foreign = take_out_foreign(spectra, families, orders.ftf, limits.slip, factor, limits.foreign)
    looks = look(spectra, heights, families, factor, limits.slip)
    lines, bands = [], []
    for family, (comb, decoy) in zip(families, looks, strict=True):
        decoy += limits.wider * np.log(bearings)
        lines.append(describe_line(spectra, family, comb, decoy, factor, limits))
        bands.append(spectra.bands[int(comb.bands.argmax())])
    best = max(range(len(lines)), key=lambda number: lines[number].excess)
    for line in lines:
        line.stands_out = line.state == CLEAR and line is lines[best]
    evidence = Evidence(nearest_band(bands[best]), lines)
    evidence.fault = lines[best].fault if lines[best].state == CLEAR else ""
    evidence.doubt = find_doubt(lines[best], spectra.turns, limits) or find_foreign(spectra, foreign, factor, limits)
    return evidence


def look(
    spectra: OrderSpectra, heights: np.ndarray, families: tuple[Family, ...], factor: float, slip: float
) -> list[tuple[Found, float]]:
    """Return the best comb of each family and the highest decoy's score, in heights without it."""
    found = [find(spectra, heights, family, slip, factor) for family in families]
    null = take_out_families(spectra, heights, families, found, factor)
    looks = []
    for family, comb in zip(families, found, strict=True):
        found_and_decoy = comb, find_highest_decoy(spectra, null, families, family, slip, factor)
        if abs(family.order - round(family.order)) <= slip * family.order + SHAFT_ROOM * spectra.spacing:
            beside = look_on_shaft(spectra, heights, families, family, factor, slip)
            found_and_decoy = max(found_and_decoy, beside, key=lambda each: each[0].score - each[1])
        looks.append(found_and_decoy)
    return looks


def look_on_shaft(
    spectra: OrderSpectra,
    heights: np.ndarray,
    families: tuple[Family, ...],
    family: Family,
    factor: float,
    slip: float,
) -> tuple[Found, float]:
    """Return the same for a family whose lines lie on harmonics of the shaft: combs of the shaft are decoys then."""
    comb = find(spectra, heights, family, slip, factor, room=0.0)
    sides = (-family.sideband * factor, 0.0, family.sideband * factor) if family.sideband else (0.0,)
    null = take_out(spectra, heights, comb.fundamental, sides)
    return comb, find_highest_decoy(spectra, null, families, family, slip, factor, room=0.0)


def describe_line(
    spectra: OrderSpectra, family: Family, comb: Found, decoy: float, factor: float, limits: thresholds.Evidence
) -> Line:  # fmt: skip
    excess = comb.score - decoy
    showing = np.flatnonzero(comb.bands > max(decoy, comb.score - limits.showing))
    bands = showing if len(showing) else np.array([comb.bands.argmax()])
    shares = [line_shares(spectra, band, comb.fundamental) for band in bands]
    depth = max(modulation_depth(peaks, around) for peaks, around in shares)
    peaks, around = line_shares(spectra, int(comb.bands.argmax()), comb.fundamental)
    heights = [float(f"{np.sqrt(peak / level):.3g}") for peak, level in zip(peaks, around, strict=True)]
    heights = (heights + [0.0] * HARMONICS)[:SHOWN_HARMONICS]
    state = grade(excess, depth, limits)
    found = comb.fundamental / factor
    return Line(family.fault, family.name, family.order, found, heights, float(excess), depth, state, False)


def modulation_depth(peaks: np.ndarray, around: np.ndarray) -> float:
    """Return how deeply lines modulate the envelope, as a share of its mean, from their line_shares."""
    return float(np.sqrt(np.maximum(peaks - around, 0).sum()))


def line_shares(spectra: OrderSpectra, band: int, fundamental: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the power of a comb's harmonics in a band, over the squared mean of the envelope, and that around them."""
    power = spectra.power[band]
    power = power[: np.isfinite(power).sum()]
    centres = np.rint(np.arange(1, HARMONICS + 1) * fundamental / spectra.spacing).astype(int)
    centres = centres[centres + 1 < len(power)]
    reach = round(AROUND / spectra.spacing)
    peaks = np.array([power[centre - 1 : centre + 2].max() for centre in centres])
    around = np.array([median(power[max(centre - reach, 0) : centre + reach]) for centre in centres])
    return peaks, around


def grade(excess: float, depth: float, limits: thresholds.Evidence) -> str:
    """Return how far a comb of this excess and depth counts."""
    if excess < limits.doubtful_excess or depth < limits.faint:
        return FAINT if excess >= limits.excess else NONE
    return CLEAR if excess >= limits.excess and depth >= limits.deep else DOUBTFUL


def find_doubt(best: Line, turns: float, limits: thresholds.Evidence) -> str:
    """Return why the lines cannot tell healthy from faulty, or an empty text."""
    if turns < limits.least_turns:
        return f"the shaft turns {turns:.0f} times in this recording, its lines need {limits.least_turns:g} turns"
    return f"{describe(best)}: healthy bearings have such lines too" if best.state == DOUBTFUL else ""


def find_foreign(
    spectra: OrderSpectra, foreign: list[Found], factor: float, limits: thresholds.Evidence
) -> str:  # fmt: skip
    """Return that a comb of no part of the bearing is as deep as damage, or an empty text.

    Such lines are those of another part of the machine, or of this bearing at another speed or geometry than stated.
    """
    for comb in foreign:
        depth = modulation_depth(*line_shares(spectra, int(comb.bands.argmax()), comb.fundamental))
        order = comb.fundamental / factor
        if order > 1 and depth >= limits.deep:
            return (
                f"lines at {order:.2f} orders of the shaft, those of no part of this bearing, modulate the envelope by "
                f"{100 * depth:.0f} %: are speed, sampling rate and bearing as stated, or is it another part's damage?"
            )
    return ""


def nearest_band(band: np.ndarray) -> tuple[int, int]:
    """Return the one of the windows' bands that shares most with a band (Hz): its envelope is the one to draw."""
    low, high = band
    shared = [max(min(high, top) - max(low, bottom), 0) / max(top - bottom, high - low) for bottom, top in BANDS]
    return BANDS[int(np.argmax(shared))]


def judge(evidence: Evidence, prediction: str) -> Evidence:
    """Return evidence with whether its lines support or contradict a prediction, or neither, and why in words."""
    if not evidence.lines:
        return evidence
    best = max(evidence.lines, key=lambda line: line.excess)
    own = next((line for line in evidence.lines if line.fault == prediction), None)
    evidence.verdict, evidence.explanation = weigh(best, own, prediction)
    return evidence


def weigh(best: Line, own: Line | None, prediction: str) -> tuple[str, str]:
    if prediction == "Normal":
        if best.state == CLEAR:
            return "contradicts", f"{describe(best)}: lines of damage, though the prediction is healthy"
        if best.state == NONE:
            return "supports", "no fault's lines found: no part's comb stands above the decoys of this recording"
        if best.state == FAINT:
            return "supports", f"{describe(best)}: faint, as the lines of healthy bearings are"
        return "inconclusive", f"{describe(best)}: too much for noise, too little for damage"
    if own is None:
        return "inconclusive", describe(best) if best.state != NONE else "no fault's lines found"
    if best.state == CLEAR and own is not best:
        though = "; but balls strike the races, whose lines may show first" if prediction == "Ball" else ""
        return "contradicts", f"{describe(best)}, not those of {own.name}{though}"
    if own.state == CLEAR:
        return "supports", f"{describe(own)}, above every decoy of this recording"
    return "inconclusive", f"{describe(own)}, too little to tell them from chance or from a healthy bearing's"


def describe(line: Line) -> str:
    if line.state == NONE:
        return f"the lines of {line.name} do not stand above the decoys of this recording"
    return (
        f"the lines of {line.name} stand {max(line.heights):.1f} times over their surroundings and modulate the "
        f"envelope by {100 * line.depth:.0f} %"
    )
