"""The state of a point: advanced by a newer recording, rebuilt by a replay where one came late or went.

Whatever the order in which recordings came, the same ones give the same states and alarms, bit for bit.
"""

import json
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Row, Select, select, tuple_, update
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
        judged = go_on(session, point, watch, record.taken_at, record.indicators)
        record.level, record.severity, record.parts = judged["level"], judged["severity"], judged["parts"]
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
    in_time = list_in_time(session, point)
    while rows := list(islice(in_time, AT_ONCE)):
        judged = [{"id": row.id} | go_on(session, point, watch, row.taken_at, row.indicators) for row in rows]
        session.execute(update(Record), judged)
    keep(point, watch)
    session.flush()
    for alarm in session.scalars(alarms_of(point)):
        if known := before.get((alarm.raised_at, alarm.level)):
            alarm.acknowledged_by, alarm.acknowledged_at, alarm.note = known


def list_in_time(session: Session, point: Point) -> Iterator[Row]:
    """Yield number, moment and indicators of what was recorded since a point learned anew, in the order of moments.

    At one moment the order of the hashes decides.
    """
    begin = point.learned_from if point.learned_from is not None else -math.inf
    after: tuple[float, bytes] = begin, b""
    while True:
        query = (
            select(Record.id, Record.taken_at, Record.indicators, Record.sha256)
            .where(Record.point_id == point.id, tuple_(Record.taken_at, Record.sha256) > after)
            .order_by(Record.taken_at, Record.sha256)
            .limit(AT_ONCE)
        )
        rows = session.execute(query).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].taken_at, rows[-1].sha256


def alarms_of(point: Point) -> Select[tuple[Alarm]]:
    return select(Alarm).where(Alarm.point_id == point.id).order_by(Alarm.raised_at)


def go_on(session: Session, point: Point, watch: Watch, taken_at: float, indicators: bytes) -> dict[str, Any]:
    """Bring watch and point up to a recording, and return what its row says of the state after it."""
    state = watch.advance(taken_at, Indicators.from_bytes(indicators))
    if state.level != point.level:
        change_alarm(session, point, state, taken_at)
    point.level, point.since, point.reason, point.severity = state.level, state.since, state.reason, state.severity
    point.last_taken_at = taken_at
    parts = json.dumps({name: round(size, 4) for name, size in state.parts.items()})
    return {"level": state.level, "severity": state.severity, "parts": parts}


def change_alarm(session: Session, point: Point, state: State, taken_at: float) -> None:
    """Clear the alarm that is open, and raise the one that a new level calls for."""
    session.flush()
    for alarm in session.scalars(alarms_of(point).where(Alarm.cleared_at.is_(None))):
        alarm.cleared_at = taken_at
    if state.level in ALARMING:
        session.add(
            Alarm(point_id=point.id, level=state.level, since=state.since, raised_at=taken_at, reason=state.reason)
        )
