"""The state of a point: advanced by a newer recording, rebuilt by a replay where one came late or went.

Whatever the order in which recordings came, the same ones give the same states and alarms, bit for bit.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Row, Select, func, select, tuple_, update
from sqlalchemy.orm import Session

from api.machine.chunks import PARTS, extend_chunks, rebuild_chunks
from api.machine.notify.changes import write_change
from api.machine.tables import Alarm, Point, Record
from api.recording.fields import parse_bearing
from model.bearings import FaultOrders
from model.machine.indicators import Indicators
from model.machine.snapshot import read_watch, write_watch
from model.machine.thresholds import Thresholds
from model.machine.watch import State, Watch
from model.sizes import Estimate

ALARMING = ("sensor", "warning", "alarm")
AT_ONCE = 1_000  # recordings of a replay in memory
RECENT = 48  # severities that a list draws


class RefusedError(ValueError):
    """What cannot be stored: the field, and in words what came and what was expected."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True)
class Known:
    """What was known of an alarm before a replay."""

    level: str
    since: float
    cleared_at: float | None
    reason: str
    acknowledged_by: str | None
    acknowledged_at: float | None
    note: str | None


def advance(session: Session, point: Point, record: Record, limits: Thresholds) -> bool:
    """Bring a point's state up to a recording that was just added; return False where only a replay can."""
    if point.learned_from is not None and record.taken_at < point.learned_from:
        rebuild_chunks(session, point)  # it says nothing of the present machine, and is shown alone
    elif is_newest(point, record):
        watch = resume(point, limits)
        for name, value in go_on(session, point, watch, record.taken_at, record.indicators, told=True).items():
            setattr(record, name, value)
        point.watch = write_watch(watch)
        extend_chunks(session, record)
    else:
        return False
    return True


def is_newest(point: Point, record: Record) -> bool:
    return point.last_taken_at is None or record.taken_at > point.last_taken_at


def resume(point: Point, limits: Thresholds) -> Watch:
    orders = find_orders(point)
    return read_watch(point.watch, orders, limits) if point.watch else Watch(orders, limits, point.learned_until)


def find_orders(point: Point) -> FaultOrders | None:
    """Return the orders of a point's bearing, or None where it is known by its size alone.

    Raises RefusedError where no table has the bearing any more.
    """
    try:
        bearing = parse_bearing(point.bearing)
    except ValueError as error:
        raise RefusedError("bearing", f"change the point, or name a table in BEARINGS: {error}") from error
    return None if isinstance(bearing, Estimate) else bearing.orders


def replay(session: Session, point: Point, limits: Thresholds, anew: bool = False) -> None:
    """Rebuild the states of a point's recordings and its alarms since it learned anew, or since it was thinned.

    anew: what is left of thinned recordings is judged again too. Earlier alarms stay, what a person acknowledged stays
    acknowledged, and the history is told what became of the alarms.
    """
    if anew:
        point.thinned_until = point.thinned_watch = point.thinned_level = None
    begin, watch, level = first_watch(point, limits)
    before = take_alarms(session, point, begin)
    point.level, point.since, point.reason, point.severity = level, None, "", 0.0
    point.last_taken_at, point.recent = None, b""
    in_time = list_in_time(session, point, begin, inclusive=point.thinned_until != begin)
    while rows := list(islice(in_time, AT_ONCE)):
        judged = [{"id": row.id} | go_on(session, point, watch, row.taken_at, row.indicators) for row in rows]
        session.execute(update(Record), judged)
    if point.last_taken_at is None:
        point.last_taken_at = session.scalar(select(func.max(Record.taken_at)).where(Record.point_id == point.id))
    point.watch = write_watch(watch)
    session.flush()
    tell_differences(session, point, begin, before)
    rebuild_chunks(session, point)


def first_watch(point: Point, limits: Thresholds) -> tuple[float, Watch, str]:
    """Return from which moment on a point's recordings are replayed, the watch as it was then, and the level."""
    orders = find_orders(point)
    begin = max(each if each is not None else -math.inf for each in (point.learned_from, point.thinned_until))
    if point.thinned_watch is not None and point.thinned_until == begin:
        return begin, read_watch(point.thinned_watch, orders, limits), point.thinned_level or "learning"
    return begin, Watch(orders, limits, point.learned_until), "learning"


def take_alarms(session: Session, point: Point, begin: float) -> dict[tuple[float, str], Known]:
    """Delete the alarms that were raised from a moment on and return what was known of them; end earlier ones there."""
    before = {}
    for alarm in session.scalars(alarms_of(point)):
        if alarm.raised_at >= begin:
            before[alarm.raised_at, alarm.level] = Known(
                **{each.name: getattr(alarm, each.name) for each in fields(Known)}
            )
            session.delete(alarm)
        elif alarm.cleared_at is None or alarm.cleared_at > begin:
            alarm.cleared_at = begin if point.thinned_until != begin else None
    session.flush()
    return before


def tell_differences(session: Session, point: Point, begin: float, before: dict[tuple[float, str], Known]) -> None:
    """Give alarms back what was known of them, and write down which are new, cleared or no more."""
    after = {(alarm.raised_at, alarm.level): alarm for alarm in session.scalars(alarms_of(point))
             if alarm.raised_at >= begin}  # fmt: skip
    for (raised_at, _), known in before.items():
        if (raised_at, known.level) not in after:
            write_change(session, point, "withdrawn", known, raised_at)
    for (raised_at, level), alarm in after.items():
        known = before.get((raised_at, level))
        if known is None:
            write_change(session, point, "raised", alarm, raised_at)
        else:
            alarm.acknowledged_by, alarm.acknowledged_at = known.acknowledged_by, known.acknowledged_at
            alarm.note = known.note
        if alarm.cleared_at is not None and (known is None or known.cleared_at != alarm.cleared_at):
            write_change(session, point, "cleared", alarm, alarm.cleared_at)


def list_in_time(session: Session, point: Point, begin: float, inclusive: bool) -> Iterator[Row]:
    """Yield number, moment and indicators of a point's recordings from a moment on, in the order of moments.

    At one moment the order of the hashes decides.
    """
    after: tuple[float, bytes] = begin, b"" if inclusive else b"\xff" * 33
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


def go_on(
    session: Session, point: Point, watch: Watch, taken_at: float, indicators: bytes, told: bool = False
) -> dict[str, Any]:
    """Bring watch and point up to a recording, and return what its row says of the state after it.

    told: changes of alarms are written into the history at once.
    """
    state = watch.advance(taken_at, Indicators.from_bytes(indicators))
    if state.level != point.level:
        change_alarm(session, point, state, taken_at, told)
    point.level, point.since, point.reason, point.severity = state.level, state.since, state.reason, state.severity
    point.last_taken_at = taken_at
    point.recent = (point.recent + np.float16(state.severity).tobytes())[-2 * RECENT :]
    parts = {name: round(state.parts.get(known, 0.0), 4) for name, known in PARTS.items()}
    return {"level": state.level, "severity": state.severity} | parts


def change_alarm(session: Session, point: Point, state: State, taken_at: float, told: bool) -> None:
    """Clear the alarm that is open, and raise the one that a new level calls for."""
    session.flush()
    for alarm in session.scalars(alarms_of(point).where(Alarm.cleared_at.is_(None))):
        alarm.cleared_at = taken_at
        if told:
            write_change(session, point, "cleared", alarm, taken_at)
    if state.level in ALARMING:
        alarm = Alarm(
            point_id=point.id, level=state.level, since=state.since, raised_at=taken_at, reason=state.reason
        )  # fmt: skip
        session.add(alarm)
        if told:
            write_change(session, point, "raised", alarm, taken_at)
