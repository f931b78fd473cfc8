"""`POST /batch_predict/`: from the bytes of a request to the bytes of its answer."""

from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from api.serving.bodies import read_body
from api.serving.errors import ErrorAnswer, InvalidAnswer
from api.serving.metrics import Metrics
from api.window.answers import BatchAnswer, analyse
from api.window.batcher import Coalescer
from api.window.document import REQUEST_BODY
from api.window.predictor import Predictor
from api.window.reader import InvalidRecordsError, RecordReader, TooManyRecordsError, check, have_answers

PATH = "/batch_predict/"
router = APIRouter()
Body = bytes | bytearray
Reader = Callable[[Body], np.ndarray]


class Question(NamedTuple):
    """One request's body, how to read it, and the moment at which it was complete."""

    read: Reader
    body: Body
    start: float


class BatchPredictor:
    """Answer requests to PATH; whatever is needed for it, loaded once."""

    def __init__(self, predictor: Predictor, workers: Executor, metrics: Metrics, most_records: int) -> None:
        reader = RecordReader(predictor.window_length, most_records, predictor.spread)
        self.readers: dict[str, tuple[Reader, Callable[[Body], bool]]] = {
            "application/json": (reader.read_json, reader.are_few_json),
            "application/x-npy": (reader.read_npy, reader.are_few_npy),
        }
        self.answer_all = partial(answer_all, predictor=predictor, metrics=metrics)
        self.coalescer = Coalescer(self.answer_all)
        self.workers = workers

    async def __call__(self, content_type: str, receive: Receive) -> bytes:
        """Return the JSON of the finished answer. Raises RequestValidationError or ClientDisconnect."""
        read, are_few = self.pick_reader(content_type)
        body = await read_body(receive)
        question = Question(read, body, perf_counter())
        if are_few(body):
            return await self.coalescer.ask(question)
        [answer] = await get_running_loop().run_in_executor(self.workers, self.answer_all, [question])
        if isinstance(answer, Exception):
            del question, body  # the error's traceback would keep them until the next collection
            raise answer
        return answer

    def pick_reader(self, content_type: str) -> tuple[Reader, Callable[[Body], bool]]:
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in self.readers:
            expected = f"Content-Type should be {' or '.join(self.readers)}"
            mistake = {"type": "content_type", "loc": ["header", "content-type"], "msg": expected}
            raise RequestValidationError([mistake | {"input": content_type[:80] or None}])
        return self.readers[media_type]


class BatchPredictMiddleware:
    """Lead requests to PATH straight to the BatchPredictor in app.state.

    The way through FastAPI's router, dependencies and serialisation takes as long as the diagnosis of one record, and
    this path needs none of them. The route below documents it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or path_of(scope) != PATH:
            await self.app(scope, receive, send)
            return
        content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        try:
            answer = await scope["app"].state.batch_predictor(content_type.decode("latin-1"), receive)
        except ClientDisconnect:
            return  # nobody is there to read an answer
        except RequestValidationError as error:
            response = await request_validation_exception_handler(Request(scope), error)
            await response(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


@router.post(
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


def path_of(scope: Scope) -> str:
    """Return the path below the root path, under which a proxy may have put the service."""
    return scope["path"].removeprefix(scope.get("root_path", ""))


def answer_all(questions: list[Question], predictor: Predictor, metrics: Metrics) -> list[bytes | Exception]:
    """Return each question's finished answer, computed in one batch, or the error that it gets instead."""
    start = perf_counter()
    for question in questions:
        metrics.time("queue", start - question.start)
    found = [read_records(question) for question in questions]
    metrics.time("parse", perf_counter() - start)
    records = collect(found)
    if records is not None and not have_answers(records, predictor.least_variation):
        found = [check_records(part, predictor.least_variation) for part in found]
        records = collect(found)
    if records is None:
        return found
    start = perf_counter()
    probabilities = predictor.predict(records)
    metrics.time("network", perf_counter() - start)
    metrics.batch.observe(len(records))
    metrics.watch(records)
    metrics.count(PATH, predictor.classes, probabilities.argmax(axis=1))
    answers, first = [], 0
    for question, part in zip(questions, found, strict=True):
        if isinstance(part, np.ndarray):
            answers.append(finish(question, probabilities[first : first + len(part)], predictor.classes))
            first += len(part)
        else:
            answers.append(part)
    return answers


def read_records(question: Question) -> np.ndarray | Exception:
    try:
        return question.read(question.body)
    except TooManyRecordsError as error:
        return HTTPException(413, str(error))
    except InvalidRecordsError as error:
        return RequestValidationError([error.mistake])


def check_records(records: np.ndarray | Exception, least_variation: float) -> np.ndarray | Exception:
    try:
        if isinstance(records, np.ndarray):
            check(records, least_variation)
    except InvalidRecordsError as error:
        return RequestValidationError([error.mistake])
    return records


def collect(found: list[np.ndarray | Exception]) -> np.ndarray | None:
    """Return all records in one array, or None where there are none."""
    parts = [part for part in found if isinstance(part, np.ndarray)]
    if len(parts) > 1:
        return np.concatenate(parts)
    return parts[0] if parts else None


def finish(question: Question, probabilities: np.ndarray, classes: list[str]) -> bytes:
    analysis = analyse(probabilities, classes)
    milliseconds = 1000 * (perf_counter() - question.start)
    return b'{"Analysis":%b,"Execution Time":%.3f}' % (analysis, milliseconds)
