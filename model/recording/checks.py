"""What makes a recording unfit for a diagnosis: wrong input, a dead sensor, clipping, a lone tone, noise, the speed."""

from functools import lru_cache

import numpy as np

from model.bearings import Bearing
from model.recording.lines import LEAST_RATE, SPECTRUM_EDGES, WINDOW_SECONDS, Features, window_length
from model.recording.recording import Recording
from model.recording.spectra import BANDS, hanning
from model.recording.thresholds import Checks, Thresholds

ROUNDING = 1e-10  # of the largest value; a recording that varies by less holds nothing but its numbers' rounding
TONE_SURROUNDINGS = 32  # bins


def check_recording(recording: Recording) -> np.ndarray:
    """Return the signal as float64 (samples,) without its mean and with 1 as its largest value.

    Raises ValueError that says what came and what was expected.
    """
    signal, sampling_rate, rpm = np.asarray(recording.signal), recording.sampling_rate, recording.rpm
    if signal.ndim != 1 or signal.dtype.kind not in "iufb":
        raise ValueError(f"the recording is {signal.dtype} of shape {signal.shape}, expected real numbers (samples,)")
    for name, value in (("sampling_rate", sampling_rate), ("rpm", rpm)):
        if isinstance(value, str) or not np.isscalar(value) or not np.isreal(value):
            raise ValueError(f"{name} is {value!r}, expected a number")
    if not np.isfinite(sampling_rate) or sampling_rate < LEAST_RATE:
        raise ValueError(f"the recording was sampled at {sampling_rate:g} Hz, expected {LEAST_RATE:,} Hz or more")
    if len(signal) < window_length(sampling_rate):
        raise ValueError(
            f"the recording lasts {len(signal) / sampling_rate:.3g} s, expected {WINDOW_SECONDS:.2g} s or more"
        )
    if not np.isfinite(signal).all():
        raise ValueError(f"the recording holds NaN or infinity at sample {int(np.argmin(np.isfinite(signal)))}")
    if not np.isfinite(rpm) or rpm <= 0:
        raise ValueError(f"rpm is {rpm:g}, expected the shaft's turns a minute, above 0")
    return normalise(signal.astype(np.float64))


def normalise(signal: np.ndarray) -> np.ndarray:
    largest = np.abs(signal).max()
    if largest > 0:  # first: sums of 1e300 would overflow, squares of 1e-200 vanish
        signal = signal / largest
    if np.ptp(signal) <= ROUNDING:
        return np.zeros_like(signal)
    centred = signal - signal.mean()
    return centred / np.abs(centred).max()


def find_hindrance(recording: Recording, bearing: Bearing, limits: Thresholds) -> str:
    """Return why a recording at this speed cannot be diagnosed, or an empty text.

    A shaft that is too slow for windows is judged by its lines in the whole recording, if it turns often enough there.
    """
    turns = recording.seconds * recording.rpm / 60
    by_lines = is_too_slow(recording.rpm, limits.checks) and turns >= limits.evidence.least_turns
    of_windows = "" if by_lines else find_hindrance_of_windows(recording.rpm, bearing, limits.checks)
    return find_speed_beyond(recording.rpm, limits.checks) or of_windows


def find_speed_beyond(rpm: float, limits: Checks) -> str:
    """Return that a speed (rpm) is beyond those that the diagnosis was tried at, or an empty text."""
    slowest, fastest = limits.rpm
    if slowest <= rpm <= fastest:
        return ""
    return f"the shaft turns at {rpm:,.6g} rpm; a diagnosis was tried from {slowest:,} to {fastest:,} rpm, no further"


def find_hindrance_of_windows(rpm: float, bearing: Bearing, limits: Checks) -> str:
    if is_too_slow(rpm, limits):
        return (
            f"the shaft turns {turns_in_a_window(rpm):.2g} times in a window, {limits.least_turns:g} or more are "
            "needed: too slow to diagnose"
        )
    highest = max(bearing.orders.bpfo, bearing.orders.bpfi, 2 * bearing.orders.bsf) * rpm / 60
    if highest > limits.highest_line:
        return (
            f"a fault's lines lie at {highest:,.0f} Hz, beyond the {limits.highest_line:,} Hz that envelopes reach: "
            "too fast"
        )
    return ""


def is_too_slow(rpm: float, limits: Checks) -> bool:
    """Return whether lines that lie a turn of the shaft apart run together in windows of this length."""
    return turns_in_a_window(rpm) < limits.least_turns


def turns_in_a_window(rpm: float) -> float:
    return rpm / 60 * WINDOW_SECONDS


def is_noise(features: Features, spectrum: np.ndarray, spacing: float, limits: Checks) -> bool:
    """Return whether a recording is noise of whatever colour: Gaussian, steady, and without a tone.

    spectrum (bins,) is averaged over the windows, spacing is in Hz. The envelope of Gaussian noise has
    E|z|^4 / (E|z|^2)^2 = 2 in every band, its waveform a kurtosis of 3.
    """
    levels = np.exp(features.spectrum.mean(axis=0))
    centres = (SPECTRUM_EDGES[1:] + SPECTRUM_EDGES[:-1]) / 2
    power = np.array([levels[(centres > low) & (centres < high)].mean() for low, high in BANDS])
    apart = np.abs(features.moments.mean(axis=0) - np.log(2)) @ (power / power.sum())
    windows = len(features.spectrum)
    room = limits.noise_room * (1 + 1 / np.sqrt(windows))
    steady = max(apart, abs(features.shape[:, 0].mean() - np.log(3))) < room
    return bool(steady and tone_strength(np.square(spectrum), spacing, windows, limits.tones) < limits.least_tone)


def tone_strength(power: np.ndarray, spacing: float, windows: int, between: list[float]) -> float:
    """Return how far the strongest narrow line of the mean power (bins,) of windows lies beyond chance, in deviations.

    The mean of n exponential powers is a gamma variable, whose cube root is nearly normal: Wilson and Hilferty, PNAS 17
    (1931) 684. spacing and between, the lowest and the highest frequency, in Hz.
    """
    power = power[round(between[0] / spacing) : round(between[1] / spacing)]
    around = np.convolve(np.pad(power, TONE_SURROUNDINGS, mode="reflect"), np.ones(2 * TONE_SURROUNDINGS + 1), "valid")
    ratio = power * (2 * TONE_SURROUNDINGS + 1) / np.maximum(around, np.finfo(float).tiny)
    independent = 1 + 0.9 * (windows - 1)  # Hann windows that overlap by half are nearly so
    chance = 1 / (9 * independent)
    return float(((np.cbrt(ratio) - (1 - chance)) / np.sqrt(chance)).max())


def find_defect(signal: np.ndarray, sampling_rate: float, limits: Checks) -> str:
    """Return what is wrong with a recording (samples,) of finite numbers, or an empty text; sampling_rate in Hz."""
    if np.ptp(signal) == 0:
        return "the sensor is off: the signal is constant"
    held = float((np.diff(signal) == 0).mean())
    if held > limits.held:
        return f"the sensor is off, stuck or too coarse: {100 * held:.0f} % of the samples repeat the one before"
    clipped = resting_share(signal)
    if clipped > limits.clipped:
        return f"the signal is clipped: {100 * clipped:.2g} % of the samples rest on its largest or smallest value"
    part = signal[: quick_length(len(signal))]
    tapered = ((part - part.mean()) * hanning(len(part))).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(tapered)), dtype=np.float64)
    heard = power[round(limits.drift * len(part) / sampling_rate) :]
    first = len(power) - len(heard) if heard.sum() > limits.audible * power.sum() else 0
    peak = first + int(power[first:].argmax())
    if power[max(peak - 3, first) : peak + 4].sum() > limits.tone * power[first:].sum():
        return f"the signal is one tone at {peak * sampling_rate / len(part):.4g} Hz, not a bearing's vibration"
    return ""


@lru_cache(maxsize=64)
def quick_length(samples: int) -> int:
    """Return the largest length up to samples that an FFT is quick with; a prime one takes many times its memory."""
    lengths = [2**two * 3**three * 5**five for two in range(25) for three in range(9) for five in range(6)]
    return max(length for length in lengths if length <= samples)


def resting_share(signal: np.ndarray) -> float:
    """Return the share of samples that lie on the largest or smallest value together with a neighbour."""
    at_end = (signal == signal.max()) | (signal == signal.min())
    return float((at_end[1:] & at_end[:-1]).mean())
