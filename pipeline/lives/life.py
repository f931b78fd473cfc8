"""Simulated lives: recordings of one machine hour by hour, with a fault that grows from a known hour on, and with what
troubles a watch and is no damage.

The order of the draws decides what a seed gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model.bearings import Bearing
from model.recording.classes import CLASSES
from model.recording.recording import Recording
from pipeline.population import draw_bearing, draw_fault, draw_resonances, draw_surroundings
from pipeline.simulator import Fault, Surroundings, simulate

NUISANCES = ("none", "speed", "load", "temperature", "drift", "gain", "dead", "clipped", "gap", "repair", "run-in")
ALL_ALONG = ("none", "speed", "load", "temperature", "drift")  # the others begin at an hour
OF_THE_SENSOR = ("gain", "dead", "clipped", "gap")
RUN_IN = 72  # hours
AGED = -6.0  # dB; what a drifting sensor loses over a life


@dataclass(frozen=True)
class Life:
    """A machine's life: what it is, what troubles its watch from hour `trouble` on, and a fault from `onset` on.

    repaired is what surrounds the bearing after a repair, louder or quieter: it was taken apart and mounted anew.
    """

    bearing: Bearing
    rpm: float
    surroundings: Surroundings
    repaired: Surroundings
    nuisance: str
    trouble: int
    fault: Fault | None
    onset: int
    seed: tuple[int, ...]


def draw_life(
    number: int, label: str, *, hours: int, seed: int, population: dict[str, Any], learning: int, **_: Any
) -> Life:
    """Draw a life; label is the part that fails half way, or "Normal". Nuisances take turns."""
    seeds = (seed, number, CLASSES.index(label))
    generator = np.random.default_rng(seeds)
    bearing = draw_bearing(generator, **population["bearing"])
    rpm = generator.uniform(*population["rpm"])
    surroundings, repaired = (
        draw_surroundings(generator, population["resonance"], **population["surroundings"]) for _ in range(2)
    )
    fault = None
    if label != "Normal":
        modes = population["resonance"]
        fault = draw_fault(label, generator, 0.0, modes, population["fault"])
        fault = replace(fault, rough=False, intermittence=0.0, resonances=draw_resonances(generator, 1, **modes))
    trouble = int(generator.integers(2 * learning, hours // 2 - 25))
    nuisance = NUISANCES[number % len(NUISANCES)]
    return Life(bearing, rpm, surroundings, repaired, nuisance, trouble, fault, hours // 2, seeds)


def list_recordings(
    life: Life, *, hours: int, seconds: float, sampling_rate: int, snr_db: list[float], **_: Any
) -> Iterator[tuple[Recording, float]]:
    """Yield the recording of each hour and its fault's power over everything else's in dB, -inf where there is none.

    From the onset on, the fault grows by as many dB an hour as bring it from the first to the last of snr_db.
    """
    generator = np.random.default_rng([*life.seed, 1])
    weather = 0.0
    for hour in range(hours):
        weather = 0.8 * weather + generator.normal(0, 0.3)  # dB
        snr = -np.inf
        faults = ()
        if life.fault and hour >= life.onset:
            snr = snr_db[0] + (snr_db[1] - snr_db[0]) * (hour - life.onset) / (hours - life.onset)
            faults = (replace(life.fault, snr_db=snr),)
        rpm = draw_speed(life, generator)
        surroundings = surround(life, hour)
        signal = simulate(life.bearing, rpm, sampling_rate, seconds, generator, faults, surroundings)
        warmth = 2 * np.sin(2 * np.pi * hour / 48) if life.nuisance == "temperature" else 0.0  # dB
        yield Recording(trouble(life, hour, 10 ** ((weather + warmth) / 20) * signal), sampling_rate, rpm), snr


def draw_speed(life: Life, generator: np.random.Generator) -> float:
    """Draw the hour's speed: near the machine's, or near one of three where the speed is the nuisance."""
    steps = (0.8, 1.0, 1.25) if life.nuisance == "speed" else (1.0,)
    return float(life.rpm * generator.choice(steps) * generator.uniform(0.995, 1.005))


def surround(life: Life, hour: int) -> Surroundings:
    """Return the surroundings of an hour.

    Every other day the load is heavier and the structure's noise 3 dB louder; a repair changes them for good; while a
    bearing runs in, its friction is up to 12 dB louder and settles within three days.
    """
    if life.nuisance == "repair" and hour >= life.trouble:
        return life.repaired
    if life.nuisance == "load" and hour // 24 % 2:
        return louder(life.surroundings, 3.0, shaft=3.0)
    if life.nuisance == "run-in" and life.trouble <= hour < life.trouble + RUN_IN:
        return louder(life.surroundings, 12 * np.sin(np.pi * (hour - life.trouble) / RUN_IN))
    return life.surroundings


def louder(surroundings: Surroundings, rise: float, shaft: float = 0.0) -> Surroundings:
    """Return surroundings whose coloured noise, and the lines of the shaft, are louder by so many dB."""
    coloured = tuple(replace(mode, gain=10 ** (rise / 20) * mode.gain) for mode in surroundings.coloured)
    return replace(
        surroundings, coloured=coloured, shaft=tuple(10 ** (shaft / 20) * each for each in surroundings.shaft)
    )


def trouble(life: Life, hour: int, signal: np.ndarray) -> np.ndarray:
    """Return an hour's signal after what is wrong with the sensor: drift all along, a gain for good, else for a day."""
    if life.nuisance == "drift":
        return 10 ** (AGED * hour / (2 * life.onset) / 20) * signal
    begun, over = hour >= life.trouble, hour >= life.trouble + 24
    if life.nuisance == "gain" and begun:
        return 3 * signal
    if not begun or over:
        return signal
    if life.nuisance == "dead":
        return 1e-3 * signal
    if life.nuisance == "clipped":
        return np.clip(signal, -1.5 * signal.std(), 1.5 * signal.std())
    if life.nuisance == "gap":
        return np.where(np.arange(len(signal)) < len(signal) // 3, 0.0, signal)
    return signal
