"""Vibration of simulated bearings: it trains the recording diagnosis, makes the examples, and the tests' recordings."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from model.bearings import BEARINGS, DEFAULT_BEARING, Bearing

DEFAULT = BEARINGS[DEFAULT_BEARING]
LEAD = 0.1  # s simulated before the first sample, so that ringing has set in


@dataclass(frozen=True)
class Resonance:
    """A structural mode: frequency in Hz, damping ratio, gain."""

    frequency: float
    damping: float
    gain: float = 1.0


@dataclass(frozen=True)
class Fault:
    """What a damaged part does to the vibration; the defaults are a clean localised spall without slip.

    snr_db is the power of the fault's vibration over everything else's. slip is the share by which the strike rate
    departs from the kinematic one, jitter the spread of the intervals between strikes as a share of their mean,
    amplitude_spread that of the logarithm of their strength. load_zone is the load distribution's extent: 0.5 loads
    half the circumference. unequal is the spread between rolling elements, unbalance the modulation at shaft rate.
    second_strike is the strength of the exit from the spall beside the entry, exit_delay (s) the time between; a
    ball's strike on the inner race has inner_strength of that on the outer. rough replaces the strikes by bursts of
    noise that last burst of an interval.
    """

    label: str
    snr_db: float = 6.0
    slip: float = 0.0
    jitter: float = 0.0
    amplitude_spread: float = 0.0
    load_zone: float = 0.5
    zone_floor: float = 0.0
    unequal: float = 0.0
    unbalance: float = 0.0
    second_strike: float = 0.0
    exit_delay: float = 0.0
    inner_strength: float = 1.0
    intermittence: float = 0.0
    rough: bool = False
    burst: float = 0.1
    resonances: tuple[Resonance, ...] = (Resonance(3_000, 0.05),)


@dataclass(frozen=True)
class Surroundings:
    """What vibrates beside the fault: broadband noise shaped by resonances, tones, looseness, sporadic hits.

    Levels are amplitudes beside white noise of standard deviation 1: coloured of each resonance's noise, tones
    (frequency in Hz, amplitude), shaft of the harmonics of the shaft rate, looseness of one strike a revolution, hits
    a second. modulation is the share by which the noise follows the shaft.
    """

    coloured: tuple[Resonance, ...] = ()
    shaft: tuple[float, ...] = ()
    tones: tuple[tuple[float, float], ...] = ()
    modulation: float = 0.0
    looseness: float = 0.0
    hits: float = 0.0


def simulate(
    bearing: Bearing,
    rpm: float,
    sampling_rate: float,
    seconds: float,
    seed: int | np.random.Generator,
    faults: tuple[Fault, ...] = (),
    surroundings: Surroundings = Surroundings(),
) -> np.ndarray:
    """Return acceleration in any unit, float64 (samples,), of a bearing with these faults; none is a healthy one.

    rpm is the shaft's speed, the inner race turns, sampling_rate in Hz. The same seed gives the same samples.
    Model: strikes at the fault's rate excite structural resonances, modulated by the load zone that the defect passes
    through (McFadden and Smith, Model for the vibration produced by a single point defect in a rolling element
    bearing, J. Sound Vib. 96, 1984); the intervals between strikes vary independently, so the phase wanders (Randall
    and Antoni, MSSP 25, 2011, section 2.3; Antoni and Randall, J. Vib. Acoust. 125, 2003).
    """
    generator = np.random.default_rng(seed)
    lead = round(LEAD * sampling_rate)
    samples = lead + round(seconds * sampling_rate)
    time = np.arange(samples) / sampling_rate
    background = make_background(surroundings, time, rpm / 60, sampling_rate, generator)
    signal = background
    for fault in faults:
        vibration = make_fault(fault, bearing, time, rpm / 60, sampling_rate, generator)
        signal = signal + bring_to(fault.snr_db, vibration, background, lead)
    return signal[lead:]


def bring_to(snr_db: float, vibration: np.ndarray, background: np.ndarray, lead: int) -> np.ndarray:
    """Return a vibration whose power lies snr_db over the background's, after its first lead samples."""
    level = np.sqrt(np.square(background[lead:]).mean())
    power = np.sqrt(np.square(vibration[lead:]).mean())
    return vibration * (level / max(power, 1e-12) * 10 ** (snr_db / 20))


def make_background(
    surroundings: Surroundings,
    time: np.ndarray,
    shaft_rate: float,
    sampling_rate: float,
    generator: np.random.Generator,
) -> np.ndarray:
    noise = generator.standard_normal(len(time))
    background = noise
    for mode in surroundings.coloured:
        shaped = ring(generator.standard_normal(len(time)), (replace(mode, gain=1.0),), sampling_rate)
        background = background + mode.gain * shaped / shaped.std()
    angle = 2 * np.pi * shaft_rate * time + generator.uniform(0, 2 * np.pi)
    if surroundings.modulation:
        background = background * (1 + surroundings.modulation * np.cos(angle))
    for harmonic, amplitude in enumerate(surroundings.shaft, start=1):
        background = background + amplitude * np.cos(harmonic * angle + generator.uniform(0, 2 * np.pi))
    for frequency, amplitude in surroundings.tones:
        background = background + amplitude * np.cos(2 * np.pi * frequency * time + generator.uniform(0, 2 * np.pi))
    if surroundings.looseness:
        beats = np.arange(generator.uniform(0, 1), time[-1] * shaft_rate, 1) / shaft_rate
        background = background + surroundings.looseness * knock(beats, 1.0, time, sampling_rate, generator)
    if surroundings.hits:
        hits = generator.uniform(0, time[-1], generator.poisson(surroundings.hits * time[-1]))
        strength = generator.lognormal(0, 0.7, len(hits))
        background = background + 3 * knock(hits, strength, time, sampling_rate, generator)
    return background


def knock(
    beats: np.ndarray,
    strength: np.ndarray | float,
    time: np.ndarray,
    sampling_rate: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return blows at these times (s) on a mode of their own, of peak amplitude 1 where strength is."""
    mode = Resonance(generator.uniform(300, 0.4 * sampling_rate), generator.uniform(0.03, 0.2))
    return ring(place(beats, np.broadcast_to(strength, len(beats)), len(time), sampling_rate), (mode,), sampling_rate)


def make_fault(
    fault: Fault,
    bearing: Bearing,
    time: np.ndarray,
    shaft_rate: float,
    sampling_rate: float,
    generator: np.random.Generator,
) -> np.ndarray:
    strikes = STRIKES[fault.label](fault, bearing, shaft_rate, time[-1], generator)
    moments, strength = strikes
    strength = strength * generator.lognormal(0, fault.amplitude_spread, len(moments))
    if fault.rough:
        return make_bursts(fault, moments, strength, len(time), sampling_rate, generator)
    excitation = place(moments, strength, len(time), sampling_rate)
    if fault.second_strike:
        exits = moments + fault.exit_delay
        excitation = excitation - place(exits, fault.second_strike * strength, len(time), sampling_rate)
    return ring(excitation, fault.resonances, sampling_rate)


def make_bursts(
    fault: Fault,
    moments: np.ndarray,
    strength: np.ndarray,
    samples: int,
    sampling_rate: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return noise that swells at each strike: a worn surface instead of a sharp edge."""
    width = max(fault.burst * np.diff(moments).mean() * sampling_rate, 1) if len(moments) > 1 else 1
    frequency = np.fft.rfftfreq(samples)
    swell = np.fft.irfft(
        np.fft.rfft(place(moments, strength, samples, sampling_rate))
        * np.exp(-2 * np.square(np.pi * frequency * width)),
        samples,
    )
    noise = generator.standard_normal(samples) * swell
    return ring(noise, fault.resonances, sampling_rate)


def strike_outer(
    fault: Fault, bearing: Bearing, shaft_rate: float, end: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return moments (s) and strengths of the rolling elements' passes over a defect that stands still."""
    moments = wander(bearing.orders.bpfo * shaft_rate, fault, end, generator)
    turns = shaft_rate * moments + generator.uniform()
    return moments, (1 + fault.unbalance * np.cos(2 * np.pi * turns)) * share(fault, bearing, len(moments), generator)


def strike_inner(
    fault: Fault, bearing: Bearing, shaft_rate: float, end: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return moments (s) and strengths of passes over a defect that turns through the load zone with the shaft."""
    moments = wander(bearing.orders.bpfi * shaft_rate, fault, end, generator)
    zone = load_zone(shaft_rate * moments + generator.uniform(), fault)
    return moments, zone * share(fault, bearing, len(moments), generator)


def strike_ball(
    fault: Fault, bearing: Bearing, shaft_rate: float, end: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return moments (s) and strengths of a defect on one element, which strikes outer and inner race by turns.

    It passes through the load zone with the cage; intermittence is the share of time in which it has turned aside.
    """
    moments = wander(2 * bearing.orders.bsf * shaft_rate, fault, end, generator)
    zone = load_zone(bearing.orders.ftf * shaft_rate * moments + generator.uniform(), fault)
    alternation = np.where(np.arange(len(moments)) % 2, fault.inner_strength, 1.0)
    drift = 0.5 + 0.5 * np.sin(2 * np.pi * (shaft_rate / 15 * moments + generator.uniform()))
    return moments, zone * alternation * (drift >= fault.intermittence)


STRIKES: dict[str, Callable] = {"Ball": strike_ball, "InnerRace": strike_inner, "OuterRace": strike_outer}


def wander(rate: float, fault: Fault, end: float, generator: np.random.Generator) -> np.ndarray:
    """Return moments (s) up to the end whose intervals vary independently about 1 / rate."""
    rate = rate * (1 + fault.slip)
    intervals = (1 + fault.jitter * generator.standard_normal(int(end * rate * (1 + fault.jitter)) + 8)) / rate
    moments = np.cumsum(intervals) - intervals[0] + generator.uniform(0, 1 / rate)
    return moments[(moments >= 0) & (moments < end)]


def load_zone(turns: np.ndarray, fault: Fault) -> np.ndarray:
    """Return the load on a defect after these turns from the load's direction.

    Formula: Stribeck's distribution, Harris, Rolling Bearing Analysis, 7.4: (1 - (1 - cos) / (2 extent))^1.5.
    """
    load = np.maximum(1 - (1 - np.cos(2 * np.pi * turns)) / (2 * fault.load_zone), 0) ** 1.5
    return fault.zone_floor + (1 - fault.zone_floor) * load


def share(fault: Fault, bearing: Bearing, strikes: int, generator: np.random.Generator) -> np.ndarray:
    """Return the strength that each pass owes to the element that makes it, the same again after all have passed."""
    elements = generator.lognormal(0, fault.unequal, bearing.rolling_elements)
    return elements[np.arange(strikes) % bearing.rolling_elements]


def place(moments: np.ndarray, strength: np.ndarray, samples: int, sampling_rate: float) -> np.ndarray:
    """Return impulses at moments (s) between samples, each shared by its two neighbours."""
    position = moments * sampling_rate
    before = np.floor(position).astype(int)
    later = position - before
    inside = (before >= 0) & (before < samples - 1)
    before, later, strength = before[inside], later[inside], strength[inside]
    return np.bincount(before, strength * (1 - later), samples) + np.bincount(before + 1, strength * later, samples)


def ring(excitation: np.ndarray, resonances: tuple[Resonance, ...], sampling_rate: float) -> np.ndarray:
    """Return the acceleration of damped modes under an excitation (samples,), by their frequency responses.

    Formula: (i f)^2 / (f0^2 - f^2 + 2 i damping f0 f), the accelerance of one degree of freedom, divided by its peak.
    """
    length = good_length(len(excitation) + round(LEAD * sampling_rate))
    frequency = np.fft.rfftfreq(length, 1 / sampling_rate)
    response = sum(
        mode.gain
        * 2
        * mode.damping
        * -np.square(frequency)
        / (mode.frequency**2 - np.square(frequency) + 2j * mode.damping * mode.frequency * frequency)
        for mode in resonances
    )
    return np.fft.irfft(np.fft.rfft(excitation, length) * response, length)[: len(excitation)]


def good_length(samples: int) -> int:
    """Return the next length that is a power of two times 1, 3 or 5: quick to transform."""
    return min(factor * 2 ** int(np.ceil(np.log2(samples / factor))) for factor in (1, 3, 5))
