"""What is written to and read from the store; one transaction a call."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, case, delete, func, select
from sqlalchemy.orm import Session

from api.machine.database import for_reading
from api.machine.state import advance, alarms_of, replay
from api.machine.tables import Alarm, Note, Point, Record
from model.machine.indicators import Indicators
from model.machine.thresholds import Thresholds

WORST_FIRST = ("alarm", "warning", "sensor", "notice", "learning", "normal")


class UnknownError(LookupError):
    """No machine, point, recording or alarm of this name or number; the message says which."""


@dataclass(frozen=True)
class Taken:
    """A recording as it is stored: when it was taken (unix seconds), of which bytes, and what was measured."""

    taken_at: float
    sha256: bytes
    indicators: Indicators
    diagnosis: str | None = None  # JSON


@dataclass
class Store:
    """The store of machines behind an engine, whose watches have these thresholds."""

    engine: Engine
    limits: Thresholds

    def put_point(self, machine: str, name: str, **settings: Any) -> bool:
        """Create or change a point; return whether it is new. A changed bearing is looked for in all its past."""
        with Session(self.engine) as session, session.begin():
            point = session.scalar(one_point(machine, name))
            if point is None:
                session.add(Point(machine=machine, name=name, **settings))
                return True
            moved = point.bearing != settings["bearing"]
            for field, value in settings.items():
                setattr(point, field, value)
            if moved:
                replay(session, point, self.limits)
            return False

    def read_point(self, machine: str, name: str) -> Point:
        """Return a point. Raises UnknownError."""
        with Session(for_reading(self.engine), expire_on_commit=False) as session:
            return find_point(session, machine, name)

    def add_recording(self, machine: str, name: str, taken: Taken) -> tuple[Record, Point, bool]:
        """Store a recording and bring its point's state up to it; return both, and whether it is new.

        The same bytes of the same moment are stored once. Raises UnknownError.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            point = find_point(session, machine, name, writing=True)
            same = select(Record).where(
                Record.point_id == point.id, Record.taken_at == taken.taken_at, Record.sha256 == taken.sha256
            )
            if known := session.scalar(same):
                return known, point, False
            record = Record(
                point_id=point.id,
                taken_at=taken.taken_at,
                sha256=taken.sha256,
                indicators=taken.indicators.to_bytes(),
                rms=taken.indicators.rms,
                diagnosis=taken.diagnosis,
            )
            session.add(record)
            session.flush()
            advance(session, point, record, self.limits)
            return record, point, True

    def delete_recording(self, machine: str, name: str, number: int) -> None:
        """Delete a recording and rebuild the states after it. Raises UnknownError."""
        with Session(self.engine) as session, session.begin():
            point = find_point(session, machine, name, writing=True)
            record = session.get(Record, number)
            if record is None or record.point_id != point.id:
                raise UnknownError(f"point {name} of machine {machine} has no recording {number}")
            session.delete(record)
            session.flush()
            replay(session, point, self.limits)

    def delete_point(self, machine: str, name: str) -> None:
        """Delete a point with all that was recorded there. Raises UnknownError."""
        with Session(self.engine) as session, session.begin():
            session.delete(find_point(session, machine, name, writing=True))

    def delete_machine(self, machine: str) -> None:
        """Delete a machine with all its points. Raises UnknownError."""
        with Session(self.engine) as session, session.begin():
            if not session.execute(delete(Point).where(Point.machine == machine)).rowcount:
                raise UnknownError(f"there is no machine {machine}")

    def learn_anew(self, machine: str, name: str, moment: float, by: str) -> None:
        """Let a point's past begin at a moment, as after a repair, and note who said so. Raises UnknownError."""
        with Session(self.engine) as session, session.begin():
            point = find_point(session, machine, name, writing=True)
            point.learned_from = moment
            session.add(Note(point_id=point.id, written_at=moment, by=by, text="learns anew from here on"))
            replay(session, point, self.limits)

    def add_note(self, machine: str, name: str, moment: float, by: str, text: str) -> int:
        """Keep what a person says of a point; return the note's number. Raises UnknownError."""
        with Session(self.engine) as session, session.begin():
            note = Note(point_id=find_point(session, machine, name).id, written_at=moment, by=by, text=text)
            session.add(note)
            session.flush()
            return note.id

    def acknowledge(self, machine: str, name: str, number: int, moment: float, by: str, note: str | None) -> Alarm:
        """Take down who has seen an alarm; the first one stays. Raises UnknownError."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            point = find_point(session, machine, name, writing=True)
            alarm = session.get(Alarm, number)
            if alarm is None or alarm.point_id != point.id:
                raise UnknownError(f"point {name} of machine {machine} has no alarm {number}")
            if alarm.acknowledged_by is None:
                alarm.acknowledged_by, alarm.acknowledged_at, alarm.note = by, moment, note
            return alarm

    def list_alarms(self, machine: str, name: str) -> list[Alarm]:
        """Return a point's alarms, the newest first. Raises UnknownError."""
        with Session(for_reading(self.engine), expire_on_commit=False) as session:
            point = find_point(session, machine, name)
            return list(session.scalars(alarms_of(point).order_by(None).order_by(Alarm.raised_at.desc())))

    def list_points(self, level: str = "", part_of_name: str = "", offset: int = 0, limit: int = 100) -> list[Point]:
        """Return points, the worst level first and the longest standing before others, by level and part of a name."""
        order = case({name: place for place, name in enumerate(WORST_FIRST)}, value=Point.level)
        query = select(Point).order_by(order, Point.since, Point.machine, Point.name).offset(offset).limit(limit)
        if level:
            query = query.where(Point.level == level)
        if part_of_name:
            query = query.where(Point.machine.contains(part_of_name, autoescape=True))
        with Session(for_reading(self.engine), expire_on_commit=False) as session:
            return list(session.scalars(query))

    def read_trend(
        self, machine: str, name: str, points: int, begin: float | None = None, end: float | None = None
    ) -> list[dict[str, Any]]:
        """Return RMS and severity from begin to end (unix seconds) in so many stretches, lowest and highest of each.

        No extreme is lost; a stretch without recordings is left out. Raises UnknownError.
        """
        with Session(for_reading(self.engine)) as session:
            point = find_point(session, machine, name)
            extent = select(func.min(Record.taken_at), func.max(Record.taken_at)).where(Record.point_id == point.id)
            first, last = session.execute(extent).one()
            if first is None:
                return []
            begin, end = first if begin is None else begin, last + 1 if end is None else end
            stretch = func.floor((Record.taken_at - begin) / max((end - begin) / points, 1e-9))
            query = (
                select(
                    func.min(Record.taken_at).label("begin"),
                    func.max(Record.taken_at).label("end"),
                    func.count().label("recordings"),
                    func.min(Record.rms).label("rms_low"),
                    func.max(Record.rms).label("rms_high"),
                    func.min(Record.severity).label("severity_low"),
                    func.max(Record.severity).label("severity_high"),
                )
                .where(Record.point_id == point.id, Record.taken_at >= begin, Record.taken_at < end)
                .group_by(stretch)
                .order_by(stretch)
            )
            return [dict(row._mapping) for row in session.execute(query)]


def one_point(machine: str, name: str) -> Select[tuple[Point]]:
    return select(Point).where(Point.machine == machine, Point.name == name)


def find_point(session: Session, machine: str, name: str, writing: bool = False) -> Point:
    """Return a point, locked against other writers where it is to change. Raises UnknownError."""
    query = one_point(machine, name)
    if point := session.scalar(query.with_for_update() if writing else query):
        return point
    raise UnknownError(f"machine {machine} has no point {name}")
