"""The FastAPI app: `POST /batch_predict/`, `GET /model/` and the health of the service."""

import json
import os
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from api.answers import BatchAnswer, ErrorAnswer, HealthAnswer, InvalidAnswer, ModelAnswer, analyse
from api.coalescer import Coalescer
from api.predictor import Predictor
from api.provenance import read_versions
from api.records import InvalidRecordsError, RecordReader

Reader = Callable[[bytes], np.ndarray]
ASSETS = Path(os.environ.get("ASSETS", Path(__file__).parent.parent / "assets"))
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
SMALL = 128 * 1024  # bytes; smaller bodies are computed together


class Question(NamedTuple):
    """One request's body, how to read it, and the moment at which it was complete."""

    read: Reader
    body: bytes
    start: float


class DirectRoute(APIRoute):
    """A route whose function takes the request and returns the response; it is documented like any other.

    What FastAPI does between the two (dependencies, validation, serialisation) takes longer than the diagnosis of one
    record, and this service reads and writes the bytes itself.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    predictor = Predictor(ASSETS, os.environ.get("BACKEND", "onnx"), int(os.environ.get("THREADS", "1")))
    reader = RecordReader(predictor.window_length, predictor.least_variation)
    app.state.predictor = predictor
    app.state.readers = {"application/json": reader.read_json, "application/x-npy": reader.read_npy}
    app.state.workers = ThreadPoolExecutor(int(os.environ.get("WORKERS", os.cpu_count() or 1)))
    app.state.coalescer = Coalescer(partial(answer_all, predictor=predictor), app.state.workers)
    app.state.model = describe_model(app.state.predictor)
    complete_document(app)
    app.state.ready = True
    yield
    app.state.ready = False


app = FastAPI(
    title="Bearing diagnosis",
    version="0.1.0",
    description="Diagnoses rolling bearings from windows of vibration.",
    lifespan=lifespan,
    telemetry={"tracing": False, "metrics": False, "logs": False},
)


async def batch_predict(request: Request) -> Response:
    """Diagnose one window of raw vibration a record, in any unit, at the model's sampling rate."""
    read = pick_reader(request)
    try:
        body = await request.body()
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    question = Question(read, body, perf_counter())
    state = request.app.state
    if len(body) < SMALL:
        return await state.coalescer.ask(question)
    [response] = await get_running_loop().run_in_executor(state.workers, answer_all, [question], state.predictor)
    if isinstance(response, Exception):
        raise response
    return response


app.router.add_api_route(
    "/batch_predict/",
    batch_predict,
    methods=["POST"],
    response_model=BatchAnswer,
    openapi_extra={"requestBody": REQUEST_BODY},
    responses={422: {"model": InvalidAnswer, "description": "What came, where, and what was expected"}},
    route_class_override=DirectRoute,
)


def pick_reader(request: Request) -> Reader:
    """Return the reader for the request's Content-Type. Raises RequestValidationError where there is none."""
    content_type = request.headers.get("content-type", "")
    readers = request.app.state.readers
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in readers:
        expected = f"Content-Type should be {' or '.join(readers)}"
        mistake = {"type": "content_type", "loc": ["header", "content-type"], "msg": expected}
        raise RequestValidationError([mistake | {"input": content_type[:80] or None}])
    return readers[media_type]


def answer_all(questions: list[Question], predictor: Predictor) -> list[Response | Exception]:
    """Return each question's finished answer, computed in one batch, or the error that it gets instead."""
    found = [read_records(question) for question in questions]
    good = [records for records in found if isinstance(records, np.ndarray)]
    if not good:
        return found
    probabilities = predictor.predict(np.concatenate(good) if len(good) > 1 else good[0])
    answers, start = [], 0
    for question, records in zip(questions, found, strict=True):
        if isinstance(records, np.ndarray):
            part = probabilities[start : start + len(records)]
            start += len(records)
            answers.append(finish(question, analyse(part, predictor.classes)))
        else:
            answers.append(records)
    return answers


def read_records(question: Question) -> np.ndarray | Exception:
    try:
        return question.read(question.body)
    except InvalidRecordsError as error:
        return RequestValidationError([error.mistake])


def finish(question: Question, analysis: bytes) -> Response:
    milliseconds = 1000 * (perf_counter() - question.start)
    content = b'{"Analysis":%b,"Execution Time":%.3f}' % (analysis, milliseconds)
    return Response(content, media_type="application/json")


@app.get("/model/")
async def model(request: Request) -> ModelAnswer:
    """Tell what is served: what a record must be, what the model was trained on and how it scored."""
    return request.app.state.model


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


def describe_model(predictor: Predictor) -> ModelAnswer:
    metrics = ASSETS / "metrics.json"
    return ModelAnswer(
        classes=predictor.classes,
        window_length=predictor.window_length,
        sampling_rate=predictor.sampling_rate,
        band_limit=predictor.band_limit,
        trained_on=predictor.trained_on,
        metrics=json.loads(metrics.read_text()) if metrics.is_file() else {},
        backend={"name": predictor.backend.name, "device": predictor.backend.device},
        versions=read_versions(ASSETS),
    )


def complete_document(app: FastAPI) -> None:
    """Put what only the model knows into the OpenAPI document: a record's length, and a request that works."""
    operation = app.openapi()["paths"]["/batch_predict/"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    length = app.state.predictor.window_length
    body["schema"]["items"]["properties"]["record"] |= {"minItems": length, "maxItems": length}
    example = ASSETS / "example.json"
    if example.is_file():
        body["example"] = json.loads(example.read_text())[:1]
