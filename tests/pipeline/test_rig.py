import os

import numpy as np
import pytest
import scipy.io

from model.bearings import BEARINGS, Bearing
from pipeline import params
from pipeline import rig as stage
from pipeline.params import InputError
from pipeline.rig import find_rigs, read_rig, to_bearing
from pipeline.trials import rig as trials
from pipeline.trials.rig import list_rigs, load_rig
from tests.conftest import ROOT

SECTION = params.load("rig")
HEAD = "recording,file,label,rpm,sampling_rate,bearing,channel,variable,position"
LISTED = {  # recordings of each label in the catalogues that are committed
    "mfpt": {"InnerRace": 7, "OuterRace": 7, "Normal": 3},
    "hit_mfs": {"InnerRace": 9, "OuterRace": 9, "Normal": 3},
    "ims": {"InnerRace": 10, "Normal": 400},
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """No folder of recordings is named."""
    monkeypatch.setattr(stage, "RIG", tmp_path / "rig")
    monkeypatch.setattr(trials, "RIG", tmp_path / "rig")
    for variable in (SECTION["mirror"], *SECTION["mirrors"].values()):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def write_catalogue(folder, *rows: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalogue.csv").write_text("\n".join([HEAD, *rows]) + "\n")


def test_a_folder_with_a_catalogue_is_a_rig_and_the_trials_load_what_the_stage_wrote(data, monkeypatch, noise, capsys):
    signals = noise.standard_normal((2, 3, 100)).astype(np.float32)
    write_catalogue(
        data / "mirror" / "pumps",
        "1,one.mat,InnerRace,1500,12000,NICE,top,gs,",
        "2,few.npz,Normal,600.5,51200,9 0.2 1.0 15,,g,1 2",
        "3,few.npz,Ball,600.5,51200,,,g,0 1",
    )
    scipy.io.savemat(data / "mirror" / "pumps" / "one.mat", {"gs": signals[0, 0], "other": signals[0, 1]})
    np.savez(data / "mirror" / "pumps" / "few.npz", g=signals)
    (data / "mirror" / "no_rig").mkdir()
    monkeypatch.setenv(SECTION["mirror"], str(data / "mirror"))
    stage.main()
    assert list_rigs() == ["pumps"]
    loaded = load_rig("pumps")
    assert [(tried.label, tried.recording.name, tried.recording.channel) for tried in loaded] == [
        ("InnerRace", "1", "top"),
        ("Normal", "2", ""),
        ("Ball", "3", ""),
    ]
    assert [(tried.recording.sampling_rate, tried.recording.rpm) for tried in loaded] == [
        (12_000, 1_500),
        (51_200, 600.5),
        (51_200, 600.5),
    ]
    assert [tried.bearing for tried in loaded] == [BEARINGS["NICE"], Bearing(9, 0.2, 1, 15), BEARINGS["6205-2RS"]]
    for tried, signal in zip(loaded, (signals[0, 0], signals[1, 2], signals[0, 1]), strict=True):
        np.testing.assert_array_equal(tried.recording.signal, signal)
    said = capsys.readouterr().out
    assert "rig pumps: 3 recordings" in said
    assert "RIG mfpt LEFT OUT: MFPT_MIRROR and RIGS_MIRROR name no folder" in said


def test_rigs_that_are_not_at_hand_are_left_out_loudly_and_come_back(data, capsys):
    (data / "rig").mkdir()
    (data / "rig" / "stale.npy").touch()
    stage.main()
    said = capsys.readouterr().out
    for name in LISTED:
        assert f"RIG {name} LEFT OUT" in said
    assert "dvc repro -f rig" in said
    assert list_rigs() == []
    assert [path.name for path in (data / "rig").iterdir()] == ["recordings.json"]


def test_a_rig_is_found_by_its_own_variable_first(data, monkeypatch):
    for folder in ("own", "around/mfpt", "around/ims", "around/cwru"):
        (data / folder).mkdir(parents=True)
    (data / "around" / "cwru" / "catalogue.csv").touch()
    monkeypatch.setenv(SECTION["mirror"], str(data / "around"))
    found, missing = find_rigs(**SECTION)
    assert {name: folder for name, (folder, _) in found.items()} == {
        "ims": data / "around" / "ims",
        "mfpt": data / "around" / "mfpt",
    }, "what trains is no other rig"
    assert missing == ["hit_mfs"]
    monkeypatch.setenv(SECTION["mirrors"]["mfpt"], str(data / "nowhere"))
    assert find_rigs(**SECTION)[0]["mfpt"][0] == data / "around" / "mfpt"
    monkeypatch.setenv(SECTION["mirrors"]["mfpt"], str(data / "own"))
    assert find_rigs(**SECTION)[0]["mfpt"][0] == data / "own"
    (data / "own" / "catalogue.csv").touch()
    assert find_rigs(**SECTION)[0]["mfpt"][1] == data / "own" / "catalogue.csv"


@pytest.mark.parametrize("name", LISTED)
def test_the_known_rigs_are_read_as_their_catalogues_say(name):
    folders = {rig: folder for rig, (folder, _) in find_rigs(**SECTION)[0].items()}
    if name not in folders:
        pytest.skip(f"REAL RECORDINGS SKIPPED: {SECTION['mirror']} is {os.environ.get(SECTION['mirror'])!r}")
    rows = list(read_rig(folders[name], ROOT / SECTION["catalogues"] / f"{name}.csv"))
    labels = [row.label for row, _ in rows]
    assert {label: labels.count(label) for label in set(labels)} == LISTED[name]
    assert min(len(signal) / row.sampling_rate for row, signal in rows) >= 1
    assert all(np.std(signal.astype(float)) > 0 for _, signal in rows)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,a.mat,Inner,1500,12000,,,,", "label is none of Ball, InnerRace, Normal, OuterRace: recording 1"),
        ("1,a.mat,Ball,,12000,,,,", "rpm is not above 0.*: recording 1"),
        ("1,a.mat,Ball,-5,12000,,,,", "rpm is not above 0.*: recording 1"),
        ("1,a.mat,Ball,fast,12000,,,,", "rpm is not a number: recording 1"),
        ("1,a.mat,Ball,1500,0,,,,", "sampling_rate is not above 0 Hz: recording 1"),
        ("1,../a.mat,Ball,1500,12000,,,,", "file is not a relative path inside a folder: recording 1"),
        ("1,a.mat,Ball,1500,12000,6299,,,", "bearing is not a designation of data/bearings.csv.*: recording 1"),
        ("1,a.mat,Ball,1500,12000,9 2 1 0,,,", "bearing is not a designation of data/bearings.csv.*: recording 1"),
        ("1,a.mat,Ball,1500,12000,9 0.2,,,", "bearing is not a designation of data/bearings.csv.*: recording 1"),
        ("1,few.npz,Ball,1500,12000,,,g,1;2", "position is not whole numbers .*: recording 1"),
        ("1,gone.mat,Ball,1500,12000,,,,", "gone.mat cannot be read: No such file or directory"),
        ("1,text.npz,Ball,1500,12000,,,g,0", "text.npz is no NumPy archive"),
        ("1,few.npz,Ball,1500,12000,,,h,0", "few.npz has no variable 'h'; it has g"),
        ("1,few.npz,Ball,1500,12000,,,g,3", r"few.npz: position 3 is not in g, which has the shape \(3, 100\)"),
        ("1,few.npz,Ball,1500,12000,,,g,0 0", r"few.npz: position 0 0 is not in g, which has the shape \(3, 100\)"),
    ],
)
def test_a_bad_row_is_told_in_words(tmp_path, row, reason):
    write_catalogue(tmp_path, row)
    np.savez(tmp_path / "few.npz", g=np.ones((3, 100)))
    (tmp_path / "text.npz").write_text("1\n2\n")
    with pytest.raises(InputError, match=reason):
        list(read_rig(tmp_path, tmp_path / "catalogue.csv"))


def test_another_file_of_the_same_name_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(100.0))
    text = f"recording,file,sha256,label,rpm,sampling_rate\n1,a.npy,{'0' * 64},Normal,1500,12000\n"
    (tmp_path / "catalogue.csv").write_text(text)
    with pytest.raises(InputError, match=r"a\.npy has the SHA-256 [0-9a-f]{12}\.\.\., its catalogue says 000000000000"):
        list(read_rig(tmp_path, tmp_path / "catalogue.csv"))


def test_a_bearing_is_a_designation_a_geometry_or_the_default():
    assert to_bearing("ZA-2115") == to_bearing("16 0.331 2.815 15.17")
    assert to_bearing("") == BEARINGS["6205-2RS"]
