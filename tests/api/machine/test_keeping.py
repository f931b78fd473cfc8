"""Raw files, and the thinning of what is old: it changes no state that comes after it."""

import random

import pytest
from sqlalchemy import update

from api.machine.keeping import Files, name_folder
from api.machine.reading import list_recordings, read_point, read_trend
from api.machine.store import RefusedError
from api.machine.tables import Point
from tests.api.machine.conftest import POINT, fill, snapshot

DAY = 86_400


def test_thinning_keeps_the_worst_of_each_day_and_what_was_learned(store, life):
    fill(store, life)  # 60 hours: three days at the end of which the newest is in the fourth
    store.keep_days = 1
    store.thin()
    kept = list_recordings(store, "pump", "drive-end", None, None, 1_000)[::-1]
    end = (life[-1].taken_at // DAY - 1) * DAY
    new = [each.taken_at for each in life if each.taken_at >= end]
    assert [each.taken_at for each in kept if each.taken_at >= end] == new
    old = [each for each in kept if each.taken_at < end]
    assert {each.level for each in old[:19]} == {"learning"}
    assert len(old) < len(life) - len(new)
    for day in {each.taken_at // DAY for each in life if each.taken_at < end}:
        assert any(each.taken_at // DAY == day for each in old)
    trend = read_trend(store, "pump", "drive-end", 10_000)
    assert sum(row["recordings"] for row in trend) == len(kept)


def test_states_after_thinning_are_those_of_a_store_that_was_not_thinned(store, life):
    late = random.Random(1).sample(life[50:], 4)
    in_time = [each for each in life if each not in late]
    fill(store, in_time + late)
    expected = snapshot(store)[:2]
    store.delete_machine("pump")
    store.put_point("pump", "drive-end", **POINT)
    store.keep_days = 1
    fill(store, in_time[:40])
    store.thin()
    fill(store, in_time[40:])
    store.thin()
    fill(store, late)
    state, alarms = snapshot(store)[:2]
    assert state[:6] == expected[0][:6]  # the last severities that a list draws begin anew
    assert alarms == expected[1]


def test_a_recording_from_a_thinned_time_is_refused_in_words(store, life):
    fill(store, life[1:])
    store.keep_days = 1
    store.thin()
    with pytest.raises(RefusedError, match="recordings were thinned"):
        store.add_recording("pump", "drive-end", life[0])


def test_nothing_is_thinned_unless_asked_for(store, life):
    fill(store, life)
    store.thin()
    assert len(list_recordings(store, "pump", "drive-end", None, None, 1_000)) == len(life)


def test_files_are_written_read_and_deleted(tmp_path):
    files = Files.open(str(tmp_path / "kept"))
    name = files.write("pump", "drive-end", 1e9, "a b.npy", b"content")
    assert name.startswith("pump/drive-end/2001-09-09T014640.000000Z-")
    assert name.endswith(".npy")
    assert files.write("pump", "drive-end", 1e9, "a b.npy", b"content") == name
    assert files.read(name) == b"content"
    files.delete([name, name])
    with pytest.raises(FileNotFoundError):
        files.read(name)


def test_files_may_lie_in_any_place_that_fsspec_knows():
    files = Files.open("memory://bucket/kept")
    assert files.read(files.write("pump", "p", 0.0, "x.../../evil", b"1")) == b"1"


def test_a_machine_named_by_dots_names_no_other_folder(tmp_path):
    (tmp_path / "beside").write_text("stays")
    files = Files.open(str(tmp_path / "kept"))
    files.write("..", "..", 0.0, "a.npy", b"1")
    files.delete([name_folder("..")])
    assert (tmp_path / "beside").read_text() == "stays"
    assert (tmp_path / "kept").is_dir()


def test_a_point_whose_bearing_no_table_has_any_more_is_not_thinned_and_others_are(store, life):
    fill(store, life)
    store.put_point("fan", "drive-end", **POINT)
    for each in life:
        store.add_recording("fan", "drive-end", each)
    with store.session() as session, session.begin():
        session.execute(update(Point).where(Point.machine == "fan").values(bearing="SPINDLE-1"))
    store.keep_days = 1
    store.thin()
    counts = [len(list_recordings(store, name, "drive-end", None, None, 1_000)) for name in ("fan", "pump")]
    assert counts[0] == len(life) > counts[1]


def test_the_last_recording_is_one_that_is_there_whatever_was_thinned(store, life):
    fill(store, life)
    store.keep_days = 1
    store.thin()
    store.learn_anew("pump", "drive-end", life[-1].taken_at + 1, None, 2e6, "the workshop")
    assert read_point(store, "pump", "drive-end").last_taken_at == life[-1].taken_at
