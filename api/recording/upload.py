"""`POST /diagnose/`: from an uploaded file to the response of a worker process."""

from json import dumps
from time import perf_counter

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from starlette.requests import ClientDisconnect

from api.files.suffixes import SUFFIXES
from api.recording.fields import Fields
from api.recording.form import NPY, read_request
from api.recording.models import DiagnosisAnswer
from api.recording.pool import WorkerPool
from api.recording.protocol import ReportHead
from api.serving.errors import ErrorAnswer, InvalidAnswer
from api.settings import settings

PATH = "/diagnose/"
FORMATS = f"{', '.join(each for each in SUFFIXES if each != '.gz')} or gzipped text"
HTML = "text/html"  # what a client accepts that wants a report
NO_MODEL = (
    "diagnosis.json was not among the service's assets when it started: run `dvc repro diagnosis` in the repository, "
    "copy assets/diagnosis.json there if they are in another folder, and start the service again"
)
START = b'{"prediction":"'  # of the body of a worker's response
RECORDING = {"type": "string", "format": "binary"}
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": RECORDING | {"description": f"{FORMATS}, {settings.max_upload:,} bytes in all"},
                    "baseline": {
                        "type": "array",
                        "items": RECORDING,
                        "description": "recordings of the same machine when it was healthy, 5 s or more",
                    },
                }
                | Fields.model_json_schema()["properties"],
            }
        },
        NPY: {"schema": RECORDING},
    },
}


router = APIRouter()


@router.post(
    PATH,
    response_model=DiagnosisAnswer,
    description=f"Diagnose a recording: a file of {FORMATS}, at any rate from 11 kHz.",
    openapi_extra={"requestBody": BODY},
    responses={
        200: {
            "content": {HTML: {"schema": {"type": "string"}}},
            "description": "JSON, or a report on Accept: text/html",
        },
        400: {"model": ErrorAnswer, "description": "The upload broke off"},
        408: {"model": ErrorAnswer, "description": "The upload did not come in time"},
        413: {"model": ErrorAnswer, "description": "Larger than is allowed"},
        422: {"model": InvalidAnswer, "description": "What came, where, and what was expected"},
        503: {"model": ErrorAnswer, "description": "Too many recordings at once; Retry-After says when to try again"},
    },
)
async def diagnose(request: Request) -> Response:
    """Return the response to an upload: JSON, or a page to hand on where the client asks for text/html."""
    workers: WorkerPool | None = request.app.state.recording_workers
    if workers is None:
        raise HTTPException(503, NO_MODEL)
    try:
        fields, files, _ = await read_request(request)
    except ClientDisconnect as error:
        raise HTTPException(400, "the upload broke off") from error
    versions = request.app.state.model.versions
    is_report = request.headers.get("accept", "").startswith(HTML)
    start = perf_counter()
    response = await workers.diagnose(fields, files, ReportHead(provenance=versions) if is_report else None)
    if response.status != 200:
        return Response(response.body, response.status, media_type="application/json")
    if is_report:
        return HTMLResponse(response.body)
    request.app.state.metrics.count_recording(PATH, read_prediction(response.body))
    milliseconds = 1000 * (perf_counter() - start)
    return Response(finish(response.body, milliseconds, versions), media_type="application/json")


def read_prediction(answer: bytes) -> str:
    return answer[: 2 * len(START) + 20].removeprefix(START).partition(b'"')[0].decode()


def finish(answer: bytes, milliseconds: float, provenance: dict[str, str]) -> bytes:
    return b'%b,"execution_time_ms":%.3f,"provenance":%b}' % (answer[:-1], milliseconds, dumps(provenance).encode())
