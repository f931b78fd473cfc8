"""What makes a recording unfit for any diagnosis: a sensor that is off, clipping, a lone tone."""

import numpy as np

HELD = 0.5  # share of samples that equal their predecessor; a converter's steps repeat, but not half the time
CLIPPED = 2e-4  # share of samples that rest on the largest or smallest value; unclipped recordings have none
TONE = 0.98  # share of the power in one line
DRIFT = 5.0  # Hz; below, a sensor drifts
AUDIBLE = 1e-6  # share of the power above DRIFT that is still a signal


def find_defect(signal: np.ndarray, sampling_rate: float) -> str:
    """Return what is wrong with a recording (samples,) of finite numbers, or an empty text; sampling_rate in Hz."""
    if np.ptp(signal) == 0:
        return "the sensor is off: the signal is constant"
    held = float((np.diff(signal) == 0).mean())
    if held > HELD:
        return f"the sensor is off, stuck or too coarse: {100 * held:.0f} % of the samples repeat the one before"
    clipped = resting_share(signal)
    if clipped > CLIPPED:
        return f"the signal is clipped: {100 * clipped:.2g} % of the samples rest on its largest or smallest value"
    part = signal[: quick_length(len(signal))]
    power = np.square(np.abs(np.fft.rfft((part - part.mean()) * np.hanning(len(part)))))
    heard = power[round(DRIFT * len(part) / sampling_rate) :]
    first = len(power) - len(heard) if heard.sum() > AUDIBLE * power.sum() else 0
    peak = first + int(power[first:].argmax())
    if power[max(peak - 3, first) : peak + 4].sum() > TONE * power[first:].sum():
        return f"the signal is one tone at {peak * sampling_rate / len(part):.4g} Hz, not a bearing's vibration"
    return ""


def quick_length(samples: int) -> int:
    """Return the largest length up to samples that an FFT is quick with; a prime one takes many times its memory."""
    lengths = [2**two * 3**three * 5**five for two in range(25) for three in range(9) for five in range(6)]
    return max(length for length in lengths if length <= samples)


def resting_share(signal: np.ndarray) -> float:
    """Return the share of samples that lie on the largest or smallest value together with a neighbour."""
    at_end = (signal == signal.max()) | (signal == signal.min())
    return float((at_end[1:] & at_end[:-1]).mean())
