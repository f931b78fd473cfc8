"""Simulated lives: recordings of one machine hour by hour, with a fault that grows from a known hour on, and with what
troubles a watch and is no damage.

The order of the draws decides what a seed gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from model.bearings import Bearing
from model.recording.recording import Recording
from pipeline.population import draw_bearing, draw_fault, draw_resonances, draw_surroundings
from pipeline.simulator import Fault, Surroundings, simulate

NUISANCES = ("none", "speed", "load", "temperature", "gain", "dead", "clipped", "gap")
OF_THE_SENSOR = ("gain", "dead", "clipped", "gap")


@dataclass(frozen=True)
class Life:
    """A machine's life: what it is, what troubles its watch from hour `trouble` on, and a fault from `onset` on."""

    bearing: Bearing
    rpm: float
    surroundings: Surroundings
    nuisance: str
    trouble: int
    fault: Fault | None
    onset: int
    seed: int


def draw_life(
    number: int, label: str, *, hours: int, seed: int, population: dict[str, Any], learning: int, **_: Any
) -> Life:
    """Draw a life; label is the part that fails half way, or "Normal". Nuisances take turns."""
    generator = np.random.default_rng([seed, number, len(label)])
    bearing = draw_bearing(generator, **population["bearing"])
    rpm = generator.uniform(*population["rpm"])
    surroundings = draw_surroundings(generator, population["resonance"], **population["surroundings"])
    fault = None
    if label != "Normal":
        modes = population["resonance"]
        fault = draw_fault(label, generator, 0.0, modes, population["fault"])
        fault = replace(fault, rough=False, intermittence=0.0, resonances=draw_resonances(generator, 1, **modes))
    trouble = int(generator.integers(2 * learning, hours // 2 - 25))
    nuisance = NUISANCES[number % len(NUISANCES)]
    return Life(bearing, rpm, surroundings, nuisance, trouble, fault, hours // 2, seed + number)


def list_recordings(
    life: Life, *, hours: int, seconds: float, sampling_rate: int, snr_db: list[float], **_: Any
) -> Iterator[tuple[Recording, float]]:
    """Yield the recording of each hour and its fault's power over everything else's in dB, -inf where there is none.

    From the onset on, the fault grows by as many dB an hour as bring it from the first to the last of snr_db.
    """
    generator = np.random.default_rng([life.seed, 1])
    weather = 0.0
    for hour in range(hours):
        weather = 0.8 * weather + generator.normal(0, 0.3)  # dB
        snr = -np.inf
        faults = ()
        if life.fault and hour >= life.onset:
            snr = snr_db[0] + (snr_db[1] - snr_db[0]) * (hour - life.onset) / (hours - life.onset)
            faults = (replace(life.fault, snr_db=snr),)
        rpm = draw_speed(life, generator)
        surroundings = load(life, hour)
        signal = simulate(life.bearing, rpm, sampling_rate, seconds, generator, faults, surroundings)
        warmth = 2 * np.sin(2 * np.pi * hour / 48) if life.nuisance == "temperature" else 0.0  # dB
        yield Recording(trouble(life, hour, 10 ** ((weather + warmth) / 20) * signal), sampling_rate, rpm), snr


def draw_speed(life: Life, generator: np.random.Generator) -> float:
    """Draw the hour's speed: near the machine's, or near one of three where the speed is the nuisance."""
    steps = (0.8, 1.0, 1.25) if life.nuisance == "speed" else (1.0,)
    return float(life.rpm * generator.choice(steps) * generator.uniform(0.995, 1.005))


def load(life: Life, hour: int) -> Surroundings:
    """Return the surroundings of an hour: every other day the load is heavier and the structure's noise 3 dB louder."""
    if life.nuisance != "load" or hour // 24 % 2 == 0:
        return life.surroundings
    heavier = tuple(replace(mode, gain=1.4 * mode.gain) for mode in life.surroundings.coloured)
    return replace(life.surroundings, coloured=heavier, shaft=tuple(1.4 * each for each in life.surroundings.shaft))


def trouble(life: Life, hour: int, signal: np.ndarray) -> np.ndarray:
    """Return an hour's signal after what is wrong with the sensor: a gain for good, all else for a day."""
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
