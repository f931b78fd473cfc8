import numpy as np
import pytest
import scipy.io

from pipeline import params
from pipeline import rig as stage
from pipeline.rig import read_rig
from pipeline.trials import rig as trials
from pipeline.trials.rig import list_rig, load_rig


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "RIG", tmp_path / "rig")
    monkeypatch.setattr(trials, "RIG", tmp_path / "rig")
    return tmp_path


def test_what_the_stage_writes_is_what_the_trials_load(data, monkeypatch, noise):
    mirror = data / "mirror"
    mirror.mkdir()
    signals = {name: noise.standard_normal(100) for name in ("InnerRaceFault_1", "OuterRaceFault_1")}
    for name, signal in signals.items():
        facts = {"sr": 48_828.0, "rate": 25.0, "gs": signal[:, None]}
        scipy.io.savemat(mirror / f"{name}.mat", {"bearing": facts})
    monkeypatch.setenv(params.load("rig")["mirror"], str(mirror))
    stage.main()
    loaded = load_rig()
    assert [(label, r.name, r.sampling_rate, r.rpm) for label, r in loaded] == [
        ("InnerRace", "InnerRaceFault_1.mat", 48_828, 1_500),
        ("OuterRace", "OuterRaceFault_1.mat", 48_828, 1_500),
    ]
    for (_, recording), signal in zip(loaded, signals.values(), strict=True):
        np.testing.assert_array_equal(recording.signal, signal)


def test_a_rig_that_is_not_at_hand_is_left_out_loudly_and_comes_back(data, monkeypatch, capsys):
    (data / "rig").mkdir()
    (data / "rig" / "stale.npy").touch()
    monkeypatch.delenv(params.load("rig")["mirror"], raising=False)
    stage.main()
    said = capsys.readouterr().out
    assert "PROTOCOL RIG LEFT OUT" in said
    assert "dvc repro -f rig" in said
    assert list_rig() == load_rig() == []
    assert [path.name for path in (data / "rig").iterdir()] == ["recordings.json"]


def test_the_real_rig_is_read_with_its_rates_and_speeds(rig):
    recordings = list(read_rig(rig, **params.load("rig")["healthy"]))
    labels = [label for label, _ in recordings]
    assert {label: labels.count(label) for label in set(labels)} == {"InnerRace": 7, "OuterRace": 7, "Normal": 3}
    assert {(r.sampling_rate, r.rpm) for _, r in recordings} == {(48_828, 1_500)}
    assert {len(r.signal) for _, r in recordings} == {146_484, 292_968}


def test_a_file_that_cannot_be_opened_is_told_in_words(tmp_path):
    (tmp_path / "InnerRaceFault_1.mat").symlink_to(tmp_path / "gone.mat")
    with pytest.raises(params.InputError, match=r"InnerRaceFault_1\.mat cannot be read: No such file or directory"):
        list(read_rig(tmp_path, 48_828, 1_500))
