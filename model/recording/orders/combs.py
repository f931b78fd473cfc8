"""Combs of lines over shaft orders: those of a bearing's parts, decoys at orders of no part, and foreign ones.

numpy only: the service imports this module.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from model.recording.orders.families import Family
from model.recording.orders.spectra import LAST_ORDER, OrderSpectra

HARMONICS = 4
SIDEBAND_WEIGHT = 0.7
STEP = 1.5 / HARMONICS  # bins between fundamentals, so that the last tooth of some comb lies within a bin of any line
SHAFT_ROOM = 1.6  # bins around a shaft harmonic that say nothing of a bearing
TAKEN = 2.5  # bins around a line that goes with it
DECOYS = (1.5, 16.0)  # orders of the lowest and the highest decoy
SLOWEST = 0.28  # order of the slowest foreign comb that is looked for
DENSE = 1.2  # orders; a comb below is denser than a fault's, which would lie on its teeth
DENSE_HARMONICS = 24
SMEAR = 0.005  # share of its order that jitter smears a strong line over, onto the teeth of denser combs
FOREIGN_ROUNDS = 2


class Found(NamedTuple):
    """The best comb of a family: its score, its fundamental in stated orders, and every band's score there."""

    score: float
    fundamental: float
    bands: np.ndarray


def score(spectra: OrderSpectra, heights: np.ndarray, fundamentals: np.ndarray, sideband: float,
          factor: float | np.ndarray, harmonics: int = HARMONICS, room: float = SHAFT_ROOM) -> np.ndarray:  # fmt: skip
    """Return the scores (bands, fundamentals) of combs: weighted sums of heights, with unit deviation on noise.

    heights (bands, bins) as in spectra. fundamentals are in stated orders; factor is the true shaft rate over the
    stated one, or one of each comb. Teeth within `room` bins of a harmonic of the shaft, or beyond the spectrum, count
    for nothing.
    """
    multiples = np.arange(1, harmonics + 1)[:, None] * fundamentals
    teeth, weights = [multiples], [np.ones(harmonics)]
    for side in (-sideband, sideband) if sideband else ():
        teeth.append(multiples + side * factor)
        weights.append(np.full(harmonics, SIDEBAND_WEIGHT))
    positions, weight = np.concatenate(teeth), np.concatenate(weights)[:, None]
    index = np.rint(positions / spectra.spacing).astype(int)
    kept = (index > 1) & (index < heights.shape[1] - 1) & ~is_shaft(positions, factor, room * spectra.spacing)
    weight = weight * kept
    teeth_of_bands = np.take(heights, np.where(kept, index, 0), axis=1)  # half the time of heights[:, index]
    total = np.einsum("tf,btf->bf", weight, teeth_of_bands)
    return total / np.sqrt(np.maximum(np.square(weight).sum(axis=0), 2.0))


def is_shaft(positions: np.ndarray, factor: float | np.ndarray, room: float) -> np.ndarray:
    """Return which positions (stated orders) lie within less than `room` orders of a harmonic of the shaft."""
    turns = positions / factor
    return np.abs(turns - np.rint(turns)) * factor < room


def near(order: float, slip: float, spacing: float) -> np.ndarray:
    """Return fundamentals within a share `slip` of an order, so dense that no line is missed."""
    return order + np.arange(-order * slip, order * slip + STEP * spacing / 2, STEP * spacing)


def find(spectra: OrderSpectra, heights: np.ndarray, family: Family, slip: float, factor: float,
         room: float = SHAFT_ROOM) -> Found:  # fmt: skip
    """Return the best comb of a family within a share `slip` of its order at this speed factor."""
    fundamentals = near(family.order * factor, slip, spectra.spacing)
    scores = score(spectra, heights, fundamentals, family.sideband, factor, room=room)
    band, best = np.unravel_index(scores.argmax(), scores.shape)
    return Found(float(scores[band, best]), float(fundamentals[best]), scores.max(axis=1))


def find_highest_decoy(
    spectra: OrderSpectra,
    heights: np.ndarray,
    families: tuple[Family, ...],
    family: Family,
    slip: float,
    factor: float,
    room: float = SHAFT_ROOM,
) -> float:
    """Return the largest score of combs like a family's at orders of no part, each with the same freedom to slip."""
    fundamentals = decoy_fundamentals(families, slip, factor, spectra.spacing)
    return float(score(spectra, heights, fundamentals, family.sideband, factor, room=room).max())


@lru_cache(maxsize=64)
def decoy_fundamentals(families: tuple[Family, ...], slip: float, factor: float, spacing: float) -> np.ndarray:
    """Return fundamentals at orders of no part, of each as many as a fault's slip allows; spacing in orders."""
    centres = np.exp(np.arange(*np.log(DECOYS), 2 * slip))
    multiples = np.array([each.order * share for each in families for share in (1, 2, 3, 1 / 2, 1 / 3)])
    centres = centres[(np.abs(centres[:, None] / multiples - 1) >= 2 * slip).all(axis=1)]
    return np.concatenate([near(centre * factor, slip, spacing) for centre in centres])


def take_out(
    spectra: OrderSpectra, heights: np.ndarray, fundamental: float, sides: tuple[float, ...]
) -> np.ndarray:  # fmt: skip
    """Return heights without the lines of a comb and of its sidebands; 0 says nothing."""
    return np.where(lines_of_comb(spectra, fundamental, sides), 0, heights)


def lines_of_comb(
    spectra: OrderSpectra, fundamental: float, sides: tuple[float, ...], smear: float = 0.0
) -> np.ndarray:
    """Return which bins (bins,) hold the lines of a comb and of its sidebands, smeared by a share of their order."""
    bins = spectra.heights.shape[1]
    teeth = np.arange(1, int(LAST_ORDER / fundamental) + 1)[:, None] * fundamental + np.array(sides)
    centres = teeth.ravel() / spectra.spacing
    room = TAKEN + smear * centres[:, None]
    reach = np.arange(-int(room.max()) - 1, int(room.max()) + 2)
    index = np.rint(centres[:, None] + reach).astype(int)
    hit = (np.abs(index - centres[:, None]) <= room) & (index >= 0) & (index < bins)
    lines = np.zeros(bins, bool)
    lines[index[hit]] = True
    return lines


def take_out_families(
    spectra: OrderSpectra,
    heights: np.ndarray,
    families: tuple[Family, ...],
    found: list[Found],
    factor: float,
    smear: float = 0.0,
) -> np.ndarray:
    """Return heights without the lines of the families' best combs and their sidebands."""
    lines = np.zeros(heights.shape[1], bool)
    for family, comb in zip(families, found, strict=True):
        sides = np.arange(-3, 4) * (family.sideband or 1.0) * factor  # unbalance modulates the outer race's lines too
        lines |= lines_of_comb(spectra, comb.fundamental, tuple(sides), smear)
    return np.where(lines, 0, heights)


def take_out_foreign(
    spectra: OrderSpectra, families: tuple[Family, ...], cage: float, slip: float, factor: float, least: float
) -> tuple[np.ndarray, list[Found]]:
    """Return the heights (bands, bins) without combs of no part of the bearing that score `least` or more, and these.

    Impacts elsewhere - a belt, a gear, another bearing - make a dense comb, and some of its teeth always lie near the
    lines of a fault. It has to score without these.
    """
    heights, taken = spectra.heights, []
    found = [find(spectra, heights, family, slip, factor) for family in families]
    halves = near(0.5 * factor, slip, spectra.spacing / HARMONICS)  # looseness: its even teeth are the shaft's
    dense = foreign_fundamentals(SLOWEST, DENSE, families, cage, slip, factor, spectra.spacing, DENSE_HARMONICS)
    any_comb = foreign_fundamentals(SLOWEST, DECOYS[1], families, cage, slip, factor, spectra.spacing, HARMONICS)
    for tried, harmonics, smear, most in (
        (halves, 2 * HARMONICS, 0.0, 1),
        (dense, DENSE_HARMONICS, SMEAR, 1),
        (any_comb, HARMONICS, 0.0, FOREIGN_ROUNDS),
    ):
        for _ in range(most):
            rest = take_out_families(spectra, heights, families, found, factor, smear)
            scores = score(spectra, rest, tried, 0.0, factor, harmonics)
            band, best = np.unravel_index(scores.argmax(), scores.shape)
            if scores[band, best] < least:
                break
            sharp = sharpen(spectra, rest[band : band + 1], float(tried[best]), factor)
            sides = (-factor, 0.0, factor)  # load that turns with the shaft modulates impacts anywhere
            heights = take_out(spectra, heights, sharp, sides)
            taken.append(Found(float(scores[band, best]), sharp, scores[:, best]))
    return heights, taken


@lru_cache(maxsize=64)
def foreign_fundamentals(
    lowest: float,
    highest: float,
    families: tuple[Family, ...],
    cage: float,
    slip: float,
    factor: float,
    spacing: float,
    harmonics: int,
) -> np.ndarray:
    """Return fundamentals that no part has: not near simple multiples, sidebands, the cage or the shaft."""
    fundamentals = np.arange(lowest, highest, 1.5 / harmonics * spacing)
    shares = [top / bottom for top in (1, 2, 3) for bottom in (1, 2, 3)]
    own = [family.order * share for family in families for share in shares if family.order * share > 1.2]
    own += [turn * multiple for turn in (cage, 1 - cage) for multiple in range(1, 9)]  # elements that differ
    sides = [family.order + side * family.sideband for family in families for side in (-2, -1, 1, 2) if family.sideband]
    far = np.abs(fundamentals[:, None] / (np.array(own) * factor) - 1).min(axis=1) > 2 * slip
    beside = np.abs(fundamentals[:, None] / (np.array(sides) * factor) - 1).min(axis=1) > slip
    return fundamentals[far & beside & ~is_shaft(fundamentals, factor, SHAFT_ROOM * spacing)]


def sharpen(spectra: OrderSpectra, heights: np.ndarray, fundamental: float, factor: float) -> float:
    """Return a comb's fundamental as exactly as its last teeth tell, doubling their number step by step."""
    harmonics, most = HARMONICS, int(LAST_ORDER / fundamental)
    while harmonics < most:
        harmonics = min(2 * harmonics, most)
        tried = fundamental + np.linspace(-1, 1, 41) * 3 * spectra.spacing / harmonics
        fundamental = float(tried[score(spectra, heights, tried, 0.0, factor, harmonics)[0].argmax()])
    return fundamental
