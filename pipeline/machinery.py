"""The machine around a simulated bearing: gears, belts, a drive, other bearings, wear, and changes of load.

It tries the recording diagnosis and trains nothing. Amplitudes are beside white noise of standard deviation 1.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from model.bearings import Bearing
from pipeline.simulator import (
    LEAD,
    STRIKES,
    Fault,
    Resonance,
    Surroundings,
    bring_to,
    make_background,
    make_bursts,
    make_fault,
    place,
    ring,
)

HEARD = 0.45  # of the sampling rate; lines above are taken away by the recorder's filter
STEP_SECONDS = 0.05  # s in which a load changes


@dataclass(frozen=True)
class Gear:
    """A wheel on the bearing's shaft and the one that it drives; amplitudes of the harmonics of the tooth mesh.

    own and other are the shares by which the meshing follows the turns of either shaft.
    """

    teeth: int
    other_teeth: int
    amplitudes: tuple[float, ...]
    own: float = 0.0
    other: float = 0.0


@dataclass(frozen=True)
class Belt:
    """A belt that passes order times a turn of the shaft, less than once; amplitudes of its harmonics."""

    order: float
    amplitudes: tuple[float, ...]


@dataclass(frozen=True)
class Drive:
    """A motor on a frequency converter: switching in Hz with its harmonics' amplitudes, ripples at 6 x electrical.

    slip is the motor's, a share; sideband the share by which switching follows twice the electrical frequency.
    """

    switching: float
    amplitudes: tuple[float, ...]
    pole_pairs: int = 2
    slip: float = 0.02
    sideband: float = 0.3
    ripples: tuple[float, ...] = ()


@dataclass(frozen=True)
class FaintLine:
    """The line of a part of a healthy bearing: rolling noise of a mode follows the part's rate by the share depth."""

    fault: Fault
    mode: Resonance
    depth: float


@dataclass(frozen=True)
class Neighbour:
    """A damaged bearing on the same shaft."""

    bearing: Bearing
    fault: Fault


@dataclass(frozen=True)
class Step:
    """From a moment on, a share of the recording, everything is gain times as strong."""

    moment: float
    gain: float


@dataclass(frozen=True)
class Spall:
    """A natural, extended fault: elements roll over it for arc of the interval between two of them.

    The entry has a share of the exit's strength, and the rough ground between them a level in dB beside both. cage is
    the share by which strikes follow the turns of the cage.
    """

    fault: Fault
    arc: float = 0.2
    entry: float = 0.3
    ground_db: float = 0.0
    cage: float = 0.0


@dataclass(frozen=True)
class Machine:
    """What is simulated; label says which part of its bearing is damaged, "Normal" for none."""

    label: str
    bearing: Bearing
    rpm: float
    surroundings: Surroundings = field(default_factory=Surroundings)
    gears: tuple[Gear, ...] = ()
    belts: tuple[Belt, ...] = ()
    drives: tuple[Drive, ...] = ()
    wear: tuple[Resonance, ...] = ()
    faint: tuple[FaintLine, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    steps: tuple[Step, ...] = ()
    fault: Fault | Spall | None = None


def simulate_machine(
    machine: Machine, sampling_rate: float, seconds: float, seed: int | np.random.Generator
) -> np.ndarray:
    """Return acceleration in any unit, float64 (samples,), of a machine; sampling_rate in Hz.

    Neighbours and the fault are so many dB over everything else. The same seed gives the same samples.
    """
    generator = np.random.default_rng(seed)
    lead = round(LEAD * sampling_rate)
    time = np.arange(lead + round(seconds * sampling_rate)) / sampling_rate
    clock = (time, machine.rpm / 60, sampling_rate, generator)
    background = make_background(machine.surroundings, *clock)
    for part in machine.gears:
        background = background + make_gear(part, *clock)
    for part in machine.belts:
        background = background + make_comb(part.order * machine.rpm / 60, part.amplitudes, time, *clock[2:])
    for part in machine.drives:
        background = background + make_drive(part, *clock)
    for mode in machine.wear:
        background = background + make_wear(mode, time, *clock[2:])
    for part in machine.faint:
        background = background + make_faint_line(part, machine.bearing, *clock)
    signal = background
    for part in machine.neighbours:
        signal = signal + bring_to(part.fault.snr_db, make_fault(part.fault, part.bearing, *clock), background, lead)
    if isinstance(machine.fault, Spall):
        spall = make_spall(machine.fault, machine.bearing, *clock)
        signal = signal + bring_to(machine.fault.fault.snr_db, spall, background, lead)
    elif machine.fault:
        fault = make_fault(machine.fault, machine.bearing, *clock)
        signal = signal + bring_to(machine.fault.snr_db, fault, background, lead)
    return (signal * make_steps(machine.steps, time))[lead:]


def make_comb(
    rate: float,
    amplitudes: tuple[float, ...],
    time: np.ndarray,
    sampling_rate: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return lines at the multiples of a rate (Hz), as far as they are heard, each with a phase of its own.

    A belt is such a comb at pi x diameter of the pulley / length of the belt turns of it a turn of the shaft (Scheffer
    and Girdhar, Practical Machinery Vibration Analysis and Predictive Maintenance, 2004, chapter 5).
    """
    turn = np.exp(2j * np.pi * rate * time)
    turns, comb = np.ones_like(turn), np.zeros(len(time))
    for harmonic, amplitude in enumerate(amplitudes, start=1):
        phase = generator.uniform(0, 2 * np.pi)
        if harmonic * rate < HEARD * sampling_rate:
            turns *= turn
            comb += amplitude * (np.cos(phase) * turns.real - np.sin(phase) * turns.imag)
    return comb


def follow(share: float, rate: float, time: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a gain about 1 that follows a rate (Hz) by a share."""
    return 1 + share * np.cos(2 * np.pi * rate * time + generator.uniform(0, 2 * np.pi))


def make_gear(
    gear: Gear, time: np.ndarray, shaft_rate: float, sampling_rate: float, generator: np.random.Generator
) -> np.ndarray:
    """Return a tooth mesh: harmonics of teeth x shaft rate whose amplitude follows both shafts.

    Model: McFadden, Detecting fatigue cracks in gears by amplitude and phase demodulation of the meshing vibration,
    J. Vib. Acoust. 108 (1986), of the amplitude alone. Two wheels that mesh share teeth x shaft rate.
    """
    mesh = make_comb(gear.teeth * shaft_rate, gear.amplitudes, time, sampling_rate, generator)
    other_rate = shaft_rate * gear.teeth / gear.other_teeth
    return mesh * follow(gear.own, shaft_rate, time, generator) * follow(gear.other, other_rate, time, generator)


def make_drive(
    drive: Drive, time: np.ndarray, shaft_rate: float, sampling_rate: float, generator: np.random.Generator
) -> np.ndarray:
    """Return the tones of a converter: switching with sidebands, and torque ripples.

    Rates: electrical = pole pairs x shaft rate / (1 - slip); a switched voltage has sidebands at even multiples of it
    about the switching frequency, and six-step ripples at 6 x electrical and its multiples (Holmes and Lipo, Pulse
    Width Modulation for Power Converters, 2003).
    """
    electrical = drive.pole_pairs * shaft_rate / (1 - drive.slip)
    switching = make_comb(drive.switching, drive.amplitudes, time, sampling_rate, generator)
    switching = switching * follow(drive.sideband, 2 * electrical, time, generator)
    return switching + make_comb(6 * electrical, drive.ripples, time, sampling_rate, generator)


def make_wear(mode: Resonance, time: np.ndarray, sampling_rate: float, generator: np.random.Generator) -> np.ndarray:
    """Return noise of a wide mode, of standard deviation gain: a worn or dry surface that nothing strikes."""
    shaped = ring(generator.standard_normal(len(time)), (replace(mode, gain=1.0),), sampling_rate)
    return mode.gain * shaped / shaped.std()


def make_faint_line(
    line: FaintLine,
    bearing: Bearing,
    time: np.ndarray,
    shaft_rate: float,
    sampling_rate: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return rolling noise whose envelope holds, beside its mean, lines of this depth in all at a part's rate.

    Waviness and run-out make such lines in new bearings (Wardle, Vibration forces produced by waviness of the rolling
    surfaces of thrust loaded ball bearings, Proc. IMechE C 202, 1988). The two first harmonics have amplitudes in the
    ratio 2 to 1, and depth is the root of the sum of their squares.
    """
    moments, strength = STRIKES[line.fault.label](line.fault, bearing, shaft_rate, time[-1], generator)
    phase = 2 * np.pi * np.interp(time, moments, np.arange(len(moments)))
    zone = np.interp(time, moments, strength / np.sqrt(np.square(strength).mean()))
    pattern = (2 * np.cos(phase) + np.cos(2 * phase)) / np.sqrt(5)
    return make_wear(line.mode, time, sampling_rate, generator) * (1 + line.depth * zone * pattern)


def make_spall(
    spall: Spall,
    bearing: Bearing,
    time: np.ndarray,
    shaft_rate: float,
    sampling_rate: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return strikes at the entry and the exit of a spall, and the noise of the rough ground between them.

    Model: a weak entry and a sharp exit (Sawalhi and Randall, Vibration response of spalled rolling element bearings,
    MSSP 25, 2011), and bursts of noise for the distributed part (Antoni and Randall, J. Vib. Acoust. 125, 2003).
    """
    fault, samples = spall.fault, len(time)
    moments, strength = STRIKES[fault.label](fault, bearing, shaft_rate, time[-1], generator)
    passing = spall.arc * np.diff(moments).mean()
    turns = bearing.orders.ftf * shaft_rate * moments
    strength = strength * follow(spall.cage, 1, turns, generator)
    strength = strength * generator.lognormal(0, fault.amplitude_spread, len(moments))
    edges = place(moments, spall.entry * strength, samples, sampling_rate)
    edges = edges + place(moments + passing, strength, samples, sampling_rate)
    struck = ring(edges, fault.resonances, sampling_rate)
    ground = replace(fault, burst=spall.arc / 2)
    rolled = make_bursts(ground, moments + passing / 2, strength, samples, sampling_rate, generator)
    return struck + bring_to(spall.ground_db, rolled, struck, round(LEAD * sampling_rate))


def make_steps(steps: tuple[Step, ...], time: np.ndarray) -> np.ndarray:
    """Return the gain (samples,) of a load that changes at these moments."""
    gain = np.ones(len(time))
    for step in steps:
        after = np.clip((time - step.moment * time[-1]) / STEP_SECONDS, 0, 1)
        gain = gain * (1 + (step.gain - 1) * after)
    return gain
