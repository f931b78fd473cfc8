"""An archive whose catalogue names machine, point and moment goes into the store of machines too."""

import csv

import pytest

from api.machine.database import open_engine
from api.machine.reading import list_points, list_recordings
from api.machine.store import Store

pytest.importorskip("pyarrow", reason="ARCHIVE SKIPPED: pyarrow is not installed")
from api.machine import opening
from api.recording import fields as form
from tests.system.test_archive import make_recordings, run

HEAD = ("file", "machine", "point", "taken_at", "bearing")


@pytest.fixture
def database(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/machines.sqlite"
    monkeypatch.setattr(opening.settings, "database_url", url)
    return url


def write_catalogue(path, rows) -> str:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return str(path)


def test_watched_recordings_are_stored_once_in_the_order_of_their_moments(tmp_path, database, capsys):
    recordings = make_recordings(tmp_path / "recordings", 6)
    names = sorted(path.relative_to(recordings).as_posix() for path in recordings.rglob("*.wav"))
    rows = [(name, "pump", f"p{i % 2}", f"2026-01-0{9 - i}T00:00:00Z", "6205-2RS") for i, name in enumerate(names[:5])]
    catalogue = write_catalogue(tmp_path / "catalogue.csv", rows)
    run(recordings, tmp_path / "out", "--catalogue", catalogue)
    assert "machines: 5 stored, 0 stored before, 0 refused by their points" in capsys.readouterr().out
    run(recordings, tmp_path / "out", "--catalogue", catalogue)
    assert "machines: 0 stored, 5 stored before, 0 refused by their points" in capsys.readouterr().out
    store = Store(open_engine(database), None)
    assert [point.name for point in list_points(store)[0]] == ["p0", "p1"]
    stored = list_recordings(store, "pump", "p0", None, None, 10)
    assert all(record.prediction for record in stored)
    assert [record.level for record in stored] == ["learning"] * 3
    store.engine.dispose()


def test_a_bearing_of_an_own_table_is_that_of_a_point_whose_catalogue_names_none(tmp_path, database, monkeypatch):
    own = tmp_path / "own.csv"
    own.write_text(
        "designation,maker,rolling_elements,element_diameter,pitch_diameter,contact_angle,bpfo,bpfi,bsf,ftf\n"
        "SPINDLE-1,ours,9,10,50,15,,,,\n"
    )
    monkeypatch.setattr(opening.settings, "bearings", own)
    monkeypatch.setattr(form, "KNOWN", dict(form.KNOWN))
    recordings = make_recordings(tmp_path / "recordings", 2)
    rows = [
        ("line 0/00.wav", "pump", "p", "2026-01-01T00:00:00Z", ""),
        ("line 1/01.wav", "pump", "q", "2026-01-01T00:00:00Z", "6205-2RS"),
    ]
    catalogue = write_catalogue(tmp_path / "catalogue.csv", rows)
    run(recordings, tmp_path / "out", "--catalogue", catalogue, "--bearing", "SPINDLE-1")
    store = Store(open_engine(database), None)
    found = {point.name: point.bearing for point in list_points(store)[0]}
    store.engine.dispose()
    assert found == {"p": "SPINDLE-1", "q": "6205-2RS"}


def test_a_moment_without_a_zone_is_refused_before_anything_is_diagnosed(tmp_path, database):
    recordings = make_recordings(tmp_path / "recordings", 1)
    row = ("line 0/00.wav", "pump", "p", "2026-01-01T00:00:00", "")
    with pytest.raises(ValueError, match=r"line 0/00\.wav: taken_at: .*expected a moment with a zone"):
        run(recordings, tmp_path / "out", "--catalogue", write_catalogue(tmp_path / "catalogue.csv", [row]))
    assert not (tmp_path / "out").exists()
