"""A point's past, packed one recording at a time, is the baseline that describe_baseline makes of the same ones."""

import numpy as np
import pytest

from api.recording.past import pack_healthy, unpack_healthy
from model.recording.baseline import describe_baseline
from model.recording.diagnosis import RecordingDiagnosis
from model.recording.recording import Recording
from tests.conftest import ROOT
from tests.model.recording.machines import ELSEWHERE, RATE, RPM, machine


@pytest.fixture(scope="module")
def diagnosis():
    return RecordingDiagnosis.load(ROOT / "assets" / "diagnosis.json")


@pytest.fixture(scope="module")
def recordings():
    return [machine("Normal", seconds=1.0, seed=seed) for seed in range(8)]


def test_what_was_packed_is_the_baseline_of_the_same_recordings(diagnosis, recordings):
    packed = [pack_healthy(each, ELSEWHERE, diagnosis.thresholds) for each in recordings]
    joined = unpack_healthy(packed, diagnosis.thresholds)
    whole = describe_baseline(recordings, ELSEWHERE, diagnosis.thresholds)
    for one, other in zip(joined.features, whole.features, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(joined.excess, whole.excess)
    assert joined.lines == whole.lines
    for one, other in zip(joined.levels, whole.levels, strict=True):
        np.testing.assert_allclose(one.bands, other.bands, rtol=1e-6)
        assert one.rpm == other.rpm


def test_a_past_of_too_few_seconds_is_none(diagnosis, recordings):
    packed = [pack_healthy(each, ELSEWHERE, diagnosis.thresholds) for each in recordings[:4]]
    assert unpack_healthy(packed, diagnosis.thresholds) is None
    assert unpack_healthy([], diagnosis.thresholds) is None


def test_an_unfit_recording_is_no_past(diagnosis):
    clipped = np.clip(np.random.default_rng(0).standard_normal(RATE), -0.3, 0.3)
    assert pack_healthy(Recording(clipped, RATE, RPM), ELSEWHERE, diagnosis.thresholds) is None
