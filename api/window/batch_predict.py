"""`POST /batch_predict/`: from the bytes of a request to the bytes of its answer."""

from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import Executor
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from api.serving.bodies import read_body
from api.serving.errors import ErrorAnswer, InvalidAnswer
from api.window.answers import BatchAnswer, analyse
from api.window.batcher import Batcher
from api.window.checks import check, have_answers
from api.window.document import REQUEST_BODY
from api.window.inference import Inference
from api.window.mistakes import InvalidRecordsError, TooManyRecordsError
from api.window.reader import Body, RecordReader

PATH = "/batch_predict/"
ERRORS: dict[int | str, dict[str, Any]] = {
    408: {"model": ErrorAnswer, "description": "The body did not arrive in time"},
    413: {"model": ErrorAnswer, "description": "Larger, or more records, than is allowed"},
    422: {"model": InvalidAnswer, "description": "What came, where, and what was expected"},
    503: {"model": ErrorAnswer, "description": "Too many requests at once; Retry-After says when to try again"},
}
router = APIRouter()
Reader = Callable[[Body], np.ndarray]


@router.post(PATH, response_model=BatchAnswer, openapi_extra={"requestBody": REQUEST_BODY}, responses=ERRORS)
async def batch_predict(request: Request) -> Response:
    """Diagnose one window of raw vibration a record, in any unit, at the model's sampling rate."""
    predictor: BatchPredictor = request.app.state.batch_predictor
    answer = await predictor.answer(request.headers.get("content-type", ""), request.receive)
    return Response(answer, media_type="application/json")


class BatchPredictShortcut:
    """Middleware that answers as the route does, without the router.

    FastAPI's exception handling, router, dependencies and serialisation add a quarter to the processor time of a
    request of one record, and this endpoint uses none of them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or path_of(scope) != PATH:
            await self.app(scope, receive, send)
            return
        predictor: BatchPredictor = scope["app"].state.batch_predictor
        content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        try:
            answer = await predictor.answer(content_type.decode("latin-1"), receive)
        except ClientDisconnect:
            return  # there is no client left to read a response
        except RequestValidationError as error:
            response = await request_validation_exception_handler(Request(scope, receive), error)
            await response(scope, receive, send)
            return
        # As the route's Response would: it would take a tenth of the time of a request of one record.
        headers = [(b"content-length", b"%d" % len(answer)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def path_of(scope: Scope) -> str:
    """Return the path below the root path, under which a proxy may have put the service."""
    return scope["path"].removeprefix(scope.get("root_path", ""))


class CompleteRequest(NamedTuple):
    """The body of a request, how to read it, and when it was complete (s, of perf_counter)."""

    read: Reader
    body: Body
    complete: float


class BatchPredictor:
    """Answers requests; it holds what that needs, loaded once."""

    def __init__(self, inference: Inference, workers: Executor, most_records: int) -> None:
        predictor = inference.predictor
        reader = RecordReader(predictor.window_length, most_records, predictor.parallel_map)
        self.readers: dict[str, tuple[Reader, Callable[[Body], bool]]] = {
            "application/json": (reader.read_json, reader.are_few_json),
            "application/x-npy": (reader.read_npy, reader.are_few_npy),
        }
        self.inference = inference
        self.batcher = Batcher(self.answer_all)
        self.workers = workers

    async def answer(self, content_type: str, receive: Receive) -> bytes:
        """Return the JSON of the answer. Raises RequestValidationError, HTTPException or ClientDisconnect."""
        read, are_few = self.pick_reader(content_type)
        body = await read_body(receive)
        request = CompleteRequest(read, body, perf_counter())
        if are_few(body):
            return await self.batcher.ask(request)
        [answer] = await get_running_loop().run_in_executor(self.workers, self.answer_all, [request])
        if isinstance(answer, Exception):
            del request, body  # the error's traceback would keep them until the next collection
            raise answer
        return answer

    def pick_reader(self, content_type: str) -> tuple[Reader, Callable[[Body], bool]]:
        if content_type in self.readers:
            return self.readers[content_type]
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in self.readers:
            expected = f"Content-Type should be {' or '.join(self.readers)}"
            mistake = {"type": "content_type", "loc": ["header", "content-type"], "msg": expected}
            raise RequestValidationError([mistake | {"input": content_type[:80] or None}])
        return self.readers[media_type]

    def answer_all(self, requests: list[CompleteRequest]) -> list[bytes | Exception]:
        """Return the answer to each request, computed in one batch, or the error that it gets instead."""
        found = self.read_all(requests)
        records, least_variation = collect(found), self.inference.predictor.least_variation
        if records is not None and not have_answers(records, least_variation):
            found = [check_part(part, least_variation) for part in found]
            records = collect(found)
        if records is None:
            return found
        return self.write_all(requests, found, self.inference.predict(records, PATH))

    def read_all(self, requests: list[CompleteRequest]) -> list[np.ndarray | Exception]:
        """Return the records of each request, or the error that it gets instead."""
        start, metrics = perf_counter(), self.inference.metrics
        for request in requests:
            metrics.time("queue", start - request.complete)
        found = [read_records(request) for request in requests]
        metrics.time("parse", perf_counter() - start)
        return found

    def write_all(
        self, requests: list[CompleteRequest], found: list[np.ndarray | Exception], probabilities: np.ndarray
    ) -> list[bytes | Exception]:
        """Return each request's answer from the probabilities of all records (records, classes), or its error."""
        rows = probabilities.tolist()  # at once: numpy takes microseconds for the smallest array
        answers, first = [], 0
        for request, part in zip(requests, found, strict=True):
            if isinstance(part, np.ndarray):
                own = rows[first : first + len(part)]
                first += len(part)
                answers.append(write_answer(request, own, self.inference.predictor.classes))
            else:
                answers.append(part)
        return answers


def read_records(request: CompleteRequest) -> np.ndarray | Exception:
    try:
        return request.read(request.body)
    except TooManyRecordsError as error:
        return HTTPException(413, str(error))
    except InvalidRecordsError as error:
        return RequestValidationError([error.mistake])


def check_part(part: np.ndarray | Exception, least_variation: float) -> np.ndarray | Exception:
    """Return a request's records, or the error that it gets because one of them has no answer."""
    try:
        if isinstance(part, np.ndarray):
            check(part, least_variation)
    except InvalidRecordsError as error:
        return RequestValidationError([error.mistake])
    return part


def collect(found: list[np.ndarray | Exception]) -> np.ndarray | None:
    """Return all records in one array, or None where there are none."""
    parts = [part for part in found if isinstance(part, np.ndarray)]
    if len(parts) > 1:
        return np.concatenate(parts)
    return parts[0] if parts else None


def write_answer(request: CompleteRequest, rows: list[list[float]], classes: list[str]) -> bytes:
    """Return the JSON of a BatchAnswer; pydantic would take longer than the network to write it."""
    analysis = analyse(rows, classes)
    milliseconds = 1000 * (perf_counter() - request.complete)
    return b'{"Analysis":%b,"Execution Time":%.3f}' % (analysis, milliseconds)
