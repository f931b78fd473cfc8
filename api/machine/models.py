"""The forms of what is asked and answered about machines."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from api.machine.tables import Alarm, Point
from api.recording.fields import Rate, Speed, parse_bearing
from model.bearings import DEFAULT_BEARING

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="letters, digits, dot, line and underscore")]
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
    machine: str
    point: str
    state: StateAnswer
    last_recording: datetime | None


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


class AnewFields(Strict):
    """After a repair: the past begins anew."""

    by: Person = "unknown"
    from_: Moment | None = Field(None, alias="from", description="now unless given")


class TrendAnswer(BaseModel):
    begin: datetime
    end: datetime
    recordings: int
    rms_low: float
    rms_high: float
    severity_low: float
    severity_high: float


def to_moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


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
    )


def describe_alarm(alarm: Alarm) -> AlarmAnswer:
    moments = {
        name: to_moment(getattr(alarm, name)) for name in ("since", "raised_at", "cleared_at", "acknowledged_at")
    }
    plain = {name: getattr(alarm, name) for name in ("id", "level", "reason", "acknowledged_by", "note")}
    return AlarmAnswer(**plain, **moments)
