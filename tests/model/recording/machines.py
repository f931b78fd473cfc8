"""Simulated machines for tests: no recording has a part in them."""

import numpy as np

from model.bearings import Bearing
from model.recording.lines import Features
from model.recording.recording import Recording
from pipeline.simulator import Fault, Resonance, Surroundings, simulate

RATE, RPM = 12_000, 1_750
FAULTS = ("Ball", "InnerRace", "OuterRace")
ELSEWHERE = Bearing(11, 0.21, 1.0, contact_angle=8)


def machine(label, rate=RATE, rpm=RPM, seconds=5.0, seed=0, bearing=ELSEWHERE, snr_db=6.0) -> Recording:
    """Return a recording of one machine; the seed is the hour, the label the part that is damaged."""
    faults = (Fault(label, snr_db, jitter=0.003, zone_floor=0.2, resonances=(Resonance(3_200, 0.05),)),)
    around = Surroundings(coloured=(Resonance(1_200, 0.1), Resonance(3_000, 0.15, 0.7)), shaft=(0.3, 0.2))
    signal = simulate(bearing, rpm, rate, seconds, seed, faults if label != "Normal" else (), around)
    return Recording(signal, rate, rpm)


def random_features(noise: np.random.Generator, windows: int = 20) -> Features:
    shapes = [(windows, 7, 60), (windows, 7), (windows, 32), (windows, 2), (windows, 4)]
    return Features(*(noise.standard_normal(shape).astype(np.float32) for shape in shapes))
