"""The store, on SQLite and on PostgreSQL: what is stored stays, in whatever order it came."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from api.machine import reading
from api.machine.database import open_engine
from api.machine.reading import (
    list_alarms,
    list_changes,
    list_healthy,
    list_points,
    list_recordings,
    read_point,
    read_trend,
)
from api.machine.store import RefusedError, Store, UnknownError
from tests.api.machine.conftest import HOUR, POINT, fill, snapshot


def test_a_point_is_created_once_and_changed_later(store):
    assert store.put_point("pump", "fan-end", **POINT)[1]
    assert not store.put_point("pump", "fan-end", **POINT | {"rpm": 1_500.0})[1]
    assert read_point(store, "pump", "fan-end").rpm == 1_500
    assert [each.name for each in list_points(store)[0]] == ["drive-end", "fan-end"]


def test_a_life_is_learned_normal_and_then_alarmed_with_a_reason(store, life):
    fill(store, life)
    state, alarms, trend = snapshot(store)
    assert state[0] == "alarm"
    assert state[2]
    assert [alarm[0] for alarm in alarms] == ["alarm", "warning"]
    assert alarms[0][1] >= life[40].taken_at
    assert alarms[1][3] == alarms[0][2]  # the warning ended where the alarm was raised
    assert len(trend) == len(life)
    assert [row["rms_low"] for row in trend] == pytest.approx([each.indicators.rms for each in life])


def test_the_same_bytes_of_the_same_moment_are_stored_once(store, life):
    first = store.add_recording("pump", "drive-end", life[0])
    again = store.add_recording("pump", "drive-end", life[0])
    assert (first[2], again[2]) == (True, False)
    assert first[0].id == again[0].id
    assert len(read_trend(store, "pump", "drive-end", 100)) == 1


def test_any_order_gives_the_same_states_and_alarms(store, life):
    fill(store, life)
    expected = snapshot(store)
    store.delete_point("pump", "drive-end")
    store.put_point("pump", "drive-end", **POINT)
    shuffled = life[:45] + random.Random(0).sample(life[45:], len(life) - 45)
    fill(store, shuffled)
    assert snapshot(store) == expected


def test_a_deleted_recording_leaves_what_there_would_be_without_it(store, life):
    fill(store, life[:-1])
    expected = snapshot(store)
    number = store.add_recording("pump", "drive-end", life[-1])[0].id
    assert snapshot(store) != expected
    store.delete_recording("pump", "drive-end", number)
    assert snapshot(store) == expected


def test_an_acknowledged_alarm_stays_acknowledged_through_a_replay(store, life):
    fill(store, life[:50] + life[51:])
    number = list_alarms(store, "pump", "drive-end")[0].id
    store.acknowledge("pump", "drive-end", number, 2e6, "the shift", "seen")
    store.add_recording("pump", "drive-end", life[50])  # late
    newest = list_alarms(store, "pump", "drive-end")[0]
    assert (newest.acknowledged_by, newest.note) == ("the shift", "seen")


def test_after_a_repair_it_learns_anew_and_the_history_stays(store, life):
    fill(store, life)
    before = [(alarm.level, alarm.raised_at) for alarm in list_alarms(store, "pump", "drive-end")]
    store.learn_anew("pump", "drive-end", life[-1].taken_at + 1, None, 2e6, "the workshop")
    assert read_point(store, "pump", "drive-end").level == "learning"
    after = list_alarms(store, "pump", "drive-end")
    assert [(alarm.level, alarm.raised_at) for alarm in after] == before
    assert all(alarm.cleared_at is not None for alarm in after)
    fill(store, [replace(each, taken_at=each.taken_at + 100 * HOUR) for each in life[:25]])
    assert read_point(store, "pump", "drive-end").level == "normal"


def test_another_process_goes_on_where_the_last_one_stopped(url, limits, store, life):
    fill(store, life[:50])
    other = Store(open_engine(url), limits)
    fill(other, life[50:])
    expected = snapshot(other)
    other.engine.dispose()
    store.delete_machine("pump")
    store.put_point("pump", "drive-end", **POINT)
    fill(store, life)
    assert snapshot(store) == expected


def test_writers_at_the_same_time_lose_nothing(store, life):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda each: store.add_recording("pump", "drive-end", each), life[:40]))
    with_all = snapshot(store)
    assert len(with_all[2]) == 40
    store.delete_point("pump", "drive-end")
    store.put_point("pump", "drive-end", **POINT)
    fill(store, life[:40])
    assert snapshot(store) == with_all


def test_the_worst_come_first_and_can_be_filtered(store, life):
    for machine in ("fan", "mill"):
        store.put_point(machine, "drive-end", **POINT)
    fill(store, life)
    assert list_points(store)[0][0].machine == "pump"
    assert [point.machine for point in list_points(store, level="learning")[0]] == ["fan", "mill"]
    assert [point.machine for point in list_points(store, part_of_name="il")[0]] == ["mill"]
    assert [point.machine for point in list_points(store, part_of_name="%")[0]] == []
    assert [point.machine for point in list_points(store, offset=1, limit=1)[0]] == ["fan"]


def test_a_trend_of_few_stretches_loses_no_extreme(store, life):
    fill(store, life)
    whole = read_trend(store, "pump", "drive-end", 10_000)
    few = read_trend(store, "pump", "drive-end", 5)
    assert len(few) == 5
    assert sum(row["recordings"] for row in few) == len(life)
    assert max(row["rms_high"] for row in few) == max(row["rms_high"] for row in whole)
    assert min(row["severity_low"] for row in few) == min(row["severity_low"] for row in whole)


def test_what_was_recorded_before_a_repair_is_shown_and_not_judged(store, life):
    fill(store, life[1:30])
    store.learn_anew("pump", "drive-end", life[30].taken_at, None, 2e6, "the workshop")
    assert read_point(store, "pump", "drive-end").last_taken_at == life[29].taken_at
    store.add_recording("pump", "drive-end", life[0])  # late
    fill(store, life[30:40])
    expected = snapshot(store)
    store.delete_machine("pump")
    store.put_point("pump", "drive-end", **POINT)
    fill(store, life[:30])
    store.learn_anew("pump", "drive-end", life[30].taken_at, None, 2e6, "the workshop")
    fill(store, life[30:40])
    assert snapshot(store)[:2] == expected[:2]


def test_the_past_may_be_all_recordings_until_a_moment(store, life):
    fill(store, life[:30])
    begin, end = life[0].taken_at, life[34].taken_at
    store.learn_anew("pump", "drive-end", begin, end, 2e6, "the workshop")
    assert read_point(store, "pump", "drive-end").level == "learning"
    fill(store, life[30:])
    levels = [each.level for each in list_recordings(store, "pump", "drive-end", None, None, 100)][::-1]
    assert levels[:35] == ["learning"] * 35
    assert levels[35] == "normal"
    assert levels[-1] == "alarm"


def test_the_first_recording_says_the_rate_of_a_point_and_others_have_to_agree(store, life):
    store.put_point("pump", "other", **POINT | {"sampling_rate": None})
    store.add_recording("pump", "other", life[0])
    assert read_point(store, "pump", "other").sampling_rate == 12_000
    wrong = replace(life[1], indicators=life[1].indicators._replace(sampling_rate=20_000))
    with pytest.raises(RefusedError, match="sampled at 20,000 Hz, its point at 12,000 Hz") as refused:
        store.add_recording("pump", "other", wrong)
    assert refused.value.field == "sampling_rate"


def test_the_history_tells_every_change_and_is_never_rewritten(store, life):
    fill(store, life[:50] + life[51:])
    number = list_alarms(store, "pump", "drive-end")[0].id
    store.acknowledge("pump", "drive-end", number, 2e6, "the shift", "seen")
    before = history(store)
    assert [change[1:3] for change in before] == [
        ("raised", "warning"),
        ("cleared", "warning"),
        ("raised", "alarm"),
        ("acknowledged", "alarm"),
    ]
    first = list_recordings(store, "pump", "drive-end", life[40].taken_at, life[49].taken_at, 100)
    for record in first:  # without them, the alarms come later
        store.delete_recording("pump", "drive-end", record.id)
    after = history(store)
    assert after[: len(before)] == before
    assert "withdrawn" in [change[1] for change in after[len(before) :]]
    store.delete_machine("pump")
    assert history(store) == after


def history(store):
    changes = list_changes(store, "pump", "drive-end")[::-1]
    return [(each.id, each.kind, each.level, each.since, each.taken_at, each.reason, each.by) for each in changes]


def test_chunks_are_the_same_after_a_replay(store, life, monkeypatch):
    monkeypatch.setattr(reading, "FEW", 0)
    fill(store, life)
    coarse = read_trend(store, "pump", "drive-end", 3)  # so few that chunks are read
    assert len(coarse) == 3
    number = store.add_recording("pump", "drive-end", replace(life[-1], taken_at=life[-1].taken_at + HOUR))[0].id
    store.delete_recording("pump", "drive-end", number)
    assert read_trend(store, "pump", "drive-end", 3) == coarse
    whole = read_trend(store, "pump", "drive-end", 10_000)
    assert sum(row["recordings"] for row in coarse) == len(life)
    assert max(row["severity_high"] for row in coarse) == max(row["severity_high"] for row in whole)
    for part in ("impacts", "OuterRace", "level"):
        assert max(row["parts"][part] for row in coarse) == max(row["parts"][part] for row in whole)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda store: read_point(store, "pump", "x"), "machine pump has no point x"),
        (lambda store: store.delete_machine("x"), "no machine x"),
        (lambda store: store.delete_recording("pump", "drive-end", 9), "no recording 9"),
        (lambda store: store.acknowledge("pump", "drive-end", 9, 0.0, "a", None), "no alarm 9"),
    ],
)
def test_what_is_unknown_is_named(store, call, message):
    with pytest.raises(UnknownError, match=message):
        call(store)


def test_the_healthy_past_of_diagnoses_is_of_the_present_bearing(store, life):
    fill(store, [replace(each, healthy=b"of 6205-2RS") for each in life[:5]])
    assert list_healthy(store, read_point(store, "pump", "drive-end"), 20) == [b"of 6205-2RS"] * 5
    point, _ = store.put_point("pump", "drive-end", **POINT | {"bearing": "6203-2RS"})
    assert list_healthy(store, point, 20) == []


def test_a_recording_that_is_sent_again_names_the_file_that_is_kept_now(store, life):
    fill(store, life[:1])
    record, _, is_new = store.add_recording("pump", "drive-end", replace(life[0], file="pump/drive-end/a.npy"))
    assert (record.file, is_new) == ("pump/drive-end/a.npy", False)
    again, _, _ = store.add_recording("pump", "drive-end", replace(life[0], file="pump/drive-end/b.npy"))
    assert again.file == "pump/drive-end/a.npy"
