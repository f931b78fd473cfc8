"""What a person can check: the bearing's lines in an envelope spectrum, and whether they agree with the diagnosis.

numpy only: the service imports this module.
"""

from dataclasses import dataclass

import numpy as np

from model.bearings import FaultOrders
from model.recording import thresholds
from model.recording.lines import ORDER_TOLERANCE
from model.recording.spectra import BANDS, prominence

HARMONICS = 3
TOO_SLOW = "the shaft turns too slowly for these windows: its lines run together"
NO_WINDOW = "there is nothing to see: no window varies"


@dataclass
class Line:
    """Where a fault shows in the envelope spectrum, and what is there.

    order is a multiple of the shaft rate; heights, one a harmonic, are multiples of the spectrum around it (0 beyond
    the spectrum's end); comb is the mean of their natural logarithms. It stands out where noise does not reach it and
    no other fault's comb overshadows it: harmonics and sidebands of one fault lie near lines of another.
    """

    fault: str
    name: str
    order: float
    heights: list[float]
    comb: float
    stands_out: bool


@dataclass
class Evidence:
    """The band (Hz) whose envelope shows the bearing's lines best, spectra (windows, bins) of its envelope, spacing in
    orders, the lines, and what they say of the diagnosis: "supports", "contradicts" or "inconclusive", and why."""

    band: tuple[int, int]
    spectra: np.ndarray
    spacing: float
    lines: list[Line]
    verdict: str = "inconclusive"
    explanation: str = ""


def weigh(
    envelope_spectra: np.ndarray,
    spacing: float,
    shaft_rate: float,
    orders: FaultOrders,
    prediction: str,
    limits: thresholds.Evidence,
) -> Evidence:
    """Return what envelope spectra (bands, windows, bins) say of a prediction; spacing of the bins and rate in Hz.

    The band is the one in which a fault's first harmonics stand highest over their surroundings.
    """
    spacing = spacing / shaft_rate
    heights = prominence(envelope_spectra.mean(axis=1))
    harmonics = np.stack([harmonic_heights(heights, order / spacing) for _, _, order in fault_lines(orders)])
    combs = np.where(np.isfinite(harmonics), harmonics, 0).mean(axis=2)
    best = int(combs.max(axis=0).argmax())
    least = least_height(combs[:, best], envelope_spectra.shape[1], limits)
    lines = [
        Line(fault, name, order, times(harmonic), float(comb), bool(comb >= least))
        for (fault, name, order), harmonic, comb in zip(
            fault_lines(orders), harmonics[:, best], combs[:, best], strict=True
        )
    ]
    return Evidence(BANDS[best], envelope_spectra[best], spacing, lines, *judge(lines, prediction, limits))


def least_height(combs: np.ndarray, windows: int, limits: thresholds.Evidence) -> float:
    """Return the height that a comb needs to stand out: beyond noise, and near the highest of combs (faults,)."""
    independent = 1 + 0.9 * (windows - 1)  # windows overlap by half
    return max(limits.least_comb, limits.chance / np.sqrt(independent), combs.max() - limits.lead)


def nothing(explanation: str) -> Evidence:
    """Return that there is no evidence, and why."""
    return Evidence(BANDS[0], np.empty((0, 0)), 0.0, [], explanation=explanation)


def fault_lines(orders: FaultOrders) -> tuple[tuple[str, str, float], ...]:
    """Return fault, name and order of each fault's first line."""
    return (
        ("OuterRace", "BPFO", orders.bpfo),
        ("InnerRace", "BPFI", orders.bpfi),
        ("Ball", "2 x BSF", 2 * orders.bsf),
    )


def highest_order(orders: FaultOrders) -> float:
    """Return an order a little beyond the last harmonic that is looked at."""
    return (HARMONICS + 0.2) * max(order for _, _, order in fault_lines(orders))


def harmonic_heights(heights: np.ndarray, bin_of_line: float) -> np.ndarray:
    """Return the highest of heights (bands, bins) near each harmonic of a line, (bands, harmonics); -inf beyond."""
    columns = []
    for harmonic in range(1, HARMONICS + 1):
        centre = harmonic * bin_of_line
        reach = max(centre * ORDER_TOLERANCE, 1)
        near = heights[:, max(round(centre - reach), 0) : round(centre + reach) + 1]
        columns.append(near.max(axis=1) if centre + reach < heights.shape[1] else np.full(len(heights), -np.inf))
    return np.stack(columns, axis=1)


def times(heights: np.ndarray) -> list[float]:
    return [float(f"{height:.3g}") for height in np.exp(heights)]


def judge(lines: list[Line], prediction: str, limits: thresholds.Evidence) -> tuple[str, str]:
    """Return whether lines support or contradict a prediction, or neither ("inconclusive"), and why in words."""
    strongest = max(lines, key=lambda line: line.comb)
    own = next((line for line in lines if line.fault == prediction), None)
    if prediction == "Normal":
        if strongest.stands_out:
            return "contradicts", f"{describe(strongest)}: lines of damage, though the networks call it healthy"
        return "supports", f"no fault's lines stand out; the highest are those of {strongest.name}"
    if own is None:
        standing = [describe(line) for line in lines if line.stands_out]
        return "inconclusive", "; ".join(standing) or "no fault's lines stand out"
    if strongest.stands_out and strongest.comb - own.comb > limits.lead:
        though = "; but balls strike the races, whose lines may show first" if prediction == "Ball" else ""
        return "contradicts", f"{describe(strongest)}, {describe(own)} only{though}"
    if own.stands_out and own is strongest:
        return "supports", f"{describe(own)}, higher than the lines of any other fault"
    if own.stands_out:
        return "inconclusive", f"{describe(own)}, but {describe(strongest)}"
    return "inconclusive", f"{describe(own)}, too little to tell it from chance or from another part's lines"


def describe(line: Line) -> str:
    return f"{line.name} and its harmonics stand {np.exp(line.comb):.1f} times over their surroundings"
