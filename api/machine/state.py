"""The state of a point: advanced by a newer recording, rebuilt by a replay where one came late or went.

Whatever the order in which recordings came, the same ones give the same states and alarms, bit for bit.
"""

import json
from collections.abc import Iterator

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.machine.tables import Alarm, Point, Record
from api.recording.fields import parse_bearing
from model.machine.indicators import Indicators
from model.machine.snapshot import read_watch, write_watch
from model.machine.thresholds import Thresholds
from model.machine.watch import State, Watch

ALARMING = ("sensor", "warning", "alarm")
AT_ONCE = 1_000  # recordings of a replay in memory


def advance(session: Session, point: Point, record: Record, limits: Thresholds) -> None:
    """Bring a point's state up to a recording that was just added."""
    if is_newest(point, record):
        watch = resume(point, limits)
        go_on(session, point, watch, record)
        keep(point, watch)
    else:
        replay(session, point, limits)


def is_newest(point: Point, record: Record) -> bool:
    return point.last_taken_at is None or record.taken_at > point.last_taken_at


def resume(point: Point, limits: Thresholds) -> Watch:
    orders = parse_bearing(point.bearing).orders
    return read_watch(point.watch, orders, limits) if point.watch else Watch(orders, limits)


def keep(point: Point, watch: Watch) -> None:
    point.watch = write_watch(watch)


def replay(session: Session, point: Point, limits: Thresholds) -> None:
    """Rebuild the states of a point's recordings and its alarms since it learned anew.

    Earlier alarms stay, and what a person acknowledged stays acknowledged.
    """
    before = {}
    for alarm in session.scalars(alarms_of(point)):
        if point.learned_from is None or alarm.raised_at >= point.learned_from:
            before[alarm.raised_at, alarm.level] = alarm.acknowledged_by, alarm.acknowledged_at, alarm.note
            session.delete(alarm)
        elif alarm.cleared_at is None or alarm.cleared_at > point.learned_from:
            alarm.cleared_at = point.learned_from
    session.flush()
    point.level, point.since, point.reason, point.severity, point.last_taken_at = "learning", None, "", 0.0, None
    watch = Watch(parse_bearing(point.bearing).orders, limits)
    for record in in_time(session, point):
        if point.learned_from is not None and record.taken_at < point.learned_from:
            continue
        go_on(session, point, watch, record)
    keep(point, watch)
    session.flush()
    for alarm in session.scalars(alarms_of(point)):
        if known := before.get((alarm.raised_at, alarm.level)):
            alarm.acknowledged_by, alarm.acknowledged_at, alarm.note = known


def in_time(session: Session, point: Point) -> Iterator[Record]:
    """Yield a point's recordings in the order of their moments; at one moment the order of their hashes decides."""
    query = select(Record).where(Record.point_id == point.id).order_by(Record.taken_at, Record.sha256)
    return iter(session.scalars(query.execution_options(yield_per=AT_ONCE)))


def alarms_of(point: Point) -> Select[tuple[Alarm]]:
    return select(Alarm).where(Alarm.point_id == point.id).order_by(Alarm.raised_at)


def go_on(session: Session, point: Point, watch: Watch, record: Record) -> None:
    state = watch.advance(record.taken_at, Indicators.from_bytes(record.indicators))
    record.level, record.severity = state.level, state.severity
    record.parts = json.dumps({name: round(size, 4) for name, size in state.parts.items()})
    if state.level != point.level:
        change_alarm(session, point, state, record.taken_at)
    point.level, point.since, point.reason, point.severity = state.level, state.since, state.reason, state.severity
    point.last_taken_at = record.taken_at


def change_alarm(session: Session, point: Point, state: State, taken_at: float) -> None:
    """Clear the alarm that is open, and raise the one that a new level calls for."""
    session.flush()
    for alarm in session.scalars(alarms_of(point).where(Alarm.cleared_at.is_(None))):
        alarm.cleared_at = taken_at
    if state.level in ALARMING:
        session.add(
            Alarm(point_id=point.id, level=state.level, since=state.since, raised_at=taken_at, reason=state.reason)
        )
