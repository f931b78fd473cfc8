"""Raw windows to band-limited, z-scored windows: the one scaling that training and the served graph share."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

PHASES = 32


def low_pass_taps(band_limit: float, sampling_rate: float, taps: int) -> np.ndarray:
    """Return a linear-phase low-pass FIR, unit gain at 0 Hz, by the window method.

    band_limit (-6 dB) and sampling_rate in Hz; taps is odd, so that the delay is a whole number of samples.
    Formula: Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5 (Hamming window).
    """
    if taps % 2 == 0:
        raise ValueError(f"taps is {taps}, expected an odd number")
    if not 0 < band_limit < sampling_rate / 2:
        raise ValueError(f"band_limit is {band_limit} Hz, expected between 0 and {sampling_rate / 2} Hz")
    position = np.arange(taps) - taps // 2
    ideal = np.sinc(2 * band_limit / sampling_rate * position)
    response = ideal * np.hamming(taps)
    return response / response.sum()


class FrontEnd(nn.Module):
    """Scale windows (batch, window_length) to mean 0 and standard deviation 1 below the band limit.

    The result does not depend on amplitude or offset. The variance divides by n, as in numpy. A constant window has
    no z-score: it comes out as NaN, and callers refuse it beforehand.
    """

    def __init__(self, band_limit: float | None = None, sampling_rate: float | None = None, taps: int = 101) -> None:
        super().__init__()
        self.limits_band = band_limit is not None
        if self.limits_band:
            if sampling_rate is None:
                raise ValueError(f"band_limit is {band_limit} Hz but sampling_rate is not given")
            self.taps = taps
            self.register_buffer("bank", polyphase_bank(low_pass_taps(band_limit, sampling_rate, taps)))

    def forward(self, windows: Tensor) -> Tensor:
        # The largest value first: squares of 1e30 would overflow float32, squares of 1e-30 vanish.
        windows = windows / windows.abs().amax(dim=-1, keepdim=True)
        # An offset goes before a sum is formed: beside a large one the sum's rounding would be as large as the signal.
        windows = windows - windows[..., :1]
        windows = windows - windows.mean(dim=-1, keepdim=True)
        if self.limits_band:
            windows = self.limit_band(windows)
        centred = windows - windows.mean(dim=-1, keepdim=True)
        return centred / centred.square().mean(dim=-1, keepdim=True).sqrt()

    def limit_band(self, windows: Tensor) -> Tensor:
        """Filter windows (batch, window_length) without delay, zeros assumed beyond both ends."""
        length = windows.shape[-1]
        left = self.taps // 2
        padded = functional.pad(windows, (left, left + -length % PHASES))
        phases = functional.conv1d(padded.unsqueeze(1), self.bank, stride=PHASES)
        return phases.transpose(1, 2).flatten(1)[:, :length]


def polyphase_bank(taps: np.ndarray) -> Tensor:
    """Return the bank (PHASES, 1, PHASES - 1 + taps) whose strided convolution equals the plain one.

    Output k of a stride is the filter shifted by k samples: the same sums at a quarter of the cost.
    """
    bank = np.zeros((PHASES, 1, PHASES - 1 + len(taps)), dtype=np.float32)
    for phase in range(PHASES):
        bank[phase, 0, phase : phase + len(taps)] = taps
    return torch.from_numpy(bank)
