import hashlib
import json
from dataclasses import replace

import pytest
import yaml

from model.recording.diagnosis import RecordingDiagnosis
from model.recording.thresholds import Thresholds, write_thresholds
from model.thresholds import read_thresholds
from tests.conftest import ROOT

TYPED = yaml.safe_load((ROOT / "params.yaml").read_text())["thresholds"]
NAMES = [(section, name) for section, kind in Thresholds.__annotations__.items() for name in kind._fields]


def test_what_is_served_decides_by_the_thresholds_of_params(diagnosis):
    assert diagnosis.thresholds == read_thresholds(Thresholds, TYPED)
    assert write_thresholds(diagnosis.thresholds) == TYPED


@pytest.mark.parametrize(("section", "name"), NAMES, ids=map("-".join, NAMES))
def test_changing_a_threshold_changes_the_hash_of_what_is_served(diagnosis, tmp_path, section, name):
    value = TYPED[section][name]
    changed = TYPED | {section: TYPED[section] | {name: [*value, 1] if isinstance(value, list) else value + 1}}
    spectra = replace(diagnosis.spectra, centres=diagnosis.spectra.centres[:1])  # writing all takes long, 200 times
    hashes = []
    for number, typed in enumerate((TYPED, changed)):
        thresholds = read_thresholds(Thresholds, typed)
        small = RecordingDiagnosis([], {}, spectra, diagnosis.temperature, thresholds)
        small.save(tmp_path / f"{number}.json")
        hashes.append(hashlib.sha256((tmp_path / f"{number}.json").read_bytes()).hexdigest())
        assert RecordingDiagnosis.load(tmp_path / f"{number}.json").thresholds == thresholds
    assert hashes[0] != hashes[1]


def test_no_threshold_hides_in_the_weights(diagnosis, tmp_path):
    """The thresholds stand in a part of their own: what was trained is the same bytes whatever they are."""
    diagnosis.save(tmp_path / "diagnosis.json")
    plain = json.loads((tmp_path / "diagnosis.json").read_text())
    assert list(plain) == ["networks", "heads", "spectra", "temperature", "thresholds"]
