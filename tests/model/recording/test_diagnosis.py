import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from model.bearings import BEARINGS, Bearing
from model.recording.baseline import describe_baseline, describe_healthy, join_healthy
from model.recording.checks import check_recording
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.familiarity import relative_distance
from model.recording.recording import Recording
from pipeline.population import draw_machine
from pipeline.rig import read_rig
from pipeline.simulator import simulate
from tests.conftest import POPULATION, ROOT, environment
from tests.model.recording.machines import ELSEWHERE, FAULTS, RATE, RPM, machine, random_features


def test_saved_and_read_again_it_answers_the_same(diagnosis, tmp_path, noise):
    diagnosis.save(tmp_path / "diagnosis.json")
    again = RecordingDiagnosis.load(tmp_path / "diagnosis.json")
    features = random_features(noise)
    answers = [
        each.probabilities(features, each.ask_networks(features), relative_distance(each.spectra, features))
        for each in (diagnosis, again)
    ]
    np.testing.assert_array_equal(*answers)
    assert (tmp_path / "diagnosis.json").read_bytes() == (ROOT / "assets" / "diagnosis.json").read_bytes()


def test_it_needs_neither_torch_nor_scipy():
    script = (
        "import sys, numpy as np; from pathlib import Path; from model.recording.diagnosis import RecordingDiagnosis\n"
        "from model.recording.recording import Recording\n"
        "diagnosis = RecordingDiagnosis.load(Path('assets/diagnosis.json'))\n"
        "diagnosis.diagnose(Recording(np.random.default_rng(0).standard_normal(30_000).cumsum(), 12_000, 1750))\n"
        "print([name for name in ('torch', 'scipy', 'pandas', 'sklearn', 'pipeline') if name in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("label", FAULTS)
@pytest.mark.parametrize("rate", [12_000, 25_600, 48_828])
@pytest.mark.parametrize("rpm", [1_100, 1_750])
def test_a_fault_of_a_bearing_never_seen_is_named(diagnosis, label, rate, rpm):
    answer = diagnosis.diagnose(machine(label, rate, rpm), ELSEWHERE)
    assert (answer.prediction, answer.reason) == (label, "")
    assert max(answer.combs, key=answer.combs.get) == label
    assert answer.familiarity > 0.05
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert len(answer.windows) == pytest.approx(2 * 5 / 0.683, abs=2)
    assert np.mean([window.prediction == label for window in answer.windows]) > 0.8


@pytest.mark.parametrize("seconds", [0.7, 1.1, 20.0])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e15])
def test_length_and_amplitude_do_not_matter(diagnosis, seconds, scale):
    recording = machine("OuterRace", seconds=seconds)
    answer = diagnosis.diagnose(replace(recording, signal=scale * recording.signal), ELSEWHERE)
    assert answer.prediction == "OuterRace"
    assert answer.windows[0].start == 0
    assert [window.start for window in answer.windows] == sorted({window.start for window in answer.windows})


@pytest.mark.parametrize("seed", range(3))
def test_the_geometry_decides_which_fault_it_is(diagnosis, seed):
    other = Bearing(7, 0.2446, 1.0)
    assert other.orders.bpfi == pytest.approx(ELSEWHERE.orders.bpfo, rel=1e-3)
    assert diagnosis.diagnose(machine("OuterRace", seed=seed), ELSEWHERE).prediction == "OuterRace"
    assert diagnosis.diagnose(machine("OuterRace", seed=seed), other).prediction == "InnerRace"


def test_a_wrong_rate_or_speed_seldom_names_another_fault(diagnosis):
    """Not never: at some wrong speeds one part's lines fall on another's orders, and nothing in the signal tells."""
    sure = []
    for label in FAULTS:
        for factor in (0.6, 0.7, 0.8, 0.85, 1.15, 1.2, 1.35, 1.5):
            answer = diagnosis.diagnose(replace(machine(label), rpm=factor * RPM), ELSEWHERE)
            assert answer.prediction != "Unknown" or answer.reason
            sure.append(answer.prediction in set(FAULTS) - {label} and max(answer.probabilities.values()) > 0.8)
    assert np.mean(sure) < 0.15


@pytest.mark.parametrize(
    ("bearing", "prediction"),
    [
        (Bearing(20, 0.3, 1), "OuterRace"),
        (Bearing(40, 0.06, 1), "OuterRace"),
        (Bearing(12, 0.0415, 1), "OuterRace"),
        (Bearing(16, 0.06, 1, 30), "OuterRace"),
        (Bearing(3, 0.4, 1), "OuterRace"),  # its BPFO lies below the shaft rate
    ],
)
def test_geometries_of_all_kinds_are_diagnosed(diagnosis, bearing, prediction):
    answer = diagnosis.diagnose(machine("OuterRace", bearing=bearing, snr_db=12), bearing)
    assert answer.prediction == prediction
    assert bool(answer.reason) == (prediction == "Unknown")
    assert np.isfinite(list(answer.probabilities.values())).all()


@pytest.mark.parametrize("rate", [12_000, 25_600, 48_000])
def test_a_healthy_machine_raises_no_alarm(diagnosis, rate):
    answers = [diagnosis.diagnose(machine("Normal", rate, seed=seed), ELSEWHERE) for seed in range(10)]
    assert [answer.prediction for answer in answers] == ["Normal"] * 10


def test_healthy_machines_of_all_kinds_seldom_raise_an_alarm(diagnosis):
    alarms = []
    for number in range(60):
        generator = np.random.default_rng([9, number])
        bearing, rpm, _, surroundings = draw_machine("Normal", generator, POPULATION)
        signal = simulate(bearing, rpm, RATE, 4.0, generator, (), surroundings)
        alarms.append(diagnosis.diagnose(Recording(signal, RATE, rpm), bearing).prediction in FAULTS)
    assert np.mean(alarms) < 0.15


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e6])
@pytest.mark.parametrize("amplitude", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_nothing_overflows_or_vanishes(diagnosis, offset, amplitude):
    signal = (machine("OuterRace").signal + offset) * amplitude
    answer = diagnosis.diagnose(Recording(signal, RATE, RPM), ELSEWHERE)
    assert answer.prediction == "OuterRace"
    assert np.isfinite(list(answer.probabilities.values())).all()


def test_a_long_dead_stretch_is_left_out(diagnosis):
    recording = machine("OuterRace", seconds=10)
    recording.signal[30_000:70_000] = recording.signal[30_000]
    answer = diagnosis.diagnose(recording, ELSEWHERE)
    assert answer.prediction == "OuterRace"
    assert not any(2.6 < window.start < 5.0 for window in answer.windows)


@pytest.mark.parametrize("rpm", [355, 450, 530, 1_750])
def test_each_window_that_is_diagnosed_has_its_spectrum(diagnosis, rpm):
    answer = diagnosis.diagnose(machine("OuterRace", rpm=rpm), ELSEWHERE)
    assert len(answer.windows) == answer.analysis.envelope_spectra.shape[1] == 13
    assert [line.fault for line in answer.evidence.lines] == ["OuterRace", "InnerRace", "Ball"]


def test_a_shaft_too_slow_for_windows_is_judged_by_its_lines_where_it_turns_often_enough(diagnosis):
    short = diagnosis.diagnose(machine("OuterRace", rpm=345), ELSEWHERE)
    assert (short.prediction, short.windows) == ("Unknown", [])
    assert "too slow" in short.reason
    long = diagnosis.diagnose(machine("OuterRace", rpm=345, seconds=12), ELSEWHERE)
    assert (long.prediction, long.reason, long.windows) == ("OuterRace", "", [])
    assert "single windows say nothing" in long.warnings[-1]


@pytest.mark.parametrize(
    ("label", "louder", "prediction", "said"),
    [("Normal", 1, "Normal", ""), ("Normal", 3, "Unknown", "level rose 9.6 dB"), ("OuterRace", 1, "OuterRace", "")],
)
def test_the_baseline_of_a_shaft_too_slow_for_windows_counts(diagnosis, label, louder, prediction, said):
    """A gear's tone makes it a machine; its shaft's own tones lie below what is heard."""

    def slow_machine(label, seed):
        recording = machine(label, rpm=345, seconds=12, seed=seed)
        gear = np.sin(2 * np.pi * 23 * 345 / 60 * np.arange(len(recording.signal)) / recording.sampling_rate)
        return replace(recording, signal=recording.signal + gear)

    present = slow_machine(label, 2)
    present = replace(present, signal=louder * present.signal)
    answer = diagnosis.diagnose(present, ELSEWHERE, [slow_machine("Normal", 1)])
    assert answer.prediction == prediction
    assert said in answer.reason
    assert "judged by its lines and its level" in answer.warnings[0]


def test_two_decisions_on_one_examined_recording_are_those_of_two_diagnoses(diagnosis):
    recording, healthy = machine("OuterRace"), [machine("Normal", seconds=12, seed=1)]
    examined = diagnosis.examine(recording, ELSEWHERE)
    for baseline in (None, describe_baseline(healthy, ELSEWHERE, diagnosis.thresholds)):
        decided, diagnosed = diagnosis.decide(examined, baseline), diagnosis.diagnose(recording, ELSEWHERE, baseline)
        assert decided.probabilities == diagnosed.probabilities
        assert decided.evidence == diagnosed.evidence
        assert decided.evidence.verdict == "supports"
    assert examined.evidence.verdict == "inconclusive", "a verdict is of a prediction, and none is made yet"


@pytest.fixture(scope="module")
def rig_recordings(rig):
    rows = read_rig(rig, ROOT / "data" / "rigs" / "mfpt.csv")
    return [(row.label, Recording(signal, row.sampling_rate, row.rpm, name=row.file)) for row, signal in rows]


def test_another_rigs_race_faults_are_named(diagnosis, rig_recordings):
    labels, recordings = zip(*rig_recordings, strict=True)
    answers = [diagnosis.diagnose(recording, BEARINGS["NICE"]).prediction for recording in recordings]
    assert pd.crosstab(np.array(labels), np.array(answers)).to_dict() == {
        "InnerRace": {"InnerRace": 7, "Normal": 0, "OuterRace": 0},
        "Normal": {"InnerRace": 0, "Normal": 3, "OuterRace": 0},
        "OuterRace": {"InnerRace": 0, "Normal": 0, "OuterRace": 7},
    }


def test_another_rigs_faults_change_it_from_healthy(diagnosis, rig_recordings):
    bearing, limits = BEARINGS["NICE"], diagnosis.thresholds
    healthy = [recording for label, recording in rig_recordings if label == "Normal"]
    described = [describe_healthy(each, check_recording(each), bearing, limits) for each in healthy]
    for label, recording in rig_recordings:
        others = [of for each, of in zip(healthy, described, strict=True) if each is not recording][:2]
        assert diagnosis.diagnose(recording, bearing, join_healthy(others, limits.baseline)).prediction == label
