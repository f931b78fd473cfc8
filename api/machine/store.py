"""What is written to the store; one transaction a call."""

import logging
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, Select, delete, select, update
from sqlalchemy.orm import Session, undefer

from api.machine.database import for_reading
from api.machine.keeping import Files, name_folder, thin
from api.machine.metrics import MachineMetrics
from api.machine.notify.changes import RECEIVERS, write_change
from api.machine.state import RefusedError, advance, replay
from api.machine.tables import Alarm, Note, Point, Record
from model.machine.indicators import Indicators
from model.machine.thresholds import Thresholds

SAME_RATE = 0.05  # share by which a recording's rate may differ from its point's
log = logging.getLogger("uvicorn.error")


class UnknownError(LookupError):
    """No machine, point, recording or alarm of this name or number; the message says which."""


@dataclass(frozen=True)
class Taken:
    """A recording as it is stored: when it was taken (unix seconds), of which bytes, and what was measured.

    healthy: what its windows are like, where it may become part of the point's healthy past. file: the raw file's name.
    """

    taken_at: float
    sha256: bytes
    indicators: Indicators
    prediction: str | None = None
    diagnosis: str | None = None  # JSON
    healthy: bytes | None = None
    file: str | None = None


@dataclass
class Store:
    """The store of machines behind an engine; its watches have these thresholds, its outbox these receivers.

    files: where raw files are kept, if anywhere. keep_days: beyond, the worst recording of each day is kept.
    """

    engine: Engine
    limits: Thresholds
    receivers: tuple[str, ...] = ()
    files: Files | None = None
    keep_days: int | None = None
    metrics: MachineMetrics | None = None

    def session(self) -> Session:
        return Session(self.engine, expire_on_commit=False, info={RECEIVERS: self.receivers})

    def put_point(self, machine: str, name: str, **settings: Any) -> tuple[Point, bool]:
        """Create or change a point; return it and whether it is new.

        A changed bearing has all its past judged anew, and the healthy past of diagnoses begins anew: it holds lines
        of the bearing before.
        """
        with self.session() as session, session.begin():
            point = session.scalar(one_point(machine, name).with_for_update())
            if point is None:
                point = Point(machine=machine, name=name, **settings)
                session.add(point)
                session.flush()
                return point, True
            moved = point.bearing != settings["bearing"]
            for field, value in settings.items():
                setattr(point, field, value)
            if moved:
                session.execute(update(Record).where(Record.point_id == point.id).values(healthy=None))
                self.replay(session, point, anew=True)
            return point, False

    def add_recording(self, machine: str, name: str, taken: Taken) -> tuple[Record, Point, bool]:
        """Store a recording and bring its point's state up to it; return both, and whether it is new.

        The same bytes of the same moment are stored once; a file is named where none was. A point's first recording
        says its sampling rate where nobody did. Raises UnknownError and RefusedError.
        """
        with self.session() as session, session.begin():
            point = find_point(session, machine, name, writing=True)
            if known := session.scalar(same_recording(point, taken)):
                known.file = known.file or taken.file
                return known, point, False
            check_rate(point, taken.indicators.sampling_rate)
            check_moment(point, taken.taken_at)
            record = Record(
                point_id=point.id,
                taken_at=taken.taken_at,
                sha256=taken.sha256,
                indicators=taken.indicators.to_bytes(),
                rms=taken.indicators.rms,
                prediction=taken.prediction,
                diagnosis=taken.diagnosis,
                healthy=taken.healthy,
                file=taken.file,
            )
            session.add(record)
            session.flush()
            if not advance(session, point, record, self.limits):
                self.replay(session, point)
        if self.metrics:
            self.metrics.recordings.inc()
        return record, point, True

    def replay(self, session: Session, point: Point, anew: bool = False) -> None:
        start = perf_counter()
        replay(session, point, self.limits, anew)
        if self.metrics:
            self.metrics.replays.observe(perf_counter() - start)

    def delete_recording(self, machine: str, name: str, number: int) -> None:
        """Delete a recording and rebuild the states after it. Raises UnknownError."""
        with self.session() as session, session.begin():
            point = find_point(session, machine, name, writing=True)
            record = find_recording(session, point, number)
            gone = [record.file] if record.file else []
            session.delete(record)
            session.flush()
            self.replay(session, point)
        self.delete_files(gone)

    def delete_point(self, machine: str, name: str) -> None:
        """Delete a point with all that was recorded there. Raises UnknownError."""
        with self.session() as session, session.begin():
            session.delete(find_point(session, machine, name, writing=True))
        self.delete_files([name_folder(machine, name)])

    def delete_machine(self, machine: str) -> None:
        """Delete a machine with all its points. Raises UnknownError."""
        with self.session() as session, session.begin():
            if not session.execute(delete(Point).where(Point.machine == machine)).rowcount:
                raise UnknownError(f"there is no machine {machine}")
        self.delete_files([name_folder(machine)])

    def delete_files(self, names: list[str]) -> None:
        """Delete raw files once nothing names them any more; a kill before it leaves some that nobody misses."""
        if self.files:
            self.files.delete(names)

    def thin(self) -> int:
        """Thin what is older than keep_days, point by point; return how many points there are."""
        with Session(for_reading(self.engine)) as session:
            numbers = list(session.scalars(select(Point.id)))
        for number in numbers if self.keep_days else ():
            self.delete_files(self.thin_point(number))
        return len(numbers)

    def thin_point(self, number: int) -> list[str]:
        """Thin what is old of a point, if it is still there; return files that nothing names any more."""
        with self.session() as session, session.begin():
            point = session.scalar(select(Point).where(Point.id == number).with_for_update())
            try:
                return thin(session, point, self.keep_days, self.limits) if point else []
            except RefusedError as error:
                log.warning("point %s of machine %s is not thinned: %s", point.name, point.machine, error)
                return []

    def learn_anew(self, machine: str, name: str, begin: float, end: float | None, now: float, by: str) -> Point:
        """Let a point's past begin at a moment, as after a repair, and end at another, and write down who said so.

        Without an end the first recordings are the past. Raises UnknownError.
        """
        with self.session() as session, session.begin():
            point = find_point(session, machine, name, writing=True)
            anew = point.thinned_until is not None and begin <= point.thinned_until
            point.learned_from, point.learned_until = begin, end
            session.add(Note(point_id=point.id, written_at=now, by=by, text="learns anew"))
            write_change(session, point, "learned anew", taken_at=begin, by=by)
            self.replay(session, point, anew)
            return point

    def add_note(self, machine: str, name: str, moment: float, by: str, text: str) -> Note:
        """Keep what a person says of a point. Raises UnknownError."""
        with self.session() as session, session.begin():
            note = Note(point_id=find_point(session, machine, name).id, written_at=moment, by=by, text=text)
            session.add(note)
            return note

    def acknowledge(self, machine: str, name: str, number: int, moment: float, by: str, note: str | None) -> Alarm:
        """Take down who has seen an alarm; the first one stays. Raises UnknownError."""
        with self.session() as session, session.begin():
            point = find_point(session, machine, name, writing=True)
            alarm = session.get(Alarm, number)
            if alarm is None or alarm.point_id != point.id:
                raise UnknownError(f"point {name} of machine {machine} has no alarm {number}")
            if alarm.acknowledged_by is None:
                alarm.acknowledged_by, alarm.acknowledged_at, alarm.note = by, moment, note
                write_change(session, point, "acknowledged", alarm, alarm.raised_at, by, note)
            return alarm


def one_point(machine: str, name: str) -> Select[tuple[Point]]:
    return select(Point).where(Point.machine == machine, Point.name == name)


def find_point(session: Session, machine: str, name: str, writing: bool = False) -> Point:
    """Return a point, locked against other writers where it is to change. Raises UnknownError."""
    query = one_point(machine, name)
    if point := session.scalar(query.with_for_update() if writing else query):
        return point
    raise UnknownError(f"machine {machine} has no point {name}")


def find_recording(session: Session, point: Point, number: int) -> Record:
    """Return a point's recording. Raises UnknownError."""
    record = session.get(Record, number)
    if record is None or record.point_id != point.id:
        raise UnknownError(f"point {point.name} of machine {point.machine} has no recording {number}")
    return record


def same_recording(point: Point, taken: Taken) -> Select[tuple[Record]]:
    same = Record.point_id == point.id, Record.taken_at == taken.taken_at, Record.sha256 == taken.sha256
    return select(Record).where(*same).options(undefer(Record.diagnosis))


def check_rate(point: Point, came: float) -> None:
    """Raise RefusedError where a recording's rate is not its point's; a point without one takes it over."""
    if point.sampling_rate is None:
        point.sampling_rate = came
    if abs(came / point.sampling_rate - 1) > SAME_RATE:
        expected = f"{point.sampling_rate:,g} Hz"
        raise RefusedError("sampling_rate", f"the recording was sampled at {came:,g} Hz, its point at {expected}")


def check_moment(point: Point, taken_at: float) -> None:
    """Raise RefusedError where a recording lies in a time of which no replay is possible any more."""
    if point.thinned_until is not None and taken_at <= point.thinned_until:
        raise RefusedError("taken_at", "it lies in a time whose recordings were thinned: none is taken from then")
