"""A second population of simulated machines, with what real ones have around the bearing: it tries and trains nothing.

The ranges are in params.yaml. The order of the draws decides what a seed gives.
"""

from itertools import product
from typing import Any

import numpy as np

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.recording.classes import FAULTS
from pipeline.machinery import Belt, Drive, FaintLine, Gear, Machine, Neighbour, Spall, Step
from pipeline.population import (
    draw_bearing,
    draw_fault,
    draw_number,
    draw_resonances,
    draw_surroundings,
)
from pipeline.simulator import Fault, Resonance

Ranges = dict[str, Any]  # of one part of machine_trials.clutter in params.yaml


def draw_cluttered(
    label: str, extended: bool, rpm: float, sampling_rate: float, generator: np.random.Generator,
    population: Ranges, clutter: Ranges,
) -> Machine:  # fmt: skip
    """Draw a machine at this speed whose bearing has the fault of this label, or none where it is "Normal".

    population holds the ranges of bearings and faults that train, clutter those of everything beside.
    """
    modes = scale(clutter["resonance"], sampling_rate)
    known = generator.random() < population["known_bearing"]
    bearing = BEARINGS[DEFAULT_BEARING] if known else draw_bearing(generator, **population["bearing"])
    return Machine(
        label,
        bearing,
        rpm,
        draw_surroundings(generator, modes, **clutter["surroundings"]),
        gears=draw_several(generator, draw_gear, **clutter["gears"]),
        belts=draw_several(generator, draw_belt, **clutter["belts"]),
        drives=draw_several(generator, draw_drive, **clutter["drives"]),
        wear=draw_resonances(generator, draw_number(generator, clutter["wear"]["number"]),
                             **scale(clutter["wear"]["resonance"], sampling_rate)),
        faint=draw_faint_lines(generator, modes, population["fault"], **clutter["faint"]),
        neighbours=draw_neighbours(generator, bearing, modes, population, **clutter["neighbours"]),
        steps=draw_several(generator, draw_step, **clutter["steps"]),
        fault=draw_damage(label, extended, generator, modes, population["fault"], **clutter["damage"]),
    )  # fmt: skip


def scale(resonance: Ranges, sampling_rate: float) -> Ranges:
    """Return ranges of modes in Hz, of ranges as shares of the sampling rate."""
    return resonance | {"frequency": [share * sampling_rate for share in resonance["frequency"]]}


def draw_several(generator: np.random.Generator, draw: Any, number: list[int], **ranges: Any) -> tuple:
    return tuple(draw(generator, **ranges) for _ in range(draw_number(generator, number)))


def draw_amplitudes(generator: np.random.Generator, mean: float, harmonics: list[int]) -> tuple[float, ...]:
    return tuple(generator.exponential(mean, draw_number(generator, harmonics)))


def draw_gear(
    generator: np.random.Generator, teeth: list[int], mean: float, harmonics: list[int], modulation: list[float]
) -> Gear:
    return Gear(
        draw_number(generator, teeth),
        draw_number(generator, teeth),
        draw_amplitudes(generator, mean, harmonics),
        own=generator.uniform(*modulation),
        other=generator.uniform(*modulation),
    )


def draw_belt(generator: np.random.Generator, order: list[float], mean: float, harmonics: list[int]) -> Belt:
    return Belt(generator.uniform(*order), draw_amplitudes(generator, mean, harmonics))


def draw_drive(
    generator: np.random.Generator,
    switching: list[float],
    mean: float,
    harmonics: list[int],
    pole_pairs: list[int],
    slip: list[float],
    sideband: list[float],
    ripples: list[int],
) -> Drive:
    return Drive(
        generator.uniform(*switching),
        draw_amplitudes(generator, mean, harmonics),
        draw_number(generator, pole_pairs),
        generator.uniform(*slip),
        generator.uniform(*sideband),
        draw_amplitudes(generator, mean, ripples),
    )


def draw_step(generator: np.random.Generator, moment: list[float], level: list[float]) -> Step:
    return Step(generator.uniform(*moment), 10 ** (generator.uniform(*level) / 20))


def draw_faint_lines(
    generator: np.random.Generator, modes: Ranges, fault: Ranges, chance: float, depth: list[float], gain: list[float]
) -> tuple[FaintLine, ...]:
    """Draw which parts of the healthy bearing are heard, and how faintly."""
    lines = []
    for label in FAULTS:
        if generator.random() < chance:
            part = draw_fault(label, generator, 0.0, modes, fault)
            mode = Resonance(part.resonances[0].frequency, part.resonances[0].damping, generator.uniform(*gain))
            lines.append(FaintLine(part, mode, generator.uniform(*depth)))
    return tuple(lines)


def draw_neighbours(
    generator: np.random.Generator, own: Bearing, modes: Ranges, population: Ranges,
    number: list[int], snr_db: list[float], room: float, multiples: int,
) -> tuple[Neighbour, ...]:  # fmt: skip
    """Draw damaged bearings of other geometries, whose fault's order is none of the own bearing's."""
    neighbours = []
    for _ in range(draw_number(generator, number)):
        label = str(generator.choice(FAULTS))
        fault = draw_fault(label, generator, generator.uniform(*snr_db), modes, population["fault"])
        bearing = draw_bearing(generator, **population["bearing"])
        while is_near(fault_orders(bearing)[label] * (1 + fault.slip), own, room, multiples):
            bearing = draw_bearing(generator, **population["bearing"])
        neighbours.append(Neighbour(bearing, fault))
    return tuple(neighbours)


def fault_orders(bearing: Bearing) -> dict[str, float]:
    """Return the rate of each fault's strikes as a multiple of the shaft rate."""
    orders = bearing.orders
    return {"Ball": 2 * orders.bsf, "InnerRace": orders.bpfi, "OuterRace": orders.bpfo}


def is_near(order: float, bearing: Bearing, room: float, multiples: int) -> bool:
    """Say whether an order lies within the share room of a / b times a bearing's fault order, a and b to multiples.

    Such lines are those of the bearing, as far as anybody can tell.
    """
    ratios = {a / b for a, b in product(range(1, multiples + 1), repeat=2)}
    own = (*fault_orders(bearing).values(), bearing.orders.bsf)
    return any(abs(order / (ratio * each) - 1) < room for ratio in ratios for each in own)


def draw_damage(
    label: str, extended: bool, generator: np.random.Generator, modes: Ranges, fault: Ranges,
    snr_db: list[float], arc: list[float], entry: list[float], ground_db: list[float], cage: list[float],
) -> Fault | Spall | None:  # fmt: skip
    if label == "Normal":
        return None
    local = draw_fault(label, generator, generator.uniform(*snr_db), modes, fault)
    if not extended:
        return local
    shape = (generator.uniform(*each) for each in (arc, entry, ground_db, cage))
    return Spall(local, *shape)
