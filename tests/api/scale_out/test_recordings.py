import pytest

from api.settings import settings

recordings = pytest.importorskip("api.scale_out.recordings", reason="ARCHIVE SKIPPED: its packages are not installed")


def test_another_content_of_the_own_table_of_bearings_means_another_diagnosis(tmp_path, monkeypatch):
    (tmp_path / "a.wav").touch()
    table = tmp_path / "own.csv"
    keys = [recordings.find_recordings(str(tmp_path), {}, {})[0]["key"]]
    monkeypatch.setattr(settings, "bearings", table)
    for content in ("one", "one", "another"):
        table.write_text(content)
        keys.append(recordings.find_recordings(str(tmp_path), {}, {})[0]["key"])
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3
