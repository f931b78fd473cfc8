"""`POST /batch_predict/`: from the bytes of a request to the bytes of its answer."""

from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
from fastapi import Request, Response
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answers import analyse
from api.coalescer import Coalescer
from api.predictor import Predictor
from api.records import InvalidRecordsError, RecordReader

PATH = "/batch_predict/"
SMALL = 128 * 1024  # bytes; smaller bodies are computed together
Reader = Callable[[bytes], np.ndarray]


class Question(NamedTuple):
    """One request's body, how to read it, and the moment at which it was complete."""

    read: Reader
    body: bytes
    start: float


class BatchPredictor:
    """Answer requests to PATH; whatever is needed for it, loaded once."""

    def __init__(self, predictor: Predictor, workers: Executor) -> None:
        reader = RecordReader(predictor.window_length, predictor.least_variation, predictor.spread)
        self.readers: dict[str, Reader] = {"application/json": reader.read_json, "application/x-npy": reader.read_npy}
        self.answer_all = partial(answer_all, predictor=predictor)
        self.workers = workers
        self.coalescer = Coalescer(self.answer_all, self.workers)

    async def __call__(self, content_type: str, receive: Receive) -> Response:
        """Return the finished answer. Raises RequestValidationError."""
        read = self.pick_reader(content_type)
        body = await read_body(receive)
        if body is None:
            return Response(status_code=400)  # the sender has gone, nobody is there to read it
        question = Question(read, body, perf_counter())
        if len(body) < SMALL:
            return await self.coalescer.ask(question)
        [response] = await get_running_loop().run_in_executor(self.workers, self.answer_all, [question])
        if isinstance(response, Exception):
            raise response
        return response

    def pick_reader(self, content_type: str) -> Reader:
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in self.readers:
            expected = f"Content-Type should be {' or '.join(self.readers)}"
            mistake = {"type": "content_type", "loc": ["header", "content-type"], "msg": expected}
            raise RequestValidationError([mistake | {"input": content_type[:80] or None}])
        return self.readers[media_type]


class BatchPredictMiddleware:
    """Lead requests to PATH straight to the BatchPredictor in app.state.

    The way through FastAPI's router, dependencies and serialisation takes as long as the diagnosis of one record, and
    this path needs none of them. The route in api.api documents it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        try:
            response = await scope["app"].state.batch_predictor(content_type.decode("latin-1"), receive)
        except RequestValidationError as error:
            response = await request_validation_exception_handler(Request(scope), error)
        await response(scope, receive, send)


async def read_body(receive: Receive) -> bytes | None:
    """Return the whole body, or None where its sender went away before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


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
