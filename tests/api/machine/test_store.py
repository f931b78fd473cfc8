"""The store, on SQLite and on PostgreSQL: what is stored stays, in whatever order it came."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from api.machine.database import open_engine
from api.machine.store import Store, UnknownError
from tests.api.machine.conftest import HOUR, POINT, fill, snapshot


def test_a_point_is_created_once_and_changed_later(store):
    assert store.put_point("pump", "fan-end", **POINT)
    assert not store.put_point("pump", "fan-end", **POINT | {"rpm": 1_500.0})
    assert store.read_point("pump", "fan-end").rpm == 1_500
    assert [each.name for each in store.list_points()] == ["drive-end", "fan-end"]


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
    assert len(store.read_trend("pump", "drive-end", 100)) == 1


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
    number = store.list_alarms("pump", "drive-end")[0].id
    store.acknowledge("pump", "drive-end", number, 2e6, "the shift", "seen")
    store.add_recording("pump", "drive-end", life[50])  # late
    newest = store.list_alarms("pump", "drive-end")[0]
    assert (newest.acknowledged_by, newest.note) == ("the shift", "seen")


def test_after_a_repair_it_learns_anew_and_the_history_stays(store, life):
    fill(store, life)
    before = [(alarm.level, alarm.raised_at) for alarm in store.list_alarms("pump", "drive-end")]
    store.learn_anew("pump", "drive-end", life[-1].taken_at + 1, "the workshop")
    assert store.read_point("pump", "drive-end").level == "learning"
    after = store.list_alarms("pump", "drive-end")
    assert [(alarm.level, alarm.raised_at) for alarm in after] == before
    assert all(alarm.cleared_at is not None for alarm in after)
    fill(store, [replace(each, taken_at=each.taken_at + 100 * HOUR) for each in life[:25]])
    assert store.read_point("pump", "drive-end").level == "normal"


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
    assert store.list_points()[0].machine == "pump"
    assert [point.machine for point in store.list_points(level="learning")] == ["fan", "mill"]
    assert [point.machine for point in store.list_points(part_of_name="il")] == ["mill"]
    assert [point.machine for point in store.list_points(part_of_name="%")] == []
    assert [point.machine for point in store.list_points(offset=1, limit=1)] == ["fan"]


def test_a_trend_of_few_stretches_loses_no_extreme(store, life):
    fill(store, life)
    whole = store.read_trend("pump", "drive-end", 10_000)
    few = store.read_trend("pump", "drive-end", 5)
    assert len(few) == 5
    assert sum(row["recordings"] for row in few) == len(life)
    assert max(row["rms_high"] for row in few) == max(row["rms_high"] for row in whole)
    assert min(row["severity_low"] for row in few) == min(row["severity_low"] for row in whole)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda store: store.read_point("pump", "x"), "machine pump has no point x"),
        (lambda store: store.delete_machine("x"), "no machine x"),
        (lambda store: store.delete_recording("pump", "drive-end", 9), "no recording 9"),
        (lambda store: store.acknowledge("pump", "drive-end", 9, 0.0, "a", None), "no alarm 9"),
    ],
)
def test_what_is_unknown_is_named(store, call, message):
    with pytest.raises(UnknownError, match=message):
        call(store)
