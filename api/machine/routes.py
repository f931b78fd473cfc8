"""`/machines/`: points, their recordings, their states, trends and alarms."""

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.machine.models import (
    Acknowledgement,
    AlarmAnswer,
    AnewFields,
    Level,
    Moment,
    Name,
    NoteFields,
    PointAnswer,
    PointFields,
    StoredAnswer,
    TrendAnswer,
    describe_alarm,
    describe_point,
    describe_state,
    read_moment,
    to_moment,
)
from api.machine.store import Store, Taken, UnknownError
from api.machine.tables import Point, Record
from api.recording.form import read_request
from api.recording.models import MeasuredAnswer
from api.recording.pool import WorkerPool, refuse
from api.recording.protocol import PointHead
from api.recording.upload import BODY, NO_MODEL
from api.serving.errors import ErrorAnswer, InvalidAnswer
from model.machine.indicators import Indicators

PREFIX = "/machines/"
SAME_RATE = 0.05  # share by which a recording's rate may differ from its point's
ONE = "{machine}/points/{point}"
UNKNOWN = {404: {"model": ErrorAnswer, "description": "No such machine, point, recording or alarm"}}
TAKEN_AT = {"type": "string", "format": "date-time", "description": "when it was taken, with a zone; now unless given"}
ASK = {"type": "boolean", "default": True, "description": "false trends the recording and does not diagnose it"}

UNREADABLE = {"model": ErrorAnswer, "description": "The body cannot be read"}
INVALID = {"model": InvalidAnswer, "description": "What came, where, and what was expected"}
router = APIRouter(prefix=PREFIX.rstrip("/"), responses={400: UNREADABLE, 422: INVALID})


async def ask(request: Request, call: Callable[[Store], Any]) -> Any:
    """Return what a call of the store returns; it runs in a thread, since it waits for a disk."""
    store: Store | None = request.app.state.store
    if store is None:
        raise HTTPException(503, "the store of machines could not be opened; the service's log says why")
    try:
        return await run_in_threadpool(call, store)
    except UnknownError as error:
        raise HTTPException(404, str(error)) from error


@router.put("/" + ONE, response_model=PointAnswer, responses={201: {"model": PointAnswer, "description": "Created"}})
async def put_point(request: Request, response: Response, machine: Name, point: Name, fields: PointFields) -> Any:
    """Create a point of a machine, or change it."""
    if await ask(request, lambda store: store.put_point(machine, point, **fields.model_dump())):
        response.status_code = 201
    return describe_point(await ask(request, lambda store: store.read_point(machine, point)))


@router.get("/")
async def list_points(
    request: Request,
    level: Level | None = None,
    q: Annotated[str, Query(max_length=64, description="part of the machine's name")] = "",
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> list[PointAnswer]:
    """List points, the worst first."""
    return [describe_point(each) for each in await ask(request, lambda store: store.list_points(
        level or "", q, offset, limit))]  # fmt: skip


@router.delete("/{machine}", status_code=204, responses=UNKNOWN)
async def delete_machine(request: Request, machine: Name) -> None:
    """Delete a machine with all that was recorded there."""
    await ask(request, lambda store: store.delete_machine(machine))


@router.get("/" + ONE, responses=UNKNOWN)
async def read_point(request: Request, machine: Name, point: Name) -> PointAnswer:
    """Tell a point and its state."""
    return describe_point(await ask(request, lambda store: store.read_point(machine, point)))


@router.delete("/" + ONE, status_code=204, responses=UNKNOWN)
async def delete_point(request: Request, machine: Name, point: Name) -> None:
    """Delete a point with all that was recorded there."""
    await ask(request, lambda store: store.delete_point(machine, point))


def document_upload() -> dict[str, Any]:
    """Return the form of a recording: that of a diagnosis without a baseline, and with its moment."""
    form = BODY["content"]["multipart/form-data"]["schema"]
    left_out = ("baseline", "bearing", "series", "baseline_sampling_rate", "baseline_rpm")
    fields = {name: field for name, field in form["properties"].items() if name not in left_out}
    schema = form | {"properties": fields | {"taken_at": TAKEN_AT, "diagnose": ASK}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@router.post(
    "/" + ONE + "/recordings",
    status_code=201,
    response_model=StoredAnswer,
    openapi_extra=document_upload(),
    responses=UNKNOWN
    | {
        200: {"model": StoredAnswer, "description": "The same file and moment were stored before"},
        413: {"model": ErrorAnswer, "description": "Larger than is allowed"},
        503: {"model": ErrorAnswer, "description": "Too many recordings at once; Retry-After says when to try again"},
    },
)
async def add_recording(request: Request, machine: Name, point: Name) -> Response:
    """Store what is measured of a recording, and tell the state of its point after it."""
    workers: WorkerPool | None = request.app.state.recording_workers
    if workers is None:
        raise HTTPException(503, NO_MODEL)
    known: Point = await ask(request, lambda store: store.read_point(machine, point))
    try:
        fields, files, own = await read_request(request, own=("taken_at", "diagnose"))
    except ClientDisconnect as error:
        raise HTTPException(400, "the upload broke off") from error
    if "bearing" in fields.model_fields_set or len(files) > 1:
        raise refuse(
            "bearing", f"the point's bearing is {known.bearing}, and its own past is its baseline: give neither"
        )
    taken_at, wanted = read_taken_at(own.get("taken_at")), own.get("diagnose", "true").lower() != "false"
    fields = fields.model_copy(update={"bearing": known.bearing, "channel": fields.channel or known.channel})
    head = PointHead(unit=known.unit, sampling_rate=known.sampling_rate, rpm=known.rpm, diagnose=wanted)
    found = await workers.diagnose(fields, files, head)
    if found.status != 200:
        return Response(found.body, found.status, media_type="application/json")
    measured = MeasuredAnswer.model_validate_json(found.body)
    indicators = Indicators.from_bytes(b64decode(measured.kept))
    check_rate(indicators.sampling_rate, known.sampling_rate)
    diagnosis = measured.diagnosis.model_dump_json(exclude_unset=True) if measured.diagnosis else None
    taken = Taken(taken_at, sha256(files[0][1]).digest(), indicators, diagnosis)
    record, now, is_new = await ask(request, lambda store: store.add_recording(machine, point, taken))
    return JSONResponse(describe_record(record, now, measured).model_dump(mode="json"), 201 if is_new else 200)


def describe_record(record: Record, point: Point, measured: MeasuredAnswer) -> StoredAnswer:
    return StoredAnswer(
        id=record.id,
        taken_at=to_moment(record.taken_at),
        state=describe_state(point),
        indicators=Indicators.from_bytes(record.indicators).to_dict(),
        diagnosis=json.loads(record.diagnosis) if record.diagnosis else None,
        why_no_diagnosis=measured.why_none,
        warnings=measured.warnings,
    )


def read_taken_at(text: str | None) -> float:
    """Return unix seconds of an ISO 8601 text, now for none. Raises RequestValidationError."""
    now = datetime.now(UTC)
    try:
        moment = read_moment(text) if text else now
    except ValueError as error:
        raise refuse("taken_at", str(error)) from error
    if moment > now:
        raise refuse("taken_at", f"{text[:80]!r} lies in the future, it is {now.isoformat(timespec='seconds')}")
    return moment.timestamp()


def check_rate(came: float, expected: float | None) -> None:
    """Raise RequestValidationError where a recording's rate is not its point's."""
    if expected and abs(came / expected - 1) > SAME_RATE:
        raise refuse("sampling_rate", f"the recording was sampled at {came:,g} Hz, its point at {expected:,g} Hz")


@router.delete("/" + ONE + "/recordings/{number}", status_code=204, responses=UNKNOWN)
async def delete_recording(request: Request, machine: Name, point: Name, number: int) -> None:
    """Delete a recording; the states after it are computed again."""
    await ask(request, lambda store: store.delete_recording(machine, point, number))


@router.get("/" + ONE + "/trend", responses=UNKNOWN)
async def read_trend(
    request: Request,
    machine: Name,
    point: Name,
    from_: Annotated[Moment | None, Query(alias="from")] = None,
    until: Moment | None = None,
    points: Annotated[int, Query(ge=1, le=5_000)] = 500,
) -> list[TrendAnswer]:
    """Tell lowest and highest RMS and severity of so many stretches of time; no extreme is lost."""
    begin, end = (each and each.timestamp() for each in (from_, until))
    rows = await ask(request, lambda store: store.read_trend(machine, point, points, begin, end))
    return [TrendAnswer(**row | {name: to_moment(row[name]) for name in ("begin", "end")}) for row in rows]


@router.get("/" + ONE + "/alarms", responses=UNKNOWN)
async def list_alarms(request: Request, machine: Name, point: Name) -> list[AlarmAnswer]:
    """List a point's alarms, the newest first."""
    return [describe_alarm(each) for each in await ask(request, lambda store: store.list_alarms(machine, point))]


@router.post("/" + ONE + "/alarms/{number}/acknowledge", responses=UNKNOWN)
async def acknowledge(
    request: Request, machine: Name, point: Name, number: int, fields: Acknowledgement
) -> AlarmAnswer:  # fmt: skip
    """Take down who has seen an alarm."""
    now = datetime.now(UTC).timestamp()
    return describe_alarm(
        await ask(request, lambda store: store.acknowledge(machine, point, number, now, fields.by, fields.note))
    )


@router.post("/" + ONE + "/baseline", responses=UNKNOWN)
async def learn_anew(request: Request, machine: Name, point: Name, fields: AnewFields) -> PointAnswer:
    """Learn anew, as after a repair."""
    moment = (fields.from_ or datetime.now(UTC)).timestamp()
    await ask(request, lambda store: store.learn_anew(machine, point, moment, fields.by))
    return describe_point(await ask(request, lambda store: store.read_point(machine, point)))


@router.post("/" + ONE + "/notes", status_code=201, responses=UNKNOWN)
async def add_note(request: Request, machine: Name, point: Name, fields: NoteFields) -> dict[str, int]:
    """Keep what a person says of a point."""
    now = datetime.now(UTC).timestamp()
    return {"id": await ask(request, lambda store: store.add_note(machine, point, now, fields.by, fields.text))}
