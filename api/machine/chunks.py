"""Chunks: what so many recordings in a row reached, so that a trend of years need not read each of them."""

from sqlalchemy import case, delete, func, insert, literal, select
from sqlalchemy.orm import Session

from api.machine.tables import Chunk, Point, Record

CHUNK = 16  # recordings
PARTS = {  # column and name in model.machine.watch.State
    "outer_race": "OuterRace",
    "inner_race": "InnerRace",
    "ball": "Ball",
    "other_lines": "other lines",
    "impacts": "impacts",
    "loudness": "level",
}


def extend_chunks(session: Session, record: Record) -> None:
    """Add a point's newest recording to its last chunk, or begin another."""
    newest = select(Chunk).where(Chunk.point_id == record.point_id).order_by(Chunk.begin.desc(), Chunk.id.desc())
    chunk = session.scalar(newest.limit(1))
    if chunk is None or chunk.recordings >= CHUNK:
        chunk = Chunk(point_id=record.point_id, first_id=record.id, begin=record.taken_at, recordings=0,
                      rms_low=record.rms, rms_high=record.rms, severity_low=record.severity,
                      severity_high=record.severity, **{name: getattr(record, name) for name in PARTS})  # fmt: skip
        session.add(chunk)
    chunk.end, chunk.recordings = record.taken_at, chunk.recordings + 1
    chunk.rms_low, chunk.rms_high = min(chunk.rms_low, record.rms), max(chunk.rms_high, record.rms)
    chunk.severity_low = min(chunk.severity_low, record.severity)
    chunk.severity_high = max(chunk.severity_high, record.severity)
    for name in PARTS:
        setattr(chunk, name, max(getattr(chunk, name), getattr(record, name)))


def rebuild_chunks(session: Session, point: Point) -> None:
    """Make a point's chunks anew, as extend_chunks would have from the recordings in the order of their moments."""
    session.execute(delete(Chunk).where(Chunk.point_id == point.id))
    place = func.row_number().over(order_by=(Record.taken_at, Record.sha256)) - 1
    columns = (Record.id, Record.taken_at, Record.rms, Record.severity, *(getattr(Record, name) for name in PARTS))
    placed = select(*columns, place.label("place")).where(Record.point_id == point.id).subquery()
    row = placed.c
    # PostgreSQL divides whole numbers to whole numbers, SQLAlchemy's `//` says so to both.
    made = {
        "point_id": literal(point.id),
        "first_id": func.min(case((row.place % CHUNK == 0, row.id))),
        "begin": func.min(row.taken_at),
        "end": func.max(row.taken_at),
        "recordings": func.count(),
        "rms_low": func.min(row.rms),
        "rms_high": func.max(row.rms),
        "severity_low": func.min(row.severity),
        "severity_high": func.max(row.severity),
    } | {name: func.max(row[name]) for name in PARTS}
    session.execute(insert(Chunk).from_select(list(made), select(*made.values()).group_by(row.place // CHUNK)))
