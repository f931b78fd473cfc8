"""The app: what is loaded at start, which layers surround a request, and which routes answer it."""

import gc
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from api import health, served_model
from api.machine import PREFIX as MACHINES
from api.on_demand import LoadOnDemand, are_watched
from api.recording import upload
from api.recording.fields import add_bearings
from api.recording.pool import WorkerPool
from api.serving import metrics as serving_metrics
from api.serving.bodies import give_large_blocks_back
from api.serving.connections import limit_connections
from api.serving.keys import Keys, document_keys
from api.serving.log_queue import queue_server_logs
from api.serving.metrics import Metrics, list_paths
from api.serving.middleware import ServingMiddleware
from api.serving.provenance import write_header
from api.serving.shutdown import drain_on_sigterm, drain_with_parent
from api.serving.uvicorn_internals import find_server
from api.settings import require_model, settings
from api.static_files import list_files, make_routes
from api.window import batch_predict, open_inference
from api.window.batch_predict import BatchPredictor, BatchPredictShortcut
from api.window.document import document_records
from api.window.drift import Drift
from api.window.inference import Inference
from api.window.predictor import Predictor
from api.window.reader import warn_without_compiled_reader
from api.window.tensors import HEADER

ASSETS = settings.assets
PAGE_FILES = list_files(Path(__file__).resolve().parent / "page")
BODY_LIMITS = {
    batch_predict.PATH: settings.max_body,
    upload.PATH: settings.max_upload,
    open_inference.PREFIX: settings.max_body,
    MACHINES: settings.max_upload,
}
metrics = Metrics()
drift = Drift(metrics.registry)
keys = Keys(
    settings.keys,
    # Load balancers check the health paths without a key; the page and /docs hold no secret.
    open_prefixes=(health.PREFIX, open_inference.HEALTH, "/docs", "/openapi.json"),
    open_paths=PAGE_FILES,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    require_model(ASSETS)
    give_large_blocks_back()
    warn_without_compiled_reader()
    if settings.bearings:
        add_bearings(settings.bearings)
    # A worker answers requests and passes parts of large ones to the helpers, which wait for nothing: no deadlock.
    helpers, workers = ThreadPoolExecutor(settings.workers), ThreadPoolExecutor(settings.workers)
    predictor = Predictor(ASSETS, settings.backend, settings.threads, helpers.map)
    drift.reference = predictor.facts.get("roughness")
    app.state.workers = workers
    app.state.inference = Inference(predictor, metrics, drift)
    app.state.batch_predictor = BatchPredictor(app.state.inference, workers, settings.max_records)
    app.state.model = served_model.describe_model(predictor)
    app.state.model_header = write_header(app.state.model.versions)
    app.state.metrics = metrics
    app.state.recording_workers = await start_recording_workers()
    app.state.open_until_the_end = AsyncExitStack()
    app.state.has_machines = settings.database_url == "none"  # then nothing of them is ever loaded
    complete_document(app)
    if are_watched(settings):
        await load_machines(app)
    app.state.ready = True
    gc.collect()
    gc.freeze()  # later collections need not look through what was loaded until now
    checking = None
    if server := find_server():
        queue_server_logs(metrics.dropped_lines.inc)
        checking = limit_connections(server)
        drain_on_sigterm(server, app.state)
        drain_with_parent()
    yield
    app.state.ready = False
    if checking:
        checking.cancel()
    await app.state.open_until_the_end.aclose()
    if app.state.recording_workers:
        await app.state.recording_workers.stop()
    workers.shutdown()
    helpers.shutdown()


async def start_recording_workers() -> WorkerPool | None:
    """Return the processes that diagnose uploads, or None where their model is not among the assets."""
    if not (ASSETS / "diagnosis.json").is_file():
        return None
    recording_workers = WorkerPool(ASSETS / "diagnosis.json", settings, metrics)
    await recording_workers.start()
    return recording_workers


async def load_machines(app: FastAPI) -> None:
    """Add the routes of machines to the app and open their store, unless that is done."""
    if app.state.has_machines:
        return
    opening = await run_in_threadpool(import_module, "api.machine.opening")
    opening.include_routes(app)
    store = opening.open_machines(opening.make_metrics(metrics.registry))
    app.state.store = await app.state.open_until_the_end.enter_async_context(store)
    app.state.has_machines = True
    complete_document(app)


def complete_document(app: FastAPI) -> None:
    """Make the OpenAPI document anew, with what only the model and settings know; the metrics tell its paths apart."""
    app.openapi_schema = None
    document = app.openapi()
    operation = document["paths"][batch_predict.PATH]["post"]
    document_records(operation, app.state.inference.predictor.window_length, ASSETS / "example.json")
    document_keys(document, keys)
    metrics.paths = list_paths(document, BODY_LIMITS)


app = FastAPI(
    title="Bearing diagnosis",
    version="0.1.0",
    description="Diagnoses rolling bearings from windows of vibration.",
    lifespan=lifespan,
    telemetry={"tracing": False, "metrics": False, "logs": False},
)

# From the innermost layer to the outermost.
app.add_middleware(LoadOnDemand, load=load_machines, document=app.openapi_url)
app.add_middleware(BatchPredictShortcut)
app.add_middleware(ServingMiddleware, settings=settings, metrics=metrics, keys=keys, body_limits=BODY_LIMITS)
if settings.cors_origins:  # outermost, because a page must be able to read errors of the layer below, too
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["*"],
        expose_headers=["X-Request-ID", "X-Model", "Retry-After", "traceparent", "X-Total-Count", "X-Levels", HEADER],
    )

for each in (open_inference, batch_predict, upload, served_model, serving_metrics, health):
    app.include_router(each.router)
if (ASSETS / "examples").is_dir():
    app.mount("/examples", StaticFiles(directory=ASSETS / "examples"), name="examples")
app.router.routes.extend(make_routes(PAGE_FILES))
