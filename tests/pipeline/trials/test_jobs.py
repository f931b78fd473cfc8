import json

import pytest

from pipeline.trials import jobs, rig
from pipeline.trials.jobs import list_jobs, longest_first, read_trials, write_trials


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "TRIALS", tmp_path / "trials")
    monkeypatch.setattr(rig, "RIG", tmp_path / "rig")
    (tmp_path / "rig").mkdir()
    return tmp_path


@pytest.mark.parametrize("found", [[], [{"rig": "a"}]])
def test_the_rig_is_left_out_only_where_its_recordings_are_missing(data, found):
    (data / "rig" / "recordings.json").write_text(json.dumps(found))
    assert (("rig", 0) in list_jobs("wide_kernel", [0])) == bool(found)
    assert len(list_jobs("wide_kernel", [0, 1, 2])) == 3 * (6 + bool(found))
    assert ("rig", 0) not in list_jobs("recording", [0]), "a stage of its own tries whole recordings"


def test_the_protocols_with_most_folds_come_first():
    tried = [(protocol, 0) for protocol in ("random", "bearing", "noise", "combinations")]
    assert [protocol for protocol, _ in longest_first(tried)] == ["combinations", "bearing", "random", "noise"]


def test_what_an_earlier_run_left_is_removed(data):
    write_trials("recording", {("block", 0): {"fold": {"ece": 0.1}}, ("block", 1): {}})
    write_trials("recording", {("block", 0): {"fold": {"ece": 1 / 3}}})
    assert [path.name for path in (data / "trials" / "recording").iterdir()] == ["block-0.json"]
    assert read_trials("recording", [("block", 0)]) == {("block", 0): {"fold": {"ece": 1 / 3}}}


def test_a_missing_trial_is_an_error(data):
    write_trials("recording", {("block", 0): {}})
    with pytest.raises(FileNotFoundError):
        read_trials("recording", [("block", 0), ("block", 1)])
