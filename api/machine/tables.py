"""The tables of the store: machines, their points, what was recorded there, and what was said of it.

Moments are seconds since 1970 in UTC, as in model.machine.watch: both databases keep them exactly.
"""

from sqlalchemy import Float, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAME = String(64)


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
    level: Mapped[str] = mapped_column(String(16), default="learning")
    since: Mapped[float | None]
    reason: Mapped[str] = mapped_column(default="")
    severity: Mapped[float] = mapped_column(default=0.0)
    last_taken_at: Mapped[float | None]
    watch: Mapped[bytes | None] = mapped_column(LargeBinary)  # as model.machine.snapshot writes it


class Record(Base):
    """A recording's indicators, and the state of its point after it."""

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
    parts: Mapped[str] = mapped_column(default="{}")  # JSON
    diagnosis: Mapped[str | None]  # JSON


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
