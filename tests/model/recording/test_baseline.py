from dataclasses import replace

import numpy as np
import pytest
from scipy.io import loadmat

from model.bearings import BEARINGS, Bearing
from model.recording.baseline import (
    change_odds,
    describe_baseline,
    describe_healthy,
    find_change,
    join_healthy,
    line_growth,
    to_healthy,
)
from model.recording.checks import check_recording
from model.recording.classes import CLASSES
from model.recording.levels import measure_levels, overall
from model.recording.recording import Recording
from pipeline.simulator import Fault, Surroundings, simulate
from tests.model.recording.machines import ELSEWHERE, RATE, RPM, machine, random_features


def test_a_baseline_can_be_described_once_and_used_again(diagnosis):
    recordings = [machine("Normal", seconds=12, seed=1)]
    once = describe_baseline(recordings, ELSEWHERE, diagnosis.thresholds)
    given, described = (diagnosis.diagnose(machine("Ball", seed=2), ELSEWHERE, each) for each in (recordings, once))
    assert given.probabilities == described.probabilities
    assert given.windows == described.windows


def test_of_each_healthy_recording_the_mean_spectra_are_kept(thresholds):
    recordings = [machine("Normal", seconds=seconds, seed=1) for seconds in (4, 7)]
    healthy = describe_baseline(recordings, ELSEWHERE, thresholds)
    assert [each.envelope_spectra.shape[:2] for each in healthy.analyses] == [(7, 1)] * 2
    assert len(healthy.features.lines) == sum(len(each.starts) for each in healthy.analyses)


def test_a_healthy_recording_is_described_at_its_true_speed(thresholds):
    fault = (Fault("InnerRace", 6.0, jitter=0.002, zone_floor=0.3),)
    signal = simulate(ELSEWHERE, RPM, 25_600, 6.0, 0, fault, Surroundings(shaft=(0.5, 0.4, 0.3, 0.2, 0.2, 0.2)))
    healthy = describe_baseline([Recording(signal, 25_600, RPM / 1.024)], ELSEWHERE, thresholds)
    assert healthy.levels[0].rpm == pytest.approx(RPM, rel=0.007)


def test_a_short_baseline_is_refused_with_the_reason(diagnosis):
    baseline = [machine("Normal", seconds=seconds, seed=1) for seconds in (2.4, 2.5)]
    with pytest.raises(ValueError, match=r"baseline lasts 4.9 s, expected 5 s or more: from less, the spread"):
        diagnosis.diagnose(machine("Normal"), ELSEWHERE, baseline)


def test_a_spoilt_baseline_is_refused_with_the_reason(diagnosis):
    with pytest.raises(ValueError, match="baseline cannot be used: the sensor is off"):
        diagnosis.diagnose(machine("Normal"), ELSEWHERE, [Recording(np.zeros(150_000), RATE, RPM)])
    with pytest.raises(ValueError, match=r"baseline cannot be used: the recording lasts 0\.0833 s"):
        diagnosis.diagnose(machine("Normal"), ELSEWHERE, [Recording(np.arange(1_000.0), RATE, RPM)])


@pytest.mark.parametrize("label", CLASSES)
def test_with_a_baseline_the_change_decides(diagnosis, label):
    present = machine(label, seed=2)
    answer = diagnosis.diagnose(present, ELSEWHERE, [machine("Normal", seconds=12, seed=1)])
    assert answer.prediction == label
    changed = [warning for warning in answer.warnings if warning.startswith("changed from healthy: ")]
    assert answer.warnings == changed
    assert len(changed) == (label != "Normal")
    assert any("no healthy baseline" in text for text in diagnosis.diagnose(present, ELSEWHERE).warnings)


def test_a_line_that_the_healthy_machine_has_is_no_fault(diagnosis):
    """Something else on this machine knocks at the outer race's rate, and did when it was healthy."""
    present, past = (machine("OuterRace", seconds=12, seed=seed, snr_db=0) for seed in (1, 2))
    assert diagnosis.diagnose(present, ELSEWHERE).prediction == "OuterRace"
    assert diagnosis.diagnose(present, ELSEWHERE, [past]).prediction == "Normal"


def test_no_change_counts_for_more_than_the_limit_of_an_expert(diagnosis, noise):
    features, thresholds = random_features(noise), diagnosis.thresholds
    healthy = to_healthy(features, thresholds.baseline)
    far = features._replace(spectrum=features.spectrum + 1_000)
    odds = change_odds(diagnosis.networks, healthy, far, thresholds)
    np.testing.assert_array_equal(odds, np.float32(thresholds.experts.limit))


def test_lines_are_counted_from_the_quiet_one(thresholds, noise):
    features = random_features(noise)._replace(lines=np.full((20, 7, 60), 0.5, np.float32))
    assert not to_healthy(features, thresholds.baseline).excess.any()
    louder = features._replace(lines=features.lines + 1)
    expected = 1.5 - thresholds.baseline.quiet_line
    np.testing.assert_allclose(to_healthy(louder, thresholds.baseline).excess, expected, rtol=1e-6)


def loudness(past, present):
    past, present = (
        overall(measure_levels(each, check_recording(each), 1e-5).bands).mean() for each in (past, present)
    )
    return np.exp(past - present)


@pytest.fixture(scope="module")
def healthy():
    """Twelve seconds of a machine, and five of an hour later."""
    return machine("Normal", seconds=12, seed=1), machine("Normal", seed=2)


@pytest.fixture(scope="module")
def louder(diagnosis, healthy):
    """Return a function that answers to the healthy machine, louder by a factor."""

    def answer(factor, seconds=12):
        past, present = healthy
        past = replace(past, signal=past.signal[: seconds * RATE])
        present = replace(present, signal=present.signal * loudness(past, present))
        return diagnosis.diagnose(replace(present, signal=factor * present.signal), ELSEWHERE, [past])

    return answer


@pytest.mark.parametrize("seconds", [5, 12])
@pytest.mark.parametrize(("factor", "words"), [(3, "level rose 9.5 dB"), (0.3, "level fell 10.5 dB")])
def test_a_changed_level_is_no_longer_normal_and_names_no_fault(louder, factor, words, seconds):
    assert louder(1, seconds).prediction == "Normal"
    answer = louder(factor, seconds)
    assert answer.prediction == "Unknown"
    assert answer.probabilities["Normal"] < 0.5
    assert answer.reason == (
        f"changed from healthy: {words}; no fault's lines: damage of unknown type, or gain and mounting"
    )
    assert {window.prediction for window in answer.windows} <= {"Normal", "Unknown"}


@pytest.mark.parametrize(
    ("factor", "words"), [(9.80665, "rose 19.8"), (10, "rose 20.0"), (100, "rose 40.0"), (0.1, "fell 20.0")]
)
def test_a_uniform_jump_asks_for_unit_gain_or_mounting(louder, factor, words):
    answer = louder(factor)
    assert answer.prediction == "Unknown"
    assert answer.reason == (
        f"unit, gain or mounting changed? level {words} dB, alike in all bands; nothing else changed"
    )
    assert answer.probabilities["Normal"] > 0.5  # nothing speaks for damage
    assert {window.prediction for window in answer.windows} == {"Unknown"}


@pytest.mark.parametrize("label", ["InnerRace", "OuterRace"])
def test_a_fault_in_another_unit_is_named(diagnosis, healthy, label):
    present = machine(label, seed=2)
    answer = diagnosis.diagnose(replace(present, signal=100 * present.signal), ELSEWHERE, [healthy[0]])
    assert answer.prediction == label
    assert any("level rose 4" in warning for warning in answer.warnings)


def test_a_band_that_rose_is_named_with_its_decibels(diagnosis, healthy, noise):
    """Noise between 2 and 3 kHz, as of a pump that starts: no fault's lines."""
    past, present = healthy
    spectrum = np.fft.rfft(noise.standard_normal(len(present.signal)))
    frequencies = np.fft.rfftfreq(len(present.signal), 1 / RATE)
    hiss = np.fft.irfft(spectrum * ((frequencies > 2_000) & (frequencies < 3_000)), len(present.signal))
    hissing = replace(present, signal=present.signal + 3 * present.signal.std() / hiss.std() * hiss)
    answer = diagnosis.diagnose(hissing, ELSEWHERE, [past])
    assert answer.prediction == "Unknown"
    assert "2 to 3 kHz rose" in answer.reason
    assert "level rose 1" in answer.reason


def test_lines_grew_by_the_less_of_their_excess_and_of_its_rise():
    healthy = [{"OuterRace": 0.5, "InnerRace": 2.0}, {"OuterRace": -1.0, "InnerRace": 1.0}]
    grown = line_growth({"OuterRace": 4.0, "InnerRace": 3.5}, healthy)
    assert grown == {"OuterRace": 3.5, "InnerRace": 1.5}
    assert line_growth({"Ball": 1.5}, [{"Ball": -3.0}]) == {"Ball": 1.5}
    assert line_growth({"Ball": 1.5}, []) == {"Ball": 1.5}


def test_the_growth_of_lines_is_a_change_of_its_own(diagnosis, healthy):
    past, present = (describe_baseline([each], ELSEWHERE, diagnosis.thresholds) for each in healthy)
    alarm = diagnosis.thresholds.baseline.change_growth
    for growth, changed in ((0.9 * alarm, False), (1.1 * alarm, True)):
        change = find_change(
            diagnosis.networks, past, present.features, diagnosis.thresholds, present.levels[0], {"Ball": growth}
        )
        assert (change.odds > 0).all() == changed
        assert change.named == changed
        assert change.words == (f"lines of Ball {growth:.1f} deviations higher than healthy" if changed else "")


def test_from_features_alone_the_level_is_not_compared(diagnosis, healthy):
    past, present = (describe_baseline([each], ELSEWHERE, diagnosis.thresholds) for each in healthy)
    loud = measure_levels(replace(healthy[1], signal=9 * healthy[1].signal), healthy[1].signal, 1e-5)
    alone = change_odds(diagnosis.networks, past._replace(levels=()), present.features, diagnosis.thresholds)
    unknown = find_change(diagnosis.networks, past._replace(levels=()), present.features, diagnosis.thresholds, loud)
    np.testing.assert_array_equal(alone, unknown.odds)


@pytest.fixture(scope="module")
def hit(rigs):
    """Label and recording of each file of HIT-MFS, whose names end in the speed."""
    labels = {"N": "Normal", "I": "InnerRace", "O": "OuterRace"}
    recordings = []
    for path in sorted((rigs / "hit_mfs").glob("*.mat")):
        signal = next(value for name, value in loadmat(path).items() if not name.startswith("_"))
        recordings.append((labels[path.name[0]], Recording(signal.ravel(), 51_200, float(path.stem.split("_")[1]))))
    return recordings


def test_healthy_at_another_speed_is_no_change_and_a_fault_is(diagnosis, hit):
    bearing = BEARINGS["6205-2RS"]
    healthy = [recording for label, recording in hit if label == "Normal"]
    described = [describe_healthy(each, check_recording(each), bearing, diagnosis.thresholds) for each in healthy]
    answers = []
    for label, recording in hit:
        others = [of for each, of in zip(healthy, described, strict=True) if each is not recording]
        answer = diagnosis.diagnose(recording, bearing, join_healthy(others, diagnosis.thresholds.baseline))
        answers.append((label == "Normal", answer.prediction == "Normal"))
    assert len(answers) == 21
    assert all(healthy == called for healthy, called in answers)


def test_an_ims_channel_is_as_before_and_at_its_end_is_not(diagnosis, rigs):
    """One second each, the first 20 snapshots as baseline: channels 5 to 8 sit on the bearings that failed."""
    bearing = Bearing(16, 0.331, 2.815, contact_angle=15.17)

    signals = [np.load(rigs / "ims" / f"test1_{part}.npz")["milli_g"] for part in ("begin", "end")]
    for channel in range(4, 8):
        begin, end = (
            [Recording(signal, 20_480, 2_017.8) for signal in part[:, channel].astype(float)] for part in signals
        )
        baseline = describe_baseline(begin[:20], bearing, diagnosis.thresholds)
        assert {diagnosis.diagnose(each, bearing, baseline).prediction for each in begin[20:30]} == {"Normal"}
        assert "Normal" not in {diagnosis.diagnose(each, bearing, baseline).prediction for each in end}
