"""The tables of the store: machines, their points, what was recorded there, and what was said of it.

Moments are seconds since 1970 in UTC, as in model.machine.watch: both databases keep them exactly.
"""

import zlib

from sqlalchemy import Dialect, Float, ForeignKey, Index, LargeBinary, String, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAME = String(64)
LEVELS = ("alarm", "warning", "sensor", "notice", "learning", "normal")  # the worst first


class Packed(TypeDecorator[str]):
    """Text that is stored compressed: a diagnosis takes a quarter of its JSON."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, _: Dialect) -> bytes | None:
        return None if value is None else zlib.compress(value.encode())

    def process_result_value(self, value: bytes | None, _: Dialect) -> str | None:
        return None if value is None else zlib.decompress(value).decode()


class Base(DeclarativeBase):
    pass


class Point(Base):
    """One sensor of a machine, with its bearing, and the state of its watch after its newest recording."""

    __tablename__ = "points"
    __table_args__ = (UniqueConstraint("machine", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    machine: Mapped[str] = mapped_column(NAME)
    name: Mapped[str] = mapped_column(NAME)
    bearing: Mapped[str] = mapped_column(String(500))
    sampling_rate: Mapped[float | None]
    rpm: Mapped[float | None]
    channel: Mapped[str] = mapped_column(String(200), default="")
    unit: Mapped[str] = mapped_column(String(8), default="")
    learned_from: Mapped[float | None] = mapped_column(Float)  # recordings before it say nothing of the present machine
    learned_until: Mapped[float | None] = mapped_column(Float)  # None: the first recordings are the past
    level: Mapped[str] = mapped_column(String(16), default="learning")
    since: Mapped[float | None]
    reason: Mapped[str] = mapped_column(default="")
    severity: Mapped[float] = mapped_column(default=0.0)
    last_taken_at: Mapped[float | None]
    watch: Mapped[bytes | None] = mapped_column(LargeBinary)  # as model.machine.snapshot writes it
    recent: Mapped[bytes] = mapped_column(LargeBinary, default=b"")  # the last severities, float16
    thinned_until: Mapped[float | None] = mapped_column(Float)  # up to here a replay would miss recordings
    thinned_watch: Mapped[bytes | None] = mapped_column(LargeBinary)  # as it was then
    thinned_level: Mapped[str | None] = mapped_column(String(16))


class Record(Base):
    """A recording's indicators, and the state of its point after it, whose parts are columns."""

    __tablename__ = "recordings"
    __table_args__ = (
        UniqueConstraint("point_id", "taken_at", "sha256"),  # in this order a replay reads them
        Index("recordings_trend", "point_id", "taken_at", "rms", "severity"),  # a trend reads no indicators
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("points.id", ondelete="CASCADE"))
    taken_at: Mapped[float]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the file
    indicators: Mapped[bytes] = mapped_column(LargeBinary)
    rms: Mapped[float]
    level: Mapped[str] = mapped_column(String(16), default="learning")
    severity: Mapped[float] = mapped_column(default=0.0)
    outer_race: Mapped[float] = mapped_column(default=0.0)
    inner_race: Mapped[float] = mapped_column(default=0.0)
    ball: Mapped[float] = mapped_column(default=0.0)
    other_lines: Mapped[float] = mapped_column(default=0.0)
    impacts: Mapped[float] = mapped_column(default=0.0)
    loudness: Mapped[float] = mapped_column(default=0.0)
    prediction: Mapped[str | None] = mapped_column(String(16))
    diagnosis: Mapped[str | None] = mapped_column(Packed, deferred=True)  # JSON
    healthy: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)  # as api.recording.past writes it
    file: Mapped[str | None] = mapped_column(String(300))  # its name below KEEP_RECORDINGS


class Chunk(Base):
    """So many recordings of a point that follow each other, in one row: a trend of years reads these."""

    __tablename__ = "chunks"
    __table_args__ = (Index("chunks_trend", "point_id", "begin"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("points.id", ondelete="CASCADE"))
    first_id: Mapped[int]  # of its recordings
    begin: Mapped[float]
    end: Mapped[float]
    recordings: Mapped[int]
    rms_low: Mapped[float]
    rms_high: Mapped[float]
    severity_low: Mapped[float]
    severity_high: Mapped[float]
    outer_race: Mapped[float]  # the largest of each part
    inner_race: Mapped[float]
    ball: Mapped[float]
    other_lines: Mapped[float]
    impacts: Mapped[float]
    loudness: Mapped[float]


class Alarm(Base):
    """A stretch of time in which a point was at "warning", "alarm" or "sensor"; it is acknowledged by a person."""

    __tablename__ = "alarms"
    __table_args__ = (UniqueConstraint("point_id", "raised_at", "level"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("points.id", ondelete="CASCADE"))
    level: Mapped[str] = mapped_column(String(16))
    since: Mapped[float]
    raised_at: Mapped[float]  # of the recording that raised it
    cleared_at: Mapped[float | None]
    reason: Mapped[str]
    acknowledged_by: Mapped[str | None] = mapped_column(String(200))
    acknowledged_at: Mapped[float | None]
    note: Mapped[str | None]


class Note(Base):
    """What a person wrote of a point, or that it was to learn anew."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("points.id", ondelete="CASCADE"), index=True)
    written_at: Mapped[float]
    by: Mapped[str] = mapped_column(String(200))
    text: Mapped[str]


class Change(Base):
    """What happened to a point's alarms, in the order of writing: rows are added, never changed, and outlive the point.

    kind is "raised", "cleared", "acknowledged", "learned anew", or "withdrawn": a recording that came late or was
    deleted took the alarm away.
    """

    __tablename__ = "changes"
    __table_args__ = (Index("changes_point", "machine", "point", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    machine: Mapped[str] = mapped_column(NAME)
    point: Mapped[str] = mapped_column(NAME)
    written_at: Mapped[float]
    kind: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(16), default="")
    since: Mapped[float | None]
    taken_at: Mapped[float | None]  # of the recording that raised or cleared it
    reason: Mapped[str] = mapped_column(default="")
    by: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None]


class Delivery(Base):
    """The outbox: a change that a receiver has yet to be told, written in the transaction of the change."""

    __tablename__ = "deliveries"

    change_id: Mapped[int] = mapped_column(ForeignKey("changes.id"), primary_key=True)
    receiver: Mapped[str] = mapped_column(String(16), primary_key=True)  # "webhook" or "mqtt"
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[float] = mapped_column(default=0.0, index=True)
    error: Mapped[str] = mapped_column(default="")  # what the receiver answered last
