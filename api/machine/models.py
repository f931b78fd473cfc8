"""The forms of what is asked and answered about machines."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from api.machine.chunks import PARTS
from api.machine.state import RefusedError, find_orders
from api.machine.tables import Alarm, Change, Note, Point, Record
from api.recording.fields import Rate, Speed, parse_bearing
from model.bearings import DEFAULT_BEARING
from model.machine.indicators import Indicators
from model.machine.thresholds import Persistence

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="letters, digits, dot, line and underscore")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="as a list gives it; it fits the column of the store")]
Level = Literal["learning", "normal", "notice", "warning", "alarm", "sensor"]
Person = Annotated[str, Field(min_length=1, max_length=200, examples=["early shift"])]


def read_moment(value: object) -> datetime:
    """Return the moment of an ISO 8601 text with a zone. Raises ValueError in words."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{str(value)[:80]!r} came, expected a moment with a zone, as 2026-01-31T12:00:00+00:00")
    return moment


Moment = Annotated[datetime, BeforeValidator(read_moment)]


def check_bearing(value: str) -> str:
    parse_bearing(value)
    return value.strip()


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PointFields(Strict):
    """A point: a sensor with its bearing, and what holds where neither form nor file say otherwise."""

    bearing: Annotated[str, AfterValidator(check_bearing)] = Field(
        max_length=500, description="designation or geometry, as for a diagnosis", examples=[DEFAULT_BEARING]
    )
    sampling_rate: Rate = Field(None, description="Hz", examples=[12000])
    rpm: Speed = Field(None, description="turns a minute", examples=[1750])
    channel: str = Field("", max_length=200)
    unit: Literal["", "g", "m/s2", "mm/s"] = Field("", description="of the signal", examples=["g"])


class StateAnswer(BaseModel):
    level: Level
    since: datetime | None = Field(description="taken_at of the recording that first spoke for it")
    reason: str = Field(description="what changed, in words with figures; empty where nothing did")
    severity: float = Field(description="1 is a warning's")


class PointAnswer(PointFields):
    bearing: str = Field(description="as it was given; no table may have it any more")  # so it is not checked
    machine: str
    point: str
    state: StateAnswer
    last_recording: datetime | None
    learned_from: datetime | None
    learned_until: datetime | None
    recent: list[float] = Field(description="severities of the last recordings, the newest at the end")


class PointDetail(PointAnswer):
    """A point with what a plot of it needs."""

    orders: dict[str, float] = Field(
        description="of its bearing's faults, multiples of the shaft rate; empty where its geometry is not known"
    )
    thresholds: dict[str, float] = Field(description="severities from which levels are raised")


class RecordLine(BaseModel):
    """A recording in a list."""

    id: int
    taken_at: datetime
    level: Level = Field(description="of the point after it")
    severity: float
    rms: float
    prediction: str | None = Field(description="of its diagnosis")


class RecordAnswer(RecordLine):
    """A recording as it was stored."""

    parts: dict[str, float] = Field(
        description="growth of each family of lines, of impacts and level; 1 is a warning's"
    )
    indicators: dict[str, Any]
    diagnosis: dict[str, Any] | None
    has_file: bool = Field(description="whether its file was kept")


class StoredAnswer(BaseModel):
    """A recording as it was stored, and the state of its point after it."""

    id: int
    taken_at: datetime
    state: StateAnswer
    indicators: dict[str, Any]
    diagnosis: dict[str, Any] | None
    why_no_diagnosis: str = ""
    warnings: list[str] = []


class AlarmAnswer(BaseModel):
    id: int
    level: Level
    since: datetime
    raised_at: datetime
    cleared_at: datetime | None
    reason: str
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    note: str | None


class Acknowledgement(Strict):
    by: Person
    note: str | None = Field(None, max_length=2_000)


class NoteFields(Strict):
    by: Person
    text: str = Field(min_length=1, max_length=2_000, examples=["grease renewed"])
    at: Moment | None = Field(None, description="of what it speaks, now unless given")


class NoteAnswer(BaseModel):
    id: int
    written_at: datetime
    by: str
    text: str


class ChangeAnswer(BaseModel):
    """What happened to an alarm of a point."""

    id: int
    machine: str
    point: str
    written_at: datetime
    kind: Literal["raised", "cleared", "acknowledged", "withdrawn", "learned anew"]
    level: Level | Literal[""]
    since: datetime | None
    taken_at: datetime | None = Field(description="of the recording that raised or cleared it")
    reason: str
    by: str | None
    note: str | None


class AnewFields(Strict):
    """After a repair: the past begins anew."""

    by: Person = "unknown"
    from_: Moment | None = Field(None, alias="from", description="now unless given")
    until: Moment | None = Field(
        None, description="all recordings until then are learned from, but no fewer than the first ones otherwise"
    )


class TrendAnswer(BaseModel):
    begin: datetime
    end: datetime
    recordings: int
    rms_low: float
    rms_high: float
    severity_low: float
    severity_high: float
    parts: dict[str, float] = Field(description="the largest of each; 1 is a warning's")


class WaterfallAnswer(BaseModel):
    """Combs of lines over time; a height is (byte - zero) step, natural logarithm over its surroundings."""

    taken_at: list[datetime]
    orders: list[float] = Field(description="multiples of the shaft rate")
    healthy: list[float] = Field(description="heights in the point's healthy past; 0 while it is being learned")
    step: float
    zero: int
    heights: str = Field(description="base64: a byte an order, the orders of one recording after the other's")


def to_moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def to_seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def describe_state(point: Point) -> StateAnswer:
    return StateAnswer(
        level=point.level, since=to_moment(point.since), reason=point.reason, severity=round(point.severity, 4)
    )


def describe_point(point: Point) -> PointAnswer:
    return PointAnswer(
        **{name: getattr(point, name) for name in PointFields.model_fields},
        machine=point.machine,
        point=point.name,
        state=describe_state(point),
        last_recording=to_moment(point.last_taken_at),
        learned_from=to_moment(point.learned_from),
        learned_until=to_moment(point.learned_until),
        recent=[round(float(each), 3) for each in np.frombuffer(point.recent, "<f2")],
    )


def describe_detail(point: Point, limits: Persistence) -> PointDetail:
    try:
        orders = find_orders(point)
    except RefusedError:
        orders = None
    return PointDetail(
        **describe_point(point).model_dump(),
        orders=orders._asdict() if orders else {},
        thresholds={"notice": limits.notice, "warning": limits.warning, "alarm": limits.alarm},
    )


def describe_line(record: Record) -> RecordLine:
    plain = {name: getattr(record, name) for name in ("id", "level", "severity", "rms", "prediction")}
    return RecordLine(taken_at=to_moment(record.taken_at), **plain)


def describe_recording(record: Record) -> RecordAnswer:
    return RecordAnswer(
        **describe_line(record).model_dump(),
        parts={known: getattr(record, name) for name, known in PARTS.items()},
        indicators=Indicators.from_bytes(record.indicators).to_dict(),
        diagnosis=json.loads(record.diagnosis) if record.diagnosis else None,
        has_file=record.file is not None,
    )


def describe_alarm(alarm: Alarm) -> AlarmAnswer:
    moments = {
        name: to_moment(getattr(alarm, name)) for name in ("since", "raised_at", "cleared_at", "acknowledged_at")
    }
    plain = {name: getattr(alarm, name) for name in ("id", "level", "reason", "acknowledged_by", "note")}
    return AlarmAnswer(**plain, **moments)


def describe_note(note: Note) -> NoteAnswer:
    return NoteAnswer(id=note.id, written_at=to_moment(note.written_at), by=note.by, text=note.text)


def describe_change(change: Change) -> ChangeAnswer:
    moments = {name: to_moment(getattr(change, name)) for name in ("written_at", "since", "taken_at")}
    return ChangeAnswer(
        **{name: getattr(change, name) for name in ("id", "machine", "point", "kind", "level", "reason", "by", "note")},
        **moments,
    )
