"""The population of simulated machines: bearings, speeds, faults and surroundings, drawn from ranges.

The ranges are in params.yaml. The order of the draws decides what a seed gives, so it stays as it is.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing
from model.recording.classes import FAULTS
from pipeline.simulator import Fault, Resonance, Surroundings

Ranges = dict[str, Any]  # of one part of simulate.population in params.yaml


def draw_machine(
    label: str, generator: np.random.Generator, population: Ranges
) -> tuple[Bearing, float, tuple[Fault, ...], Surroundings]:
    """Draw a bearing, a speed (rpm), faults and surroundings; "Normal" has no fault or a weak one."""
    known = generator.random() < population["known_bearing"]
    bearing = BEARINGS[DEFAULT_BEARING] if known else draw_bearing(generator, **population["bearing"])
    rpm = generator.uniform(*population["rpm"])
    faults = draw_faults(label, generator, population)
    return bearing, rpm, faults, draw_surroundings(generator, population["resonance"], **population["surroundings"])


def draw_bearing(
    generator: np.random.Generator,
    rolling_elements: list[int],
    element_diameter: list[float],
    contact_angle: list[float],
) -> Bearing:
    """Draw a bearing whose pitch diameter is 1."""
    elements = int(generator.integers(*rolling_elements, endpoint=True))
    return Bearing(elements, generator.uniform(*element_diameter), 1.0, generator.uniform(*contact_angle))


def draw_faults(label: str, generator: np.random.Generator, population: Ranges) -> tuple[Fault, ...]:
    """Draw the fault of this label, and with some probability a weaker one of another."""
    resonance, ranges = population["resonance"], population["fault"]
    faults = ()
    if label != "Normal":
        faults = (draw_fault(label, generator, generator.uniform(*population["snr_db"]), resonance, ranges),)
    second = population["second_fault"][label]
    if generator.random() < second["chance"]:
        other = generator.choice([name for name in FAULTS if name != label])
        level = (faults[0].snr_db if faults else 0) + generator.uniform(*second["level"])
        faults += (draw_fault(str(other), generator, level, resonance, ranges),)
    return faults


def draw_fault(label: str, generator: np.random.Generator, snr_db: float, resonance: Ranges, ranges: Ranges) -> Fault:
    rough = generator.random() < ranges["rough"]
    return Fault(
        label,
        snr_db=snr_db,
        slip=generator.uniform(*ranges["slip"]),
        jitter=10 ** generator.uniform(*ranges["log_jitter"]),
        amplitude_spread=generator.uniform(*ranges["amplitude_spread"]),
        load_zone=generator.uniform(*ranges["load_zone"]),
        zone_floor=generator.uniform(*ranges["zone_floor"]),
        unequal=generator.uniform(*ranges["unequal"]),
        unbalance=draw_sometimes(generator, **ranges["unbalance"]),
        second_strike=draw_sometimes(generator, **ranges["second_strike"]),
        exit_delay=generator.uniform(*ranges["exit_delay"]),
        inner_strength=generator.uniform(*ranges["inner_strength"]),
        intermittence=draw_sometimes(generator, **ranges["intermittence"]),
        rough=rough,
        burst=generator.uniform(*ranges["burst"]),
        resonances=draw_resonances(generator, draw_number(generator, ranges["resonances"]), **resonance),
    )


def draw_sometimes(generator: np.random.Generator, chance: float, between: list[float]) -> float:
    """Draw whether there is any, then how much of it."""
    return generator.uniform(*between) if generator.random() < chance else 0.0


def draw_number(generator: np.random.Generator, between: list[int]) -> int:
    return int(generator.integers(*between, endpoint=True))


def draw_resonances(
    generator: np.random.Generator, number: int, frequency: list[float], log_damping: list[float], gain: list[float]
) -> tuple[Resonance, ...]:
    return tuple(
        Resonance(generator.uniform(*frequency), 10 ** generator.uniform(*log_damping), generator.uniform(*gain))
        for _ in range(number)
    )


def draw_surroundings(
    generator: np.random.Generator,
    resonance: Ranges,
    coloured: Ranges,
    shaft: Ranges,
    tones: Ranges,
    modulation: Ranges,
    looseness: Ranges,
    hits: Ranges,
) -> Surroundings:
    most = coloured["number"][1]
    modes = tuple(
        replace(mode, gain=generator.uniform(*coloured["gain"]))
        for mode in draw_resonances(generator, most, **resonance)
    )
    return Surroundings(
        coloured=modes[: draw_number(generator, coloured["number"])],
        shaft=tuple(generator.exponential(shaft["mean"], draw_number(generator, shaft["number"]))),
        tones=tuple(
            (generator.uniform(*tones["frequency"]), generator.exponential(tones["mean"]))
            for _ in range(draw_number(generator, tones["number"]))
        ),
        modulation=draw_sometimes(generator, **modulation),
        looseness=draw_sometimes(generator, **looseness),
        hits=draw_sometimes(generator, **hits),
    )
