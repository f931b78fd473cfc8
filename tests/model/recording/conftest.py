"""What the tests of the recording diagnosis share: the diagnosis that is served, and its thresholds."""

import pytest

from model.recording.diagnosis import RecordingDiagnosis
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def diagnosis():
    return RecordingDiagnosis.load(ROOT / "assets" / "diagnosis.json")


@pytest.fixture(scope="session")
def thresholds(diagnosis):
    return diagnosis.thresholds
