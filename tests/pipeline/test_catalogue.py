import re

import pandas as pd
import pytest

from pipeline.catalogue import read_catalogue, read_metadata
from pipeline.params import InputError

COUNTS = {"Ball": 943, "InnerRace": 944, "Normal": 828, "OuterRace": 1652}


def test_there_are_60_faults_at_12_khz_and_4_normals_at_48_khz(catalogue):
    assert len(catalogue) == 64
    assert catalogue[catalogue.sampling_rate == 12_000].label.value_counts().to_dict() == {
        "OuterRace": 28, "InnerRace": 16, "Ball": 16,
    }  # fmt: skip
    assert list(catalogue[catalogue.sampling_rate == 48_000].recording) == ["97", "98", "99", "100"]


def test_the_originals_hold_4367_windows(catalogue):
    windows = catalogue.samples // 2048
    assert windows.groupby(catalogue.label).sum().astype(int).to_dict() == COUNTS
    assert windows.sum() == 4367


def test_every_seeded_bearing_was_recorded_at_all_four_loads(catalogue):
    bearings = catalogue.groupby(["label", "fault_diameter", "outer_race_position"], dropna=False)
    assert len(bearings) == 16
    for _, recordings in bearings:
        assert list(recordings.load_hp) == [0, 1, 2, 3]
        assert recordings.rpm.is_monotonic_decreasing


def test_only_outer_races_have_a_position_and_only_normals_no_diameter(catalogue):
    assert (catalogue.outer_race_position.notna() == (catalogue.label == "OuterRace")).all()
    assert (catalogue.fault_diameter.isna() == (catalogue.label == "Normal")).all()


def test_hashes_are_those_published_with_the_recordings(catalogue, mirror):
    if not (mirror / "SHA256SUMS").is_file():
        pytest.skip("the mirror has no SHA256SUMS")
    published = dict(line.split()[::-1] for line in (mirror / "SHA256SUMS").read_text().splitlines())
    assert dict(zip(catalogue.file, catalogue.sha256, strict=True)) == published
    excerpts = dict(line.split()[::-1] for line in (mirror / "excerpts" / "SHA256SUMS").read_text().splitlines())
    known = catalogue[catalogue.excerpt_file != ""]
    assert {f"excerpts/{name}": value for name, value in excerpts.items()} == dict(
        zip(known.excerpt_file, known.excerpt_sha256, strict=True)
    )


def test_a_catalogue_needs_four_columns_only(tmp_path):
    path = tmp_path / "catalogue.csv"
    path.write_text("recording,file,label,sampling_rate\n007,a.npy,Worn,25600\n")
    row = read_catalogue(path).iloc[0]
    assert (row.recording, row.label, row.sampling_rate, row.sha256) == ("007", "Worn", 25600, "")
    assert pd.isna(row.rpm)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recording,file,label\n1,a.npy,Worn\n", "lacks sampling_rate"),
        ("recording,file,label,sampling_rate\n", "names no recording"),
        ("recording,file,label,sampling_rate\n1,a.npy,,12000\n", "label is empty: recording 1"),
        ("recording,file,label,sampling_rate\n1,a.npy,Worn,fast\n", "sampling_rate is not a number: recording 1"),
        ("recording,file,label,sampling_rate\n1,a.npy,Worn,0\n", "sampling_rate is not above 0 Hz: recording 1"),
        ("recording,file,label,sampling_rate\n1,a.npy,A,9\n1,b.npy,B,9\n", "named twice: recording 1"),
        ("recording,file,label,sampling_rate\n1,../a.npy,Worn,9\n", "file is not a relative path"),
        ("recording,file,label,sampling_rate\n1,/etc/passwd,Worn,9\n", "file is not a relative path"),
        ("recording,file,label,sampling_rate,sha256\n1,a.npy,Worn,9,abc\n", "sha256 is not 64 hex digits"),
        ("recording,file,label,sampling_rate\n1,a.npy,Worn,inf\n", "sampling_rate is not a number: recording 1"),
        ("recording,file,label,sampling_rate\n1,manifest.json,Worn,9\n", "file is manifest.json, a name"),
        ("", "No columns to parse"),
    ],
)
def test_a_wrong_catalogue_is_refused_in_words(tmp_path, text, message):
    path = tmp_path / "catalogue.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(message)):
        read_catalogue(path)


def test_labels_stay_text_from_stage_to_stage(tmp_path):
    path = tmp_path / "metadata.csv"
    path.write_text("recording,start,label,rpm\n007,0,0,1750\n008,0,None,\n009,0,True,1\n")
    metadata = read_metadata(path)
    assert metadata.label.tolist() == ["0", "None", "True"]
    assert metadata.recording.tolist() == ["007", "008", "009"]
    assert metadata.rpm.isna().tolist() == [False, True, False]


def test_a_missing_catalogue_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv"):
        read_catalogue(tmp_path / "absent.csv")
