"""The thresholds that decide an answer: typed in params.yaml, written into diagnosis.json, read from there.

params.yaml says of each what it is, in which unit, and why it is as it is; a field here has the same name.
"""

from typing import Any, NamedTuple


class Checks(NamedTuple):
    """Beyond what a recording is unfit for a diagnosis."""

    held: float
    clipped: float
    tone: float
    drift: float
    audible: float
    highest_line: float
    noise_room: float
    least_tone: float
    least_turns: float
    rpm: list[float]
    tones: list[float]
    least_variation: float


class Experts(NamedTuple):
    """How much one expert may say."""

    limit: float


class Familiarity(NamedTuple):
    """How much a spectrum may say, by its distance from those of training."""

    fade: float
    known: float
    known_fade: float
    familiar_share: float
    known_share: float
    spectrum_novelty: float
    trusted: float
    trusted_fade: float


class Decision(NamedTuple):
    """What turns log-odds into a prediction or "Unknown"."""

    least_ball: float
    clear: float
    clear_fade: float
    fault: float
    type_share: float
    least_familiarity: float
    agree: float
    plain: float
    suspect: float
    network_rpm: list[float]
    evident: float
    dissent: float


class Baseline(NamedTuple):
    """How much a machine has to change from healthy to count as damaged."""

    seconds: float
    quiet_line: float
    change_lines: float
    change_growth: float
    change_level: float
    change_moment: float
    change_spectrum: float
    least_spread_level: float
    least_spread_band: float
    least_spread_moment: float
    least_spread_spectrum: float
    speed_slope: float
    speed_slope_spread: float
    same_speed: float
    same_speed_windows: float
    confidence: float
    least_windows: float
    unit_jump: float
    steepness: float


class Evidence(NamedTuple):
    """How far a bearing's lines have to stand above the decoys, and how deep they have to be, to speak for a fault."""

    slip: float
    foreign: float
    showing: float
    excess: float
    doubtful_excess: float
    deep: float
    faint: float
    least_turns: float
    wider: float


class Speed(NamedTuple):
    """When the recording's own lines contradict the stated rate and speed by some percent."""

    reach: float
    stated: float
    slip: float
    most_shaft: float
    most_bearing: float
    bearing_weight: float
    least: float
    least_shaft: float
    borne_out: float
    borne_out_share: float
    margin: float
    alike: float
    decoy_share: float


class ShaftCheck(NamedTuple):
    """When the shaft's harmonics contradict the stated speed and sampling rate."""

    customary_rates: list[float]
    customary_slips: list[float]
    free: list[list[float]]
    off_custom: float
    stated_room: float
    named_room: float
    mains: list[float]
    mains_room: float
    shaft_rates: list[float]
    least_turns: float
    plausible_rates: list[float]
    modest: float
    tall: float
    high: float
    clear: float
    lead: float
    fundamental: float
    fainter: float
    draw: float
    level: float


class ShaftSpeed(NamedTuple):
    """When the shaft's own lines are clear enough to tell a speed that nobody says."""

    rates: list[float]
    least_turns: float
    room_below: float
    tall: float
    tallest: float
    clear: float
    possible: float
    possible_share: float
    part: float
    cage: list[float]
    mains: list[float]
    mains_room: float
    same: list[float]
    below: float


class Thresholds(NamedTuple):
    """All of them, by the module that reads them."""

    checks: Checks
    experts: Experts
    familiarity: Familiarity
    decision: Decision
    baseline: Baseline
    evidence: Evidence
    speed: Speed
    shaft_check: ShaftCheck
    shaft_speed: ShaftSpeed


def write_thresholds(thresholds: Thresholds) -> dict[str, dict[str, Any]]:
    return {name: section._asdict() for name, section in thresholds._asdict().items()}
