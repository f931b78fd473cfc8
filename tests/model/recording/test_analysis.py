import tracemalloc

import numpy as np
import pytest

from model.recording import analysis, windows
from model.recording.analysis import analyse
from model.recording.checks import check_recording
from model.recording.lines import describe
from model.recording.recording import Recording
from model.recording.windows import cut
from tests.model.recording.machines import ELSEWHERE, RATE, RPM, machine

REACH = 1_450


def analyse_whole(recording):
    return analyse(recording, check_recording(recording), ELSEWHERE.orders, REACH)


def test_features_are_those_that_training_reads():
    recording = machine("Ball")
    expected = describe(cut(check_recording(recording), RATE)[1], RATE, RPM / 60, ELSEWHERE.orders)
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
    transform = analysis.transform_windows
    monkeypatch.setattr(
        analysis, "transform_windows", lambda part, rate: seen.append(len(part)) or transform(part, rate)
    )
    answer = diagnosis.diagnose(machine("InnerRace"), ELSEWHERE, [machine("Normal", seconds=12)])
    assert answer.evidence.lines
    assert seen == [34, len(answer.windows)]  # the baseline's, and the recording's


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
    assert fast.envelope_spectra.shape[2] == round(REACH / fast.spacing)


def test_memory_for_a_long_recording_is_bounded(noise):
    recording = Recording(noise.standard_normal(2_000_000), RATE, RPM)
    signal = check_recording(recording)
    tracemalloc.start()
    analyse(recording, signal, ELSEWHERE.orders, REACH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20
