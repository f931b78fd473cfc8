"""`/machines/`: alarms, what people say of them, and their history."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request

from api.machine import PREFIX
from api.machine.asking import BODY, COMMON, ONE, UNKNOWN, ask
from api.machine.models import (
    Acknowledgement,
    AlarmAnswer,
    AnewFields,
    ChangeAnswer,
    Name,
    NoteAnswer,
    NoteFields,
    Number,
    PointAnswer,
    describe_alarm,
    describe_change,
    describe_note,
    describe_point,
    to_seconds,
)
from api.machine.reading import list_alarms, list_changes, list_notes
from api.machine.store import Store
from api.recording.pool import refuse

router = APIRouter(prefix=PREFIX.rstrip("/"), responses=COMMON)


@router.get(ONE + "/alarms", responses=UNKNOWN)
async def tell_alarms(request: Request, machine: Name, point: Name) -> list[AlarmAnswer]:
    """List a point's alarms, the newest first."""
    return [describe_alarm(each) for each in await ask(request, list_alarms, machine, point)]


@router.post(ONE + "/alarms/{number}/acknowledge", responses=UNKNOWN | BODY)
async def acknowledge(
    request: Request, machine: Name, point: Name, number: Number, fields: Acknowledgement
) -> AlarmAnswer:  # fmt: skip
    """Take down who has seen an alarm."""
    said = number, now(), fields.by, fields.note
    return describe_alarm(await ask(request, Store.acknowledge, machine, point, *said))


@router.get(ONE + "/changes")
async def tell_changes(request: Request, machine: Name, point: Name) -> list[ChangeAnswer]:
    """Tell what happened to a point's alarms, the newest first; it is never changed and outlives the point."""
    return [describe_change(each) for each in await ask(request, list_changes, machine, point)]


@router.post(ONE + "/baseline", responses=UNKNOWN | BODY)
async def learn_anew(request: Request, machine: Name, point: Name, fields: AnewFields) -> PointAnswer:
    """Learn anew, as after a repair: from a moment on, from the first recordings or from all until another moment."""
    begin, end, moment = to_seconds(fields.from_), to_seconds(fields.until), now()
    begin = moment if begin is None else begin
    if end is not None and end < begin:
        raise refuse("until", f"{fields.until.isoformat()} came, expected a moment after that of from")
    return describe_point(await ask(request, Store.learn_anew, machine, point, begin, end, moment, fields.by))


@router.post(ONE + "/notes", status_code=201, responses=UNKNOWN | BODY)
async def add_note(request: Request, machine: Name, point: Name, fields: NoteFields) -> NoteAnswer:
    """Keep what a person says of a point."""
    moment = now() if fields.at is None else to_seconds(fields.at)
    return describe_note(await ask(request, Store.add_note, machine, point, moment, fields.by, fields.text))


@router.get(ONE + "/notes", responses=UNKNOWN)
async def tell_notes(request: Request, machine: Name, point: Name) -> list[NoteAnswer]:
    """List a point's notes, the newest first."""
    return [describe_note(each) for each in await ask(request, list_notes, machine, point)]


def now() -> float:
    return datetime.now(UTC).timestamp()
