"""`POST /machines/{machine}/points/{point}/recordings`: from an upload to a stored recording and its point's state."""

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from api.machine import PREFIX
from api.machine.asking import BODY, COMMON, ONE, UNKNOWN, ask
from api.machine.models import Name, StoredAnswer, describe_state, read_moment, to_moment
from api.machine.reading import list_healthy, read_watched
from api.machine.store import RefusedError, Store, Taken, UnknownError
from api.machine.tables import Point, Record
from api.recording.form import read_request
from api.recording.models import MeasuredAnswer
from api.recording.pool import WorkerPool, refuse
from api.recording.protocol import PointHead
from api.recording.upload import BODY as FORM
from api.recording.upload import NO_MODEL
from model.machine.indicators import Indicators

TAKEN_AT = {"type": "string", "format": "date-time", "description": "when it was taken, with a zone; now unless given"}
ASK = {"type": "boolean", "default": True, "description": "false trends the recording and does not diagnose it"}
PAST = 20  # recordings; more would make the upload to the worker larger and its spread no better known
router = APIRouter(prefix=PREFIX.rstrip("/"), responses=COMMON)


def document_upload() -> dict[str, Any]:
    """Return the form of a recording: that of a diagnosis without a baseline, and with its moment."""
    form = FORM["content"]["multipart/form-data"]["schema"]
    left_out = ("baseline", "bearing", "series", "baseline_sampling_rate", "baseline_rpm")
    fields = {name: field for name, field in form["properties"].items() if name not in left_out}
    schema = form | {"properties": fields | {"taken_at": TAKEN_AT, "diagnose": ASK}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@router.post(
    ONE + "/recordings",
    status_code=201,
    response_model=StoredAnswer,
    openapi_extra=document_upload(),
    responses=UNKNOWN
    | BODY
    | {200: {"model": StoredAnswer, "description": "The same file and moment were stored before"}},
)
async def add_recording(request: Request, machine: Name, point: Name) -> Response:
    """Store what is measured of a recording, and tell the state of its point after it."""
    workers: WorkerPool | None = request.app.state.recording_workers
    if workers is None:
        raise HTTPException(503, NO_MODEL)
    known: Point = await ask(request, read_watched, machine, point)
    try:
        fields, files, own = await read_request(request, own=("taken_at", "diagnose"))
    except ClientDisconnect as error:
        raise HTTPException(400, "the upload broke off") from error
    if "bearing" in fields.model_fields_set or len(files) > 1:
        raise refuse(
            "bearing", f"the point's bearing is {known.bearing}, and its own past is its baseline: give neither"
        )
    taken_at, wanted = read_taken_at(own.get("taken_at")), read_flag("diagnose", own.get("diagnose", "true"))
    fields = fields.model_copy(update={"bearing": known.bearing, "channel": fields.channel or known.channel})
    healthy = await ask(request, list_healthy, known, PAST) if wanted else []
    head = PointHead(
        unit=known.unit,
        sampling_rate=known.sampling_rate,
        rpm=known.rpm,
        diagnose=wanted,
        level=known.level,
    )
    found = await workers.diagnose(fields, [files[0], *(("healthy", each) for each in healthy)], head)
    if found.status != 200:
        return Response(found.body, found.status, media_type="application/json")
    measured = MeasuredAnswer.model_validate_json(found.body)
    taken = take(taken_at, files[0][1], measured)
    record, now, is_new = await ask(request, keep, machine, point, taken, *files[0])
    answer = describe_stored(record, now, measured)
    return JSONResponse(answer.model_dump(mode="json"), 201 if is_new else 200)


def keep(store: Store, machine: str, point: str, taken: Taken, name: str, content: bytes) -> tuple[Record, Point, bool]:
    """Keep the file where files are kept, and then store the recording that names it; one that is not named goes."""
    if store.files is None:
        return store.add_recording(machine, point, taken)
    taken = replace(taken, file=store.files.write(machine, point, taken.taken_at, name, content))
    try:
        record, now, is_new = store.add_recording(machine, point, taken)
    except (RefusedError, UnknownError):
        store.delete_files([taken.file])
        raise
    if record.file != taken.file:
        store.delete_files([taken.file])
    return record, now, is_new


def take(taken_at: float, content: bytes, measured: MeasuredAnswer) -> Taken:
    """Return what is stored of a file's content."""
    diagnosis = measured.diagnosis
    return Taken(
        taken_at,
        sha256(content).digest(),
        Indicators.from_bytes(b64decode(measured.kept)),
        diagnosis.prediction if diagnosis else None,
        diagnosis.model_dump_json(exclude_unset=True) if diagnosis else None,
        b64decode(measured.healthy) if measured.healthy else None,
    )


def describe_stored(record: Record, point: Point, measured: MeasuredAnswer) -> StoredAnswer:
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


def read_flag(name: str, text: str) -> bool:
    """Return whether a field says true. Raises RequestValidationError."""
    if text.lower() not in ("true", "false"):
        raise refuse(name, f"{text[:80]!r} came, expected true or false")
    return text.lower() == "true"
