"""The lines of a bearing that is known by its size alone: of those that it may be, the one whose lines show best.

numpy only: the service imports this module.
"""

from dataclasses import replace

import numpy as np

from model.bearings import Bearing
from model.recording.orders.evidence import NONE, Evidence, Line, find_lines
from model.recording.orders.families import list_families
from model.recording.orders.spectra import transform_orders
from model.recording.recording import Recording
from model.recording.thresholds import Thresholds
from model.sizes import Estimate

PARTS = {"OuterRace": "the outer race", "InnerRace": "the inner race", "Ball": "a ball"}


def read_lines_within(
    recording: Recording, signal: np.ndarray, estimate: Estimate, limits: Thresholds
) -> tuple[Bearing, Evidence]:
    """Return the bearing, of those of an estimate, whose lines exceed the decoys most, and its lines.

    signal (samples,) is the recording's without its mean. The stated speed holds: no lines are known that could correct
    it.
    """
    slowest, fastest = limits.checks.rpm
    if not np.any(signal) or not slowest <= recording.rpm <= fastest:
        return estimate.bearings[0], Evidence()
    spectra = transform_orders(signal, recording.sampling_rate, recording.rpm / 60)
    number = len(estimate.bearings)
    looks = [
        (bearing, find_lines(spectra, bearing.orders, 1.0, limits.evidence, number)) for bearing in estimate.bearings
    ]
    bearing, evidence = max(looks, key=lambda look: find_best(look[1]).excess)
    bearing = fit(bearing, find_best(evidence))
    for line, family in zip(evidence.lines, list_families(bearing.orders), strict=True):
        line.order = family.order
    return bearing, evidence


def fit(bearing: Bearing, line: Line) -> Bearing:
    """Return the bearing with balls of the size that makes a race's line lie where it was found."""
    ratio = {"OuterRace": 1 - 2 * line.found / bearing.rolling_elements,
             "InnerRace": 2 * line.found / bearing.rolling_elements - 1}.get(line.fault, 0)  # fmt: skip
    if line.state == NONE or not 0 < ratio < 1:
        return bearing
    return replace(bearing, element_diameter=ratio * bearing.pitch_diameter)


def find_best(evidence: Evidence) -> Line:
    return max(evidence.lines, key=lambda line: line.excess)


def describe_place(line: Line, bearing: Bearing) -> str:
    """Return where a line lies, and whose it would be there."""
    return (
        f"lines at {line.order:.2f} orders of the shaft, where a defect of {PARTS[line.fault]} of such a bearing with "
        f"{bearing.rolling_elements} balls would lie"
    )


def describe_estimate(estimate: Estimate, bearing: Bearing, evidence: Evidence) -> str:
    """Return in words between what the orders were looked for, and which order was found."""
    size, ranges = estimate.size, estimate.ranges
    looked = ", ".join(
        f"{name} {low:.3g} to {high:.3g}"
        for name, (low, high) in (("BPFO", ranges["bpfo"]), ("BPFI", ranges["bpfi"]), ("BSF", ranges["bsf"]))
    )
    best = find_best(evidence) if evidence.lines else None
    found = "no line was found" if best is None or best.state == NONE else f"found were {describe_place(best, bearing)}"
    return (
        f"the bearing's geometry is estimated from its bore of {size.bore:g} mm and its outside diameter of "
        f"{size.outer_diameter:g} mm ({looked}): {found}"
    )
