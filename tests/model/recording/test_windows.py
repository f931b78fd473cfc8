import numpy as np
import pytest

from model.recording.lines import window_length
from model.recording.windows import PART, cut, in_parts


@pytest.mark.parametrize("rate", [12_000, 48_828])
def test_windows_overlap_by_half_and_are_a_view(rate, noise):
    signal = noise.standard_normal(5 * rate)
    starts, windows = cut(signal, rate)
    length = window_length(rate)
    assert windows.shape == (len(starts), length)
    assert set(np.diff(starts)) == {round(length / 2)}
    assert len(signal) - starts[-1] < 1.5 * length + 1
    np.testing.assert_array_equal(windows[3], signal[starts[3] : starts[3] + length])
    assert np.shares_memory(windows, signal)


def test_a_window_that_does_not_vary_is_left_out(noise):
    signal = noise.standard_normal(60_000)
    signal[20_000:40_000] = 0.5
    starts, windows = cut(signal, 12_000)
    assert len(starts) == len(windows)
    assert not any(start >= 20_000 and start + 8_192 <= 40_000 for start in starts)
    assert len(cut(np.zeros(60_000), 12_000)[0]) == 0


@pytest.mark.parametrize("number", [0, 1, 64, 65, 200])
def test_parts_are_bounded_and_lose_no_window(number):
    parts = list(in_parts(np.arange(number * 8_192.0).reshape(-1, 8_192)))
    assert all(part.size <= PART for part in parts)
    assert sum(map(len, parts)) == number
    assert len(parts) == max(-(-number // 64), 1)
