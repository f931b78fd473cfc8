"""What is kept of a recording to watch its machine: half a kilobyte of levels, impulsiveness and combs of lines.

numpy only: the service imports this module.
"""

import struct
from typing import Any, NamedTuple

import numpy as np

from model.machine.combs import ORDERS, measure_combs
from model.machine.levels import ENVELOPE_BANDS, LEVEL_EDGES, decibels, measure_levels, velocity_rms
from model.recording.checks import resting_share
from model.recording.recording import Recording

LEAST_SECONDS = 0.1
LEAST_SAMPLES = 512
LEAST_RATE = 2_000  # Hz; twice where the velocity ends; where no envelope band fits, levels alone are watched
VERSION = 1
HEAD = struct.Struct("<B7f3e")
STEP = 0.015  # natural logarithm; the heights of combs are kept in these steps
ZERO = 85  # the step that stands for a height of 0: heights reach from -1.28 to 2.55


class Indicators(NamedTuple):
    """What a recording is to its machine's watch.

    sampling_rate in Hz; rpm is nan where nobody knows it. rms, peak and kurtosis are of the signal without its mean;
    velocity (mm/s) is nan where no unit says so. resting, held and silent are shares of the samples: those on the
    largest or smallest value, those that equal their predecessor, the longest run of equal ones. bands: dB of 20 half
    octaves from 31 Hz on, nan beyond the rate. envelopes (dB) and moments (natural logarithm): of four envelope bands,
    nan beyond the rate. combs (420,): heights at ORDERS, natural logarithm over the surroundings; all are 0 where
    nobody knows rpm, or the rate holds no envelope band.
    """

    sampling_rate: float
    rpm: float
    seconds: float
    rms: float
    peak: float
    kurtosis: float
    velocity: float
    resting: float
    held: float
    silent: float
    bands: np.ndarray
    envelopes: np.ndarray
    moments: np.ndarray
    combs: np.ndarray

    @property
    def levels(self) -> np.ndarray:
        """The overall level and those of bands and envelope bands, dB over one unit, (LEVELS,)."""
        return np.concatenate([[2 * decibels(self.rms)], self.bands, self.envelopes])

    @property
    def has_combs(self) -> bool:
        """Whether its combs were measured; where not, their zeros are no lines that went away."""
        return bool(np.isfinite(self.rpm) and self.combs.any())

    def to_bytes(self) -> bytes:
        """Return all of it in 511 bytes, little endian: float32 and float16, the combs in steps of 0.015."""
        small = np.concatenate([self.bands, self.envelopes, self.moments]).astype("<f2")
        steps = np.clip(np.rint(self.combs / STEP) + ZERO, 0, 255).astype(np.uint8)
        return HEAD.pack(VERSION, *self[:10]) + small.tobytes() + steps.tobytes()

    @classmethod
    def from_bytes(cls, kept: bytes) -> "Indicators":
        """Read what to_bytes wrote. Raises ValueError where it is of another version or length."""
        if len(kept) != SIZE or kept[0] != VERSION:
            raise ValueError(
                f"the indicators are {len(kept)} bytes of version {kept[0] if kept else 'none'}, "
                f"expected {SIZE} of version {VERSION}"
            )
        small = np.frombuffer(kept, "<f2", SMALL, HEAD.size).astype(np.float64)
        steps = np.frombuffer(kept, np.uint8, len(ORDERS), HEAD.size + 2 * SMALL).astype(np.float64)
        bands, envelopes, moments = np.split(small, [HALF_OCTAVES, HALF_OCTAVES + len(ENVELOPE_BANDS)])
        return cls(*HEAD.unpack_from(kept)[1:], bands, envelopes, moments, (steps - ZERO) * STEP)

    def rounded(self) -> "Indicators":
        """Return what is left of them once they were kept: the watch reads these, so that a replay reads the same."""
        return Indicators.from_bytes(self.to_bytes())

    def to_dict(self) -> dict[str, Any]:
        """Return what a person reads of them; None where something is not known."""
        plain = {name: getattr(self, name) for name in ("rms", "peak", "kurtosis", "velocity", "rpm")}
        shown = {name: float(f"{value:.6g}") if np.isfinite(value) else None for name, value in plain.items()}
        return shown | {
            "crest_factor": float(f"{self.peak / self.rms:.4g}") if self.rms else None,
            "seconds": round(self.seconds, 4),
            "envelope_levels_db": [round(float(level), 2) if np.isfinite(level) else None for level in self.envelopes],
            "impulsiveness": [round(float(each), 3) if np.isfinite(each) else None for each in self.moments],
        }


def read_steps(kept: bytes) -> bytes:
    """Return the combs of indicators that to_bytes wrote as they are kept: a byte an order, in steps above ZERO."""
    return kept[HEAD.size + 2 * SMALL :]


HALF_OCTAVES = len(LEVEL_EDGES) - 1
LEVELS = 1 + HALF_OCTAVES + len(ENVELOPE_BANDS)
SMALL = HALF_OCTAVES + 2 * len(ENVELOPE_BANDS)
SIZE = HEAD.size + 2 * SMALL + len(ORDERS)


def measure(recording: Recording, unit: str = "") -> Indicators:
    """Return the indicators of a recording in its own unit; its rpm may be None.

    unit: "g" or "m/s2" of an acceleration, "mm/s" of a velocity, or empty. Raises ValueError that says what came and
    what was expected.
    """
    signal, rate, rpm = check(recording)
    centred = signal - signal.mean()
    power = np.square(centred)
    mean_power = float(power.mean())
    levels = measure_levels(centred, rate)
    return Indicators(
        rate,
        rpm,
        len(signal) / rate,
        float(np.sqrt(mean_power)),
        float(np.abs(centred).max()),
        float(np.square(power).mean() / mean_power**2) if mean_power else 0.0,
        velocity_rms(centred, rate, unit),
        resting_share(signal),
        float((np.diff(signal) == 0).mean()),
        longest_run(signal) / len(signal),
        levels.bands,
        levels.envelopes,
        levels.moments,
        measure_combs(centred, rate, rpm) if mean_power and np.isfinite(rpm) else np.zeros(len(ORDERS)),
    ).rounded()


def check(recording: Recording) -> tuple[np.ndarray, float, float]:
    """Return signal (samples,) as float64, rate and rpm; nan for no rpm."""
    signal, rate, rpm = np.asarray(recording.signal), recording.sampling_rate, recording.rpm
    if signal.ndim != 1 or signal.dtype.kind not in "iufb":
        raise ValueError(f"the recording is {signal.dtype} of shape {signal.shape}, expected real numbers (samples,)")
    if not rate or not np.isfinite(rate) or rate < LEAST_RATE:
        raise ValueError(f"the recording was sampled at {rate or 0:g} Hz, expected {LEAST_RATE:,} Hz or more")
    if rpm is not None and not (np.isfinite(rpm) and rpm > 0):
        raise ValueError(f"rpm is {rpm:g}, expected the shaft's turns a minute, above 0")
    if len(signal) < max(LEAST_SAMPLES, round(LEAST_SECONDS * rate)):
        raise ValueError(
            f"the recording lasts {len(signal) / rate:.3g} s, {len(signal)} samples, expected {LEAST_SECONDS:g} s and "
            f"{LEAST_SAMPLES} samples or more"
        )
    signal = signal.astype(np.float64)
    if not np.isfinite(signal).all():
        raise ValueError(f"the recording holds NaN or infinity at sample {int(np.argmin(np.isfinite(signal)))}")
    return signal, float(rate), float("nan") if rpm is None else float(rpm)


def longest_run(signal: np.ndarray) -> int:
    """Return the length of the longest run of equal samples."""
    changes = np.flatnonzero(np.diff(signal) != 0)
    edges = np.concatenate([[-1], changes, [len(signal) - 1]])
    return int(np.diff(edges).max())
