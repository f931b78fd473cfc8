"""Where no part of the bearing is damaged no fault is named: whatever else the machine does, at any speed."""

import numpy as np

from model.bearings import Bearing
from model.recording.classes import FAULTS
from model.recording.recording import Recording
from pipeline.clutter import is_near
from pipeline.machinery import Gear, make_comb, make_gear
from pipeline.simulator import Resonance, place, ring

MACHINES, ALLOWED = 200, 1
TURNS = 40  # at the least
ROOM, MULTIPLES = 0.025, 4  # orders so near to a / b times a fault's are the bearing's own lines


def test_noise_tones_shafts_gears_and_impacts_of_no_part_are_called_a_fault_once_in_200(diagnosis):
    named = {}
    for number in range(MACHINES):
        recording, bearing = draw_machine(np.random.default_rng([13, number]))
        prediction = diagnosis.diagnose(recording, bearing).prediction
        if prediction in FAULTS:
            named[number] = f"{prediction}: {recording.rpm:.0f} rpm, {recording.sampling_rate} Hz, {recording.name}"
    assert len(named) <= ALLOWED, named


def draw_machine(generator: np.random.Generator) -> tuple[Recording, Bearing]:
    """Draw a recording of a healthy machine; its name says what was in it."""
    rate = int(generator.choice([12_000, 20_480, 25_600, 51_200]))
    rpm = float(np.exp(generator.uniform(np.log(300), np.log(8_000))))
    seconds = max(generator.uniform(1.5, 4), 60 * TURNS / rpm)
    bearing = Bearing(int(generator.integers(7, 17)), generator.uniform(0.12, 0.3), 1.0, generator.uniform(0, 15))
    time = np.arange(round(seconds * rate)) / rate
    clock = (time, rpm / 60, rate, generator)
    parts = {
        "shaft": (0.5, make_shaft(*clock)),
        "tones": (0.4, make_tones(*clock)),
        "gears": (0.5, make_gears(*clock)),
        "impacts": (0.5, make_impacts(bearing, *clock)),
        "hits": (0.2, make_hits(*clock)),
    }
    signal, names = make_noise(*clock), []
    for name, (chance, part) in parts.items():
        if generator.random() < chance:
            signal = signal + part
            names.append(name)
    if generator.random() < 0.3:
        signal = signal * (1 + generator.uniform(0, 0.8) * np.cos(2 * np.pi * rpm / 60 * time))
        names.append("modulation")
    return Recording(signal, rate, rpm, name=", ".join(names)), bearing


def make_noise(time: np.ndarray, shaft_rate: float, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Return noise of deviation 1 whose amplitude follows frequency to a power of -1 to 1, and a few modes."""
    frequency = np.fft.rfftfreq(len(time), 1 / rate)
    frequency[0] = frequency[1]
    white = np.fft.rfft(generator.standard_normal(len(time)))
    noise = normal(np.fft.irfft(white * frequency ** generator.uniform(-1, 1), len(time)))
    for _ in range(generator.integers(0, 4)):
        mode = Resonance(generator.uniform(300, 0.45 * rate), 10 ** generator.uniform(-2.3, -1))
        shaped = ring(generator.standard_normal(len(time)), (mode,), rate)
        noise = noise + generator.uniform(0, 3) * normal(shaped)
    return noise


def make_shaft(time: np.ndarray, shaft_rate: float, rate: int, generator: np.random.Generator) -> np.ndarray:
    amplitudes = tuple(generator.exponential(0.4, generator.integers(1, 30)))
    return make_comb(shaft_rate, amplitudes, time, rate, generator)


def make_tones(time: np.ndarray, shaft_rate: float, rate: int, generator: np.random.Generator) -> np.ndarray:
    tones = [(generator.uniform(20, 0.45 * rate), generator.exponential(1)) for _ in range(generator.integers(1, 5))]
    return sum(make_comb(frequency, (amplitude,), time, rate, generator) for frequency, amplitude in tones)


def make_gears(time: np.ndarray, shaft_rate: float, rate: int, generator: np.random.Generator) -> np.ndarray:
    teeth, other = (int(each) for each in generator.integers(11, 80, 2))
    amplitudes = tuple(generator.exponential(1, generator.integers(1, 4)))
    gear = Gear(teeth, other, amplitudes, generator.uniform(0, 0.8), generator.uniform(0, 0.8))
    return make_gear(gear, time, shaft_rate, rate, generator)


def make_impacts(
    bearing: Bearing, time: np.ndarray, shaft_rate: float, rate: int, generator: np.random.Generator
) -> np.ndarray:
    """Return strikes of -20 to 10 dB at an order that is no part's: jittery, uneven, some follow the shaft."""
    order = np.exp(generator.uniform(np.log(0.3), np.log(15)))
    while is_near(order, bearing, ROOM, MULTIPLES):
        order = np.exp(generator.uniform(np.log(0.3), np.log(15)))
    jitter = 10 ** generator.uniform(-4, -1.7)
    strikes = int(time[-1] * shaft_rate * order * 1.2) + 9
    moments = np.cumsum(1 + jitter * generator.standard_normal(strikes)) / (shaft_rate * order)
    strength = generator.lognormal(0, generator.uniform(0, 0.5), strikes)
    if generator.random() < 0.5:
        strength = strength * (1 + generator.uniform(0, 1) * np.cos(2 * np.pi * shaft_rate * moments))
    return 10 ** (generator.uniform(-20, 10) / 20) * normal(strike(moments, strength, time, rate, generator))


def make_hits(time: np.ndarray, shaft_rate: float, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Return hits at any moment, some five a second, three deviations of the noise high."""
    moments = generator.uniform(0, time[-1], generator.poisson(5 * time[-1]) + 1)
    hits = strike(moments, generator.lognormal(0, 0.7, len(moments)), time, rate, generator)
    return 3 * hits / np.abs(hits).max()


def strike(
    moments: np.ndarray, strength: np.ndarray, time: np.ndarray, rate: int, generator: np.random.Generator
) -> np.ndarray:
    mode = Resonance(generator.uniform(500, 0.45 * rate), 10 ** generator.uniform(-2, -1))
    return ring(place(moments, strength, len(time), rate), (mode,), rate)


def normal(signal: np.ndarray) -> np.ndarray:
    return signal / signal.std()
