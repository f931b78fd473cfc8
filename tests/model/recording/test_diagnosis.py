import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

from model.bearings import BEARINGS, Bearing
from model.recording.baseline import describe_baseline
from model.recording.classes import CLASSES
from model.recording.decision import calibrate, clarity, name_prediction, pool, pool_windows, probabilities
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.experts import Odds, network_logits
from model.recording.lines import Features
from model.recording.recording import Recording
from pipeline.population import draw_machine
from pipeline.rig import read_rig
from pipeline.simulator import Fault, Resonance, Surroundings, simulate
from pipeline.training.line_network import LineNetwork
from tests.conftest import POPULATION, ROOT, environment

RATE, RPM = 12_000, 1750
FAULTS = ("Ball", "InnerRace", "OuterRace")
ELSEWHERE = Bearing(11, 0.21, 1.0, contact_angle=8)


@pytest.fixture(scope="module")
def diagnosis():
    return RecordingDiagnosis.load(ROOT / "assets" / "diagnosis.json")


def machine(label, rate=RATE, rpm=RPM, seconds=5.0, seed=0, bearing=ELSEWHERE, snr_db=6.0):
    """One machine, whose seed is the hour and whose part is damaged; no recording has a part in it."""
    faults = (Fault(label, snr_db, jitter=0.003, zone_floor=0.2, resonances=(Resonance(3_200, 0.05),)),)
    around = Surroundings(coloured=(Resonance(1_200, 0.1), Resonance(3_000, 0.15, 0.7)), shaft=(0.3, 0.2))
    return simulate(bearing, rpm, rate, seconds, seed, faults if label != "Normal" else (), around)


def coloured_noise(exponent, samples=30_000, seed=0):
    """Gaussian noise whose power falls with frequency to the power of twice the exponent."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    return np.fft.irfft(spectrum / np.maximum(np.fft.rfftfreq(samples, 1 / RATE), 5) ** exponent, samples)


def random_features(noise, windows=20):
    shapes = [(windows, 7, 60), (windows, 7), (windows, 32), (windows, 2), (windows, 4)]
    return Features(*(noise.standard_normal(shape).astype(np.float32) for shape in shapes))


def test_the_network_in_numpy_is_the_one_in_torch(noise):
    torch.manual_seed(0)
    network = LineNetwork(60, 4, hidden=64, pooled=32, head=48)
    features = random_features(noise)
    with torch.inference_mode():
        expected = network(torch.from_numpy(features.lines), torch.from_numpy(features.moments)).numpy()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    np.testing.assert_allclose(network_logits(weights, features), expected, atol=1e-5)


def test_saved_and_read_again_it_answers_the_same(diagnosis, tmp_path, noise):
    diagnosis.save(tmp_path / "diagnosis.json")
    again = RecordingDiagnosis.load(tmp_path / "diagnosis.json")
    features = random_features(noise)
    np.testing.assert_array_equal(
        diagnosis.probabilities(features, diagnosis.odds(features)), again.probabilities(features, again.odds(features))
    )


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
    answer = diagnosis.diagnose(Recording(machine(label, rate, rpm), rate, rpm), ELSEWHERE)
    assert (answer.prediction, answer.reason) == (label, "")
    assert max(answer.combs, key=answer.combs.get) == label
    assert answer.familiarity > 0.05
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert len(answer.windows) == pytest.approx(2 * 5 / 0.683, abs=2)
    assert np.mean([window.prediction == label for window in answer.windows]) > 0.8


@pytest.mark.parametrize("seconds", [0.7, 1.1, 20.0])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e15])
def test_length_and_amplitude_do_not_matter(diagnosis, seconds, scale):
    answer = diagnosis.diagnose(Recording(scale * machine("OuterRace", seconds=seconds), RATE, RPM), ELSEWHERE)
    assert answer.prediction == "OuterRace"
    assert answer.windows[0].start == 0
    assert [window.start for window in answer.windows] == sorted({window.start for window in answer.windows})


def test_the_geometry_decides_which_fault_it_is(diagnosis):
    inner, outer = ELSEWHERE.orders.bpfi, ELSEWHERE.orders.bpfo
    mirrored = Bearing(11, 0.21, 1.0, 8)
    assert (mirrored.orders.bpfi, mirrored.orders.bpfo) == (inner, outer)
    answer = diagnosis.diagnose(Recording(machine("OuterRace"), RATE, RPM), BEARINGS["6205-2RS"])
    assert answer.prediction != "OuterRace" or answer.probabilities["OuterRace"] < 0.9


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (np.zeros(20_000), "the sensor is off"),
        (np.repeat([0.0, 1.0], 10_000), "stuck"),
        (np.sin(np.arange(20_000)), "one tone"),
        (coloured_noise(0), "noise and nothing else"),
        (coloured_noise(0.5), "noise and nothing else"),
        (coloured_noise(-0.5), "noise and nothing else"),
        (np.clip(machine("InnerRace"), -1, 1), "clipped"),
    ],
    ids=["off", "stuck", "sine", "white noise", "pink noise", "blue noise", "clipped"],
)
def test_what_is_no_bearings_vibration_is_unknown_with_the_reason(diagnosis, signal, reason):
    answer = diagnosis.diagnose(Recording(signal, RATE, RPM))
    assert answer.prediction == "Unknown"
    assert reason in answer.reason


def test_a_wrong_rate_or_speed_seldom_gives_a_sure_type(diagnosis):
    """Not never: at some wrong speeds one part's lines fall on another's orders, and nothing in the signal tells."""
    sure = []
    for label in FAULTS:
        for factor in (0.6, 0.7, 0.8, 0.85, 1.15, 1.2, 1.35, 1.5):
            answer = diagnosis.diagnose(Recording(machine(label), RATE, factor * RPM), ELSEWHERE)
            assert answer.prediction != "Unknown" or answer.reason
            sure.append(answer.prediction not in ("Unknown", label) and max(answer.probabilities.values()) > 0.9)
    assert np.mean(sure) < 0.15


@pytest.mark.parametrize(
    "bearing",
    [Bearing(3, 0.4, 1), Bearing(20, 0.3, 1), Bearing(40, 0.06, 1), Bearing(12, 0.0415, 1), Bearing(16, 0.06, 1, 30)],
)
def test_any_geometry_is_answered(diagnosis, bearing):
    answer = diagnosis.diagnose(Recording(machine("OuterRace", bearing=bearing, snr_db=12), RATE, RPM), bearing)
    assert answer.prediction in (*CLASSES, "Unknown")
    assert np.isfinite(list(answer.probabilities.values())).all()


@pytest.mark.parametrize(
    ("rpm", "reason"),
    [
        (60, "turns 0.68 times in a window, 4 or more are needed: too slow"),
        (30_000, "beyond the 1,450 Hz that envelopes"),
    ],
)
def test_a_speed_beyond_what_windows_resolve_is_unknown_with_the_reason(diagnosis, rpm, reason):
    answer = diagnosis.diagnose(Recording(machine("OuterRace"), RATE, rpm), ELSEWHERE)
    assert answer.prediction == "Unknown"
    assert reason in answer.reason


@pytest.mark.parametrize("rate", [12_000, 25_600, 48_000])
def test_a_healthy_machine_raises_no_alarm(diagnosis, rate):
    answers = [
        diagnosis.diagnose(Recording(machine("Normal", rate, seed=seed), rate, RPM), ELSEWHERE) for seed in range(10)
    ]
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
    answer = diagnosis.diagnose(Recording((machine("OuterRace") + offset) * amplitude, RATE, RPM), ELSEWHERE)
    assert answer.prediction == "OuterRace"
    assert np.isfinite(list(answer.probabilities.values())).all()


def test_a_long_dead_stretch_is_left_out(diagnosis):
    signal = machine("OuterRace", seconds=10)
    signal[30_000:70_000] = signal[30_000]
    answer = diagnosis.diagnose(Recording(signal, RATE, RPM), ELSEWHERE)
    assert answer.prediction == "OuterRace"
    assert not any(2.6 < window.start < 5.0 for window in answer.windows)


def test_more_than_half_a_chance_of_a_fault_is_never_called_normal():
    row = np.array([0.25, 0.2, 0.4, 0.15])
    assert name_prediction(row, np.ones(4), 0.5, 0.9)[0] == "Unknown"
    assert name_prediction(np.array([0.45, 0.1, 0.4, 0.05]), np.ones(4), 0.5, 0.9) == ("Ball", "")
    assert name_prediction(np.array([0.2, 0.2, 0.55, 0.05]), np.ones(4), 0.5, 0.9) == ("Normal", "")


def test_a_baseline_can_be_described_once_and_used_again(diagnosis):
    recordings = [Recording(machine("Normal", seconds=12, seed=1), RATE, RPM)]
    once = describe_baseline(recordings, ELSEWHERE)
    present = Recording(machine("Ball", seed=2), RATE, RPM)
    answers = [diagnosis.diagnose(present, ELSEWHERE, given) for given in (recordings, once)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("signal", "rate", "rpm", "message"),
    [
        (np.ones((2, 20_000)), RATE, RPM, r"float64 of shape \(2, 20000\), expected real"),
        (np.arange(20_000.0), 11_999, RPM, "sampled at 11999 Hz, expected 12,000 Hz or more"),
        (np.arange(20_000.0), float("nan"), RPM, "sampled at nan Hz"),
        (np.arange(8_000.0), RATE, RPM, "lasts 0.667 s, expected 0.68 s or more"),
        (np.arange(0), RATE, RPM, "lasts 0 s"),
        (np.where(np.arange(20_000) == 77, np.nan, 1.0), RATE, RPM, "NaN or infinity at sample 77"),
        (np.arange(20_000.0), RATE, 0, "rpm is 0, expected the shaft's turns a minute, above 0"),
        (np.arange(20_000.0), RATE, float("inf"), "rpm is inf"),
        (np.arange(20_000.0), RATE, "1750", "rpm is '1750', expected a number"),
        (np.arange(20_000.0), None, RPM, "sampling_rate is None, expected a number"),
        (np.arange(20_000) * 1j, RATE, RPM, "complex128 of shape"),
        (np.array(["a"] * 20_000), RATE, RPM, "expected real numbers"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused_in_words(diagnosis, signal, rate, rpm, message):
    with pytest.raises(ValueError, match=message):
        diagnosis.diagnose(Recording(signal, rate, rpm))


def test_a_short_baseline_is_refused_with_the_reason(diagnosis):
    baseline = [Recording(machine("Normal", seconds=seconds, seed=1), RATE, RPM) for seconds in (4.9, 5)]
    with pytest.raises(ValueError, match=r"baseline lasts 9.9 s, expected 10 s or more: from less, the spread"):
        diagnosis.diagnose(Recording(machine("Normal"), RATE, RPM), ELSEWHERE, baseline)


def test_a_spoilt_baseline_is_refused_with_the_reason(diagnosis):
    present = Recording(machine("Normal"), RATE, RPM)
    with pytest.raises(ValueError, match="baseline cannot be used: the sensor is off"):
        diagnosis.diagnose(present, ELSEWHERE, [Recording(np.zeros(150_000), RATE, RPM)])
    with pytest.raises(ValueError, match=r"baseline cannot be used: the recording lasts 0\.0833 s"):
        diagnosis.diagnose(present, ELSEWHERE, [Recording(np.arange(1_000.0), RATE, RPM)])


@pytest.mark.parametrize("label", CLASSES)
def test_with_a_baseline_the_change_decides(diagnosis, label):
    baseline = [Recording(machine("Normal", seconds=12, seed=1), RATE, RPM)]
    present = Recording(machine(label, seed=2), RATE, RPM)
    answer = diagnosis.diagnose(present, ELSEWHERE, baseline)
    assert answer.prediction == label
    assert not answer.warnings
    assert any("no healthy baseline" in text for text in diagnosis.diagnose(present, ELSEWHERE).warnings)


def test_a_line_that_the_healthy_machine_has_is_no_fault(diagnosis):
    """Something else on this machine knocks at the outer race's rate, and did when it was healthy."""
    knocking = [Recording(machine("OuterRace", seconds=12, seed=seed, snr_db=0), RATE, RPM) for seed in (1, 2)]
    without = diagnosis.diagnose(knocking[0], ELSEWHERE)
    beside = diagnosis.diagnose(knocking[0], ELSEWHERE, knocking[1:])
    assert without.prediction == "OuterRace"
    assert beside.prediction == "Normal"


def test_the_tree_of_decisions_multiplies_out():
    odds = Odds(np.array([0.0]), np.array([np.log(3)]), np.array([-np.log(4)]))
    np.testing.assert_allclose(probabilities(odds), [[0.5 * 0.75, 0.5 * 0.25 * 0.8, 0.5, 0.5 * 0.25 * 0.2]])


def test_calibration_keeps_the_winner_and_leaves_the_unfamiliar_alone(noise):
    answers = noise.dirichlet(np.ones(4), 200)
    for temperature in (0.2, 1.0, 3.0):
        sharpened = calibrate(answers, temperature, np.zeros(200))
        np.testing.assert_array_equal(sharpened.argmax(axis=1), answers.argmax(axis=1))
        np.testing.assert_allclose(sharpened.sum(axis=1), 1)
        np.testing.assert_allclose(calibrate(answers, temperature, np.full(200, 2.0)), answers)
    assert (calibrate(answers, 0.5, np.zeros(200)).max(axis=1) >= answers.max(axis=1)).all()


def test_a_spectrum_from_elsewhere_has_no_say():
    lines = Odds(*(np.array([value]) for value in (-1.0, -0.5, 2.0)))
    spectral = Odds(*(np.array([3.9]) for _ in range(3)))
    unclear = np.zeros(1)
    assert [each.item() for each in pool(lines, spectral, np.array([2.0]), unclear)] == [-1.0, -0.5, 2.0]
    assert [each.item() for each in pool(lines, spectral, np.array([0.8]), unclear)] == pytest.approx([3.9, 1.7, 2.95])


def test_a_clear_comb_of_lines_decides_the_type_alone():
    lines, spectral = Odds(*np.array([[3.0], [-3.5], [3.9]])), Odds(*np.array([[3.9], [3.9], [-3.9]]))
    clear = clarity(np.array([[0.7, 0.8, 2.4, 1.6]]))
    assert clear == pytest.approx(1)
    assert [each.item() for each in pool(lines, spectral, np.array([0.8]), clear)] == pytest.approx([3.9, -3.5, 3.9])
    assert clarity(np.array([[0.7, 1.2, 1.9, 3.0]])) == 0


def test_a_recordings_probabilities_are_the_geometric_mean():
    whole = pool_windows(np.array([[0.8, 0.2], [0.2, 0.8], [0.8, 0.2]]))
    assert whole[0] / whole[1] == pytest.approx((4 * 0.25 * 4) ** (1 / 3))


def test_a_window_takes_less_than_two_milliseconds(diagnosis):
    signal = machine("InnerRace", seconds=10)
    times = []
    for _ in range(5):
        start = time.process_time()
        windows = len(diagnosis.diagnose(Recording(signal, RATE, RPM)).windows)
        times.append((time.process_time() - start) / windows)
    assert min(times) < 0.002


@pytest.fixture(scope="module")
def other_rig(rig):
    return list(read_rig(rig, sampling_rate=48_828, rpm=1_500))


def test_another_rigs_race_faults_are_named(diagnosis, other_rig):
    answers = [diagnosis.diagnose(recording, BEARINGS["NICE"]).prediction for _, recording in other_rig]
    assert pd.crosstab([label for label, _ in other_rig], answers).to_dict() == {
        "InnerRace": {"InnerRace": 7, "Normal": 0, "OuterRace": 0},
        "Normal": {"InnerRace": 0, "Normal": 3, "OuterRace": 0},
        "OuterRace": {"InnerRace": 0, "Normal": 0, "OuterRace": 7},
    }


def test_another_rigs_faults_change_it_from_healthy(diagnosis, other_rig):
    healthy = [recording for label, recording in other_rig if label == "Normal"]
    for label, recording in other_rig:
        baseline = [each for each in healthy if each is not recording][:2]
        answer = diagnosis.diagnose(recording, BEARINGS["NICE"], baseline)
        assert answer.prediction == label, recording.name
