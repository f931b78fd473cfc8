"""`/machines/`: points, their states, and what was recorded there."""

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from api.machine import PREFIX
from api.machine.asking import BODY, COMMON, ONE, UNKNOWN, ask
from api.machine.models import (
    Level,
    Moment,
    Name,
    Number,
    PointAnswer,
    PointDetail,
    PointFields,
    RecordAnswer,
    RecordLine,
    TrendAnswer,
    WaterfallAnswer,
    describe_detail,
    describe_line,
    describe_point,
    describe_recording,
    to_moment,
    to_seconds,
)
from api.machine.reading import (
    fetch_file,
    list_machine,
    list_points,
    list_recordings,
    read_combs,
    read_point,
    read_recording,
    read_trend,
)
from api.machine.store import Store
from model.machine.combs import ORDERS
from model.machine.indicators import STEP, ZERO, read_steps

From = Annotated[Moment | None, Query(alias="from")]
TOTALS = {
    "X-Total-Count": {"schema": {"type": "integer"}, "description": "points in all, whatever the page"},
    "X-Levels": {"schema": {"type": "string"}, "description": "how many of each level: alarm=1, normal=20"},
}
TREND = TypeAdapter(list[TrendAnswer])
router = APIRouter(prefix=PREFIX.rstrip("/"), responses=COMMON)


@router.put(ONE, response_model=PointAnswer, responses={201: {"model": PointAnswer, "description": "Created"}} | BODY)
async def put_point(request: Request, response: Response, machine: Name, point: Name, fields: PointFields) -> Any:
    """Create a point of a machine, or change it."""
    kept, is_new = await ask(request, lambda store: store.put_point(machine, point, **fields.model_dump()))
    response.status_code = 201 if is_new else 200
    return describe_point(kept)


@router.get("/", responses={200: {"headers": TOTALS}})
async def list_all(
    request: Request,
    response: Response,
    level: Level | None = None,
    q: Annotated[str, Query(max_length=64, description="part of the machine's name")] = "",
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> list[PointAnswer]:
    """List points, the worst first."""
    points, counts = await ask(request, list_points, level or "", q, offset, limit)
    response.headers["X-Total-Count"] = str(counts.get(level, 0) if level else sum(counts.values()))
    response.headers["X-Levels"] = ", ".join(f"{name}={count}" for name, count in sorted(counts.items()))
    return [describe_point(each) for each in points]


@router.get("/{machine}", responses=UNKNOWN)
async def list_points_of(request: Request, machine: Name) -> list[PointAnswer]:
    """List the points of a machine."""
    return [describe_point(each) for each in await ask(request, list_machine, machine)]


@router.delete("/{machine}", status_code=204, responses=UNKNOWN)
async def delete_machine(request: Request, machine: Name) -> None:
    """Delete a machine with all that was recorded there."""
    await ask(request, Store.delete_machine, machine)


@router.get(ONE, responses=UNKNOWN)
async def tell_point(request: Request, machine: Name, point: Name) -> PointDetail:
    """Tell a point and its state."""
    return await ask(
        request, lambda store: describe_detail(read_point(store, machine, point), store.limits.persistence)
    )


@router.delete(ONE, status_code=204, responses=UNKNOWN)
async def delete_point(request: Request, machine: Name, point: Name) -> None:
    """Delete a point with all that was recorded there."""
    await ask(request, Store.delete_point, machine, point)


@router.get(ONE + "/recordings", responses=UNKNOWN)
async def list_lines(
    request: Request,
    machine: Name,
    point: Name,
    from_: From = None,
    until: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> list[RecordLine]:
    """List recordings, the newest first."""
    span = to_seconds(from_), to_seconds(until)
    return [describe_line(each) for each in await ask(request, list_recordings, machine, point, *span, limit)]


@router.get(ONE + "/recordings/{number}", responses=UNKNOWN)
async def tell_recording(request: Request, machine: Name, point: Name, number: Number) -> RecordAnswer:
    """Tell what was measured and diagnosed of a recording, and the state of its point after it."""
    return describe_recording(await ask(request, read_recording, machine, point, number))


@router.get(
    ONE + "/recordings/{number}/file",
    response_class=Response,
    responses=UNKNOWN | {200: {"content": {"application/octet-stream": {}}, "description": "The file as it came"}},
)
async def read_file(request: Request, machine: Name, point: Name, number: Number) -> Response:
    """Give back the file of a recording, where KEEP_RECORDINGS keeps files."""
    name, content = await ask(request, fetch_file, machine, point, number)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.delete(ONE + "/recordings/{number}", status_code=204, responses=UNKNOWN)
async def delete_recording(request: Request, machine: Name, point: Name, number: Number) -> None:
    """Delete a recording; the states after it are computed again."""
    await ask(request, Store.delete_recording, machine, point, number)


@router.get(ONE + "/trend", response_model=list[TrendAnswer], responses=UNKNOWN)
async def tell_trend(
    request: Request,
    machine: Name,
    point: Name,
    from_: From = None,
    until: Moment | None = None,
    points: Annotated[int, Query(ge=1, le=5_000)] = 500,
) -> Response:
    """Tell lowest and highest RMS and severity of so many stretches of time; no extreme is lost."""
    rows = await ask(request, read_trend, machine, point, points, to_seconds(from_), to_seconds(until))
    answers = [TrendAnswer(**row | {name: to_moment(row[name]) for name in ("begin", "end")}) for row in rows]
    # FastAPI would look through hundreds of answers twice more.
    return Response(TREND.dump_json(answers), media_type="application/json")


@router.get(ONE + "/waterfall", responses=UNKNOWN)
async def tell_waterfall(
    request: Request,
    machine: Name,
    point: Name,
    from_: From = None,
    until: Moment | None = None,
    columns: Annotated[int, Query(ge=1, le=500)] = 150,
) -> WaterfallAnswer:
    """Tell the combs of lines over time, of so many recordings at most, spread evenly."""
    times, kept, healthy = await ask(request, read_combs, machine, point, columns, to_seconds(from_), to_seconds(until))
    return WaterfallAnswer(
        taken_at=[to_moment(each) for each in times],
        orders=[round(float(order), 4) for order in ORDERS],
        healthy=[round(float(height), 4) for height in healthy],
        step=STEP,
        zero=ZERO,
        heights=b64encode(b"".join(read_steps(each) for each in kept)).decode(),
    )
