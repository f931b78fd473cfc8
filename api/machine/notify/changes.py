"""The history of alarms: rows that are added and never changed, and the outbox that is filled with them."""

import time

from sqlalchemy.orm import Session

from api.machine.tables import Alarm, Change, Delivery, Point

RECEIVERS = "receivers"  # in the info of a session: who is told of changes


def write_change(
    session: Session,
    point: Point,
    kind: str,
    alarm: Alarm | None = None,
    taken_at: float | None = None,
    by: str | None = None,
    note: str | None = None,
) -> None:
    """Add a change to the history, and one row for each receiver to the outbox, in the transaction of the change."""
    change = Change(
        machine=point.machine,
        point=point.name,
        written_at=time.time(),
        kind=kind,
        level=alarm.level if alarm else "",
        since=alarm.since if alarm else None,
        taken_at=taken_at,
        reason=alarm.reason if alarm else "",
        by=by,
        note=note,
    )
    session.add(change)
    session.flush()
    session.add_all(Delivery(change_id=change.id, receiver=name) for name in session.info[RECEIVERS])
