import tracemalloc

import numpy as np
import pytest
import yaml

from model.recording import windows
from model.recording.checks import check_recording
from model.recording.lines import describe, window_length
from model.recording.recording import Recording
from model.recording.thresholds import Checks
from model.recording.windows import PART, analyse, cut, in_parts
from tests.conftest import ROOT
from tests.model.recording.machines import ELSEWHERE, RATE, RPM, machine

TYPED = yaml.safe_load((ROOT / "params.yaml").read_text())["thresholds"]["checks"]
LIMITS = Checks(**TYPED)


def analyse_whole(recording):
    return analyse(recording, check_recording(recording), ELSEWHERE.orders, LIMITS)


def test_features_are_those_that_training_reads():
    recording = machine("Ball")
    expected = describe(cut(check_recording(recording), RATE, 1e-5)[1], RATE, RPM / 60, ELSEWHERE.orders)
    for mine, theirs in zip(analyse_whole(recording).features, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_many_windows_are_taken_in_parts_that_change_nothing(monkeypatch):
    recording = machine("Ball")
    together = analyse_whole(recording)
    monkeypatch.setattr(windows, "PART", 3 * 8_192)
    apart = analyse_whole(recording)
    np.testing.assert_array_equal(apart.starts, together.starts)
    np.testing.assert_allclose(apart.spectrum, together.spectrum, rtol=1e-12)
    np.testing.assert_array_equal(apart.envelope_spectra, together.envelope_spectra)
    for mine, theirs in zip(apart.features, together.features, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_diagnosis_transforms_each_window_once(diagnosis, monkeypatch):
    seen = []
    transform = windows.transform_windows
    monkeypatch.setattr(
        windows, "transform_windows", lambda part, rate: seen.append(len(part)) or transform(part, rate)
    )
    answer = diagnosis.diagnose(machine("InnerRace"), ELSEWHERE, [machine("Normal", seconds=12)])
    assert answer.evidence.lines
    assert seen == [len(answer.windows), 34]  # the recording's, and the baseline's


def test_the_spectrum_of_a_tone_is_its_amplitude():
    time = np.arange(40_000) / RATE
    tone = 1_000 * RATE / 8_192
    signal = np.sin(2 * np.pi * tone * time)
    found = analyse_whole(Recording(signal, RATE, RPM))
    assert found.spectrum.argmax() == 1_000
    assert found.spectrum.max() == pytest.approx(1, rel=1e-3)


def test_envelope_spectra_reach_beyond_the_last_line_and_not_beyond_what_envelopes_hold():
    slow, fast = (analyse_whole(machine("Ball", rpm=rpm)) for rpm in (600, 6_000))
    assert slow.envelope_spectra.shape[2] * slow.spacing > 3 * ELSEWHERE.orders.bpfi * 10
    assert fast.envelope_spectra.shape[2] == round(LIMITS.highest_line / fast.spacing)


def test_memory_for_a_long_recording_is_bounded(noise):
    recording = Recording(noise.standard_normal(2_000_000), RATE, RPM)
    signal = check_recording(recording)
    tracemalloc.start()
    analyse(recording, signal, ELSEWHERE.orders, LIMITS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20


@pytest.mark.parametrize("rate", [12_000, 48_828])
def test_windows_overlap_by_half_and_are_a_view(rate, noise):
    signal = noise.standard_normal(5 * rate)
    starts, found = cut(signal, rate, 1e-5)
    length = window_length(rate)
    assert found.shape == (len(starts), length)
    assert set(np.diff(starts)) == {round(length / 2)}
    assert len(signal) - starts[-1] < 1.5 * length + 1
    np.testing.assert_array_equal(found[3], signal[starts[3] : starts[3] + length])
    assert np.shares_memory(found, signal)


def test_a_window_that_does_not_vary_is_left_out(noise):
    signal = noise.standard_normal(60_000)
    signal[20_000:40_000] = 0.5
    starts, found = cut(signal, 12_000, 1e-5)
    assert len(starts) == len(found)
    assert not any(start >= 20_000 and start + 8_192 <= 40_000 for start in starts)
    assert len(cut(np.zeros(60_000), 12_000, 1e-5)[0]) == 0


@pytest.mark.parametrize("number", [0, 1, 64, 65, 200])
def test_parts_are_bounded_and_lose_no_window(number):
    parts = list(in_parts(np.arange(number * 8_192.0).reshape(-1, 8_192)))
    assert all(part.size <= PART for part in parts)
    assert sum(map(len, parts)) == number
    assert len(parts) == max(-(-number // 64), 1)
