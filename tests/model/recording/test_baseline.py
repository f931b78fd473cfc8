import numpy as np
import pytest

from model.recording.baseline import change_odds, describe_baseline, to_healthy
from model.recording.classes import CLASSES
from model.recording.recording import Recording
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


def test_a_short_baseline_is_refused_with_the_reason(diagnosis):
    baseline = [machine("Normal", seconds=seconds, seed=1) for seconds in (4.9, 5)]
    with pytest.raises(ValueError, match=r"baseline lasts 9.9 s, expected 10 s or more: from less, the spread"):
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
    assert not answer.warnings
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
