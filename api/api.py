"""The FastAPI app: `POST /batch_predict/`, `POST /diagnose/`, `GET /model/`, the service's health, and the page."""

import gc
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route

from api.files.suffixes import SUFFIXES
from api.recording import upload
from api.recording.fields import known_bearings
from api.recording.pool import MOST_BYTES, Diagnosers
from api.serving.bodies import give_large_blocks_back
from api.serving.connections import bound_connections, find_server
from api.serving.gate import OPEN, Gate
from api.serving.metrics import Metrics
from api.serving.provenance import read_versions
from api.serving.shutdown import stop_gently_on_sigterm
from api.settings import settings
from api.window import open_inference
from api.window.answers import (
    BatchAnswer,
    DiagnosisAnswer,
    ErrorAnswer,
    HealthAnswer,
    InvalidAnswer,
    ModelAnswer,
    UploadLimits,
)
from api.window.batch_predict import PATH, BatchPredictMiddleware, BatchPredictor
from api.window.predictor import Predictor
from api.window.reader import fast_records
from model.recording.lines import LEAST_RATE, WINDOW_SECONDS

PAGE = Path(__file__).resolve().parent / "page"
PAGE_FILES = {"/" if path.name == "index.html" else f"/{path.name}": path for path in sorted(PAGE.iterdir())}
ASSETS = settings.assets
metrics = Metrics()
RECORDS_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["record"],
        "properties": {"record": {"type": "array", "items": {"type": "number"}}},
    },
}
REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": RECORDS_SCHEMA},
        "application/x-npy": {"schema": {"type": "string", "format": "binary"}},
    },
}
KEY_SCHEMES = {
    "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "HTTPBearer": {"type": "http", "scheme": "bearer"},
}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    give_large_blocks_back()
    # A worker answers requests and hands parts of large ones to the helpers, who wait for nobody: no deadlock.
    helpers, answerers = ThreadPoolExecutor(settings.workers), ThreadPoolExecutor(settings.workers)
    app.state.predictor = Predictor(ASSETS, settings.backend, settings.threads, helpers.map)
    app.state.batch_predictor = BatchPredictor(app.state.predictor, answerers, metrics, settings.max_records)
    app.state.model = describe_model(app.state.predictor)
    app.state.model_header = write_header(app.state.model.versions)
    app.state.metrics = metrics
    metrics.reference = app.state.predictor.facts.get("roughness")
    app.state.diagnosers = await start_diagnosers()
    complete_document(app)
    app.state.ready = True
    gc.collect()
    gc.freeze()  # what was loaded until now stays: later collections need not look through it again
    sweeping = None
    if server := find_server():
        sweeping = bound_connections(server)
        stop_gently_on_sigterm(server, app.state)
    yield
    app.state.ready = False
    if sweeping:
        sweeping.cancel()
    if app.state.diagnosers:
        await app.state.diagnosers.stop()
    answerers.shutdown()
    helpers.shutdown()


app = FastAPI(
    title="Bearing diagnosis",
    version="0.1.0",
    description="Diagnoses rolling bearings from windows of vibration.",
    lifespan=lifespan,
    telemetry={"tracing": False, "metrics": False, "logs": False},
)


app.add_middleware(BatchPredictMiddleware)
app.add_middleware(Gate, settings=settings, metrics=metrics, page=frozenset(PAGE_FILES))
if settings.cors_origins:  # outside the gate: a page has to see what is refused there, too
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["X-Request-ID", "X-Model", "Retry-After", "traceparent"],
    )
app.include_router(open_inference.router)


@app.post(
    PATH,
    response_model=BatchAnswer,
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={
        408: {"model": ErrorAnswer, "description": "The body did not come in time"},
        413: {"model": ErrorAnswer, "description": "Larger, or more records, than is allowed"},
        422: {"model": InvalidAnswer, "description": "What came, where, and what was expected"},
        503: {"model": ErrorAnswer, "description": "Too many requests at once; Retry-After says when to try again"},
    },
)
async def batch_predict() -> Response:
    """Diagnose one window of raw vibration a record, in any unit, at the model's sampling rate."""
    raise AssertionError("BatchPredictMiddleware answers this path before it gets here")


@app.post(
    upload.PATH,
    response_model=DiagnosisAnswer,
    openapi_extra={"requestBody": upload.BODY},
    responses={
        400: {"model": ErrorAnswer, "description": "The upload broke off"},
        408: {"model": ErrorAnswer, "description": "The upload did not come in time"},
        413: {"model": ErrorAnswer, "description": "Larger than is allowed"},
        422: {"model": InvalidAnswer, "description": "What came, where, and what was expected"},
        503: {"model": ErrorAnswer, "description": "Too many recordings at once; Retry-After says when to try again"},
    },
)
async def diagnose(request: Request) -> Response:
    """Diagnose a recording: a file of .mat, .csv, .txt, .wav, .npy or gzipped text, at any rate from 12 kHz."""
    status, answer = await upload.answer_upload(request)
    return Response(answer, status, media_type="application/json")


@app.get("/model/")
async def model(request: Request) -> ModelAnswer:
    """Tell what is served: what a record must be, what the model was trained on and how it scored."""
    return request.app.state.model


@app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def show_metrics() -> Response:
    """Tell Prometheus of requests, their stages, predictions, and the drift of the input."""
    return Response(metrics.show(), media_type="text/plain; version=0.0.4; charset=utf-8")


@app.get("/health/live")
async def live() -> HealthAnswer:
    """Answer as long as the process does."""
    return HealthAnswer(status="live")


@app.get("/health/ready", responses={503: {"model": ErrorAnswer, "description": "Starting or stopping"}})
async def ready(request: Request) -> HealthAnswer:
    """Answer 200 from the moment the model is loaded until the service begins to stop."""
    if not request.app.state.ready:
        raise HTTPException(503, "stopping", headers={"Retry-After": "5"})
    return HealthAnswer(status="ready")


async def start_diagnosers() -> Diagnosers | None:
    """Return the child processes that answer uploads, or None where their model is not among the assets."""
    if not (ASSETS / "diagnosis.json").is_file():
        return None
    diagnosers = Diagnosers(ASSETS / "diagnosis.json", settings.diagnosers, metrics)
    await diagnosers.start()
    return diagnosers


def write_header(versions: dict[str, str]) -> bytes:
    """Return what every answer says of the models behind it: enough to find them again in GET /model/."""
    names = ("model_sha256", "diagnosis_sha256", "git_commit", "dvc_lock_sha256", "manifest_sha256")
    return ", ".join(f"{name.removesuffix('_sha256')}={versions[name][:12]}" for name in names).encode()


def describe_model(predictor: Predictor) -> ModelAnswer:
    return ModelAnswer(
        classes=predictor.classes,
        window_length=predictor.window_length,
        sampling_rate=predictor.sampling_rate,
        band_limit=predictor.band_limit,
        trained_on=predictor.trained_on,
        metrics=read_table("metrics.json"),
        protocols=without_folds(read_table("protocols.json")),
        bearings=known_bearings(),
        upload=UploadLimits(
            suffixes=list(SUFFIXES),
            most_bytes=MOST_BYTES,
            least_sampling_rate=LEAST_RATE,
            least_seconds=WINDOW_SECONDS,
            answer_timeout=settings.request_timeout,
        ),
        backend={"name": predictor.backend.name, "device": predictor.backend.device},
        versions=read_versions(ASSETS)
        | {"manifest_sha256": predictor.trained_on.get("manifest_sha256", "unknown")}
        | {"json_reader": "compiled" if fast_records else "validating"},
    )


def read_table(name: str) -> dict:
    path = ASSETS / name
    return json.loads(path.read_text()) if path.is_file() else {}


def without_folds(table: dict) -> dict:
    """Return the table of the protocols with means and spreads alone: folds and confusion matrices stay in the file."""
    return {
        protocol: {
            network: {name: values for name, values in entry.items() if name != "folds"}
            for network, entry in networks.items()
        }
        if isinstance(networks, dict)
        else networks
        for protocol, networks in table.items()
    }


def complete_document(app: FastAPI) -> None:
    """Put what only model and settings know into the OpenAPI document: a record's length, a request, and the keys."""
    document = app.openapi()
    operation = document["paths"][PATH]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    length = app.state.predictor.window_length
    body["schema"]["items"]["properties"]["record"] |= {"minItems": length, "maxItems": length}
    example = ASSETS / "example.json"
    if example.is_file():
        body["example"] = json.loads(example.read_text())[:1]
    if settings.keys:
        document_keys(document)


def document_keys(document: dict) -> None:
    document["components"]["securitySchemes"] = KEY_SCHEMES
    for path, operations in document["paths"].items():
        if not path.startswith(OPEN):
            for operation in operations.values():
                operation["security"] = [{name: []} for name in KEY_SCHEMES]  # any of them
                operation["responses"]["401"] = {"description": "No key, or none that is known here"}


def send_file(path: Path) -> Callable[[Request], FileResponse]:
    """Return what answers requests for a file of the page."""
    return lambda _: FileResponse(path)


if (ASSETS / "examples").is_dir():
    app.mount("/examples", StaticFiles(directory=ASSETS / "examples"), name="examples")
for name, path in PAGE_FILES.items():  # a mount at "/" would take requests that are refused elsewhere
    app.router.routes.append(Route(name, send_file(path)))
