"""What is read of the store: points, recordings, trends, waterfalls, alarms, notes and the history."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from api.machine.chunks import CHUNK, PARTS
from api.machine.database import for_reading
from api.machine.state import alarms_of, find_orders
from api.machine.store import Store, UnknownError, find_point, find_recording
from api.machine.tables import LEVELS, Alarm, Change, Chunk, Note, Point, Record
from model.machine.combs import ORDERS
from model.machine.snapshot import read_watch

MOST_CHANGES = 1_000
FEW = 4_000  # recordings; so many are read one by one whatever the number of stretches
OF_CHUNKS = (Chunk.begin, Chunk.end, Chunk.recordings, Chunk.rms_low, Chunk.rms_high, Chunk.severity_low,
             Chunk.severity_high, *(getattr(Chunk, part) for part in PARTS))  # fmt: skip
OF_RECORDINGS = (Record.taken_at, Record.taken_at, literal(1), Record.rms, Record.rms, Record.severity,
                 Record.severity, *(getattr(Record, part) for part in PARTS))  # fmt: skip


def reading(store: Store) -> Session:
    return Session(for_reading(store.engine), expire_on_commit=False)


def read_point(store: Store, machine: str, name: str) -> Point:
    """Return a point. Raises UnknownError."""
    with reading(store) as session:
        return find_point(session, machine, name)


def read_watched(store: Store, machine: str, name: str) -> Point:
    """Return a point. Raises UnknownError, and RefusedError where no recording can be judged there."""
    point = read_point(store, machine, name)
    find_orders(point)
    return point


def list_points(
    store: Store, level: str = "", part_of_name: str = "", offset: int = 0, limit: int = 100
) -> tuple[list[Point], dict[str, int]]:
    """Return points, the worst first and the longest standing before others, and how many there are of each level.

    Both are of points whose machine's name holds a part; the points are of a level where one is given.
    """
    order = case({name: place for place, name in enumerate(LEVELS)}, value=Point.level)
    named = Point.machine.contains(part_of_name, autoescape=True)
    query = select(Point).where(named).order_by(order, Point.since, Point.machine, Point.name)
    query = query.where(Point.level == level) if level else query
    with reading(store) as session:
        counts = session.execute(select(Point.level, func.count()).where(named).group_by(Point.level))
        return list(session.scalars(query.offset(offset).limit(limit))), dict(counts.tuples().all())


def list_machine(store: Store, machine: str) -> list[Point]:
    """Return the points of a machine by name. Raises UnknownError where it has none."""
    with reading(store) as session:
        points = list(session.scalars(select(Point).where(Point.machine == machine).order_by(Point.name)))
    if not points:
        raise UnknownError(f"there is no machine {machine}")
    return points


def read_recording(store: Store, machine: str, name: str, number: int) -> Record:
    """Return a recording with its diagnosis. Raises UnknownError."""
    with reading(store) as session:
        record = find_recording(session, find_point(session, machine, name), number)
        session.refresh(record, ["diagnosis"])
        return record


def fetch_file(store: Store, machine: str, name: str, number: int) -> tuple[str, bytes]:
    """Return name and content of a recording's file. Raises UnknownError where none was kept."""
    kept = read_recording(store, machine, name, number).file
    if store.files is None or kept is None:
        raise UnknownError(f"no file of recording {number} was kept")
    try:
        return kept.rpartition("/")[2], store.files.read(kept)
    except OSError as error:
        raise UnknownError(f"no file of recording {number} is there any more") from error


def list_recordings(
    store: Store, machine: str, name: str, begin: float | None, end: float | None, limit: int
) -> list[Record]:  # fmt: skip
    """Return a point's recordings from begin until end, the newest first. Raises UnknownError."""
    with reading(store) as session:
        query = select(Record).where(Record.point_id == find_point(session, machine, name).id)
        query = query.where(Record.taken_at >= begin) if begin is not None else query
        query = query.where(Record.taken_at <= end) if end is not None else query
        return list(session.scalars(query.order_by(Record.taken_at.desc(), Record.sha256.desc()).limit(limit)))


def list_healthy(store: Store, point: Point, most: int) -> list[bytes]:
    """Return what the windows of a point's healthy recordings are like, of the first ones at most so many.

    They were learned, or came later and are normal: see api.recording.measured.
    """
    healthy = select(Record.healthy).where(
        Record.point_id == point.id, Record.healthy.is_not(None), Record.level.in_(("learning", "normal"))
    )
    healthy = healthy.where(Record.taken_at >= point.learned_from) if point.learned_from is not None else healthy
    with reading(store) as session:
        return list(session.scalars(healthy.order_by(Record.taken_at, Record.sha256).limit(most)))


def list_alarms(store: Store, machine: str, name: str) -> list[Alarm]:
    """Return a point's alarms, the newest first. Raises UnknownError."""
    with reading(store) as session:
        query = alarms_of(find_point(session, machine, name))
        return list(session.scalars(query.order_by(None).order_by(Alarm.raised_at.desc(), Alarm.id.desc())))


def list_notes(store: Store, machine: str, name: str) -> list[Note]:
    """Return a point's notes, the newest first. Raises UnknownError."""
    with reading(store) as session:
        query = select(Note).where(Note.point_id == find_point(session, machine, name).id)
        return list(session.scalars(query.order_by(Note.written_at.desc(), Note.id.desc())))


def list_changes(store: Store, machine: str, name: str) -> list[Change]:
    """Return what happened to a point's alarms, the newest first; it outlives the point."""
    query = select(Change).where(Change.machine == machine, Change.point == name)
    with reading(store) as session:
        return list(session.scalars(query.order_by(Change.id.desc()).limit(MOST_CHANGES)))


def read_trend(
    store: Store, machine: str, name: str, points: int, begin: float | None = None, end: float | None = None
) -> list[dict[str, Any]]:
    """Return lowest and highest RMS and severity, and each part's highest, in at most so many stretches of time.

    Recordings from begin up to end (unix seconds). No extreme is lost; a stretch without recordings is left out. Of
    very many recordings, stretches begin and end where their chunks do. Raises UnknownError.
    """
    with reading(store) as session:
        point = find_point(session, machine, name)
        count = session.scalar(within(select(func.sum(Chunk.recordings)), Chunk.begin, point, begin, end))
        columns = OF_CHUNKS if (count or 0) > max(FEW, CHUNK // 2 * points) else OF_RECORDINGS
        first, last, recordings, *others = columns
        low, high = session.execute(within(select(func.min(first), func.max(last)), first, point, begin, end)).one()
        if low is None:
            return []
        # So many stretches of one width; the newest recording lies at the end of the last one.
        place = func.floor((first - low) / max((high - low) / points, 1e-9))
        place = case((place >= points, points - 1), else_=place)
        largest = [func.max(each) for each in others[4:]]
        merged = (func.min(first), func.max(last), func.sum(recordings), func.min(others[0]), func.max(others[1]),
                  func.min(others[2]), func.max(others[3]), *largest)  # fmt: skip
        query = within(select(*merged), first, point, begin, end).group_by(place).order_by(func.min(first))
        return [describe_stretch(tuple(row)) for row in session.execute(query)]


def describe_stretch(row: tuple) -> dict[str, Any]:
    """Return a stretch by name; its row is in the order of OF_CHUNKS."""
    names = ("begin", "end", "recordings", "rms_low", "rms_high", "severity_low", "severity_high")
    return dict(zip(names, row, strict=False)) | {"parts": dict(zip(PARTS.values(), row[7:], strict=True))}


def within(query: Any, moment: Any, point: Point, begin: float | None, end: float | None) -> Any:
    """Return a query of a point's rows whose moment lies from begin up to end."""
    query = query.where(moment.class_.point_id == point.id)
    query = query.where(moment >= begin) if begin is not None else query
    return query.where(moment <= end) if end is not None else query


def read_combs(
    store: Store, machine: str, name: str, columns: int, begin: float | None = None, end: float | None = None
) -> tuple[list[float], list[bytes], np.ndarray]:
    """Return moments and indicators of at most so many recordings, spread evenly, and the combs of the healthy past.

    Raises UnknownError.
    """
    with reading(store) as session:
        point = find_point(session, machine, name)
        numbers = list(session.scalars(within(select(Chunk.first_id), Chunk.begin, point, begin, end).order_by(
            Chunk.begin)))  # fmt: skip
        if len(numbers) < columns:
            query = within(select(Record.id), Record.taken_at, point, begin, end)
            numbers = list(session.scalars(query.order_by(Record.taken_at)))
        chosen = [numbers[place] for place in spread(len(numbers), columns)]
        query = select(Record.taken_at, Record.indicators).where(Record.id.in_(chosen)).order_by(Record.taken_at)
        rows = session.execute(query).all()
        watch = read_watch(point.watch, None, store.limits) if point.watch else None
        healthy = watch.past.combs.mean if watch and watch.learned else np.zeros(len(ORDERS))
        return [row.taken_at for row in rows], [row.indicators for row in rows], healthy


def spread(count: int, most: int) -> Sequence[int]:
    """Return at most so many places among a count, evenly."""
    return range(count) if count <= most else np.linspace(0, count - 1, most).round().astype(int).tolist()
