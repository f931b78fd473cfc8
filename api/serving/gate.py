"""What every request passes on its way in and out: keys, limits, time, a request id, metrics, a line in the log."""

import asyncio
import atexit
import hmac
import json
import logging
import re
from contextlib import suppress
from math import inf
from random import getrandbits
from time import perf_counter, time
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.serving.metrics import Metrics
from api.settings import FORM_BYTES, Settings

UPLOADS = "/diagnose/"
COUNTED = ("/batch_predict/", UPLOADS, "/v2/")  # whose requests wait in the queue
OPEN = ("/health/", "/v2/health/", "/docs", "/openapi.json")  # without a key, for who routes requests, or reads on them
SPARE = 8_000_000  # bytes read on of a body that has turned out too large
CLOSE = (b"connection", b"close")
GONE: Message = {"type": "http.disconnect"}
LOOK = 0.25  # s between looks for requests that are late
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
PATH_MARKS = "/:@!$&'()*+,;=~-._"  # beside letters and digits, as they are in a line of the log
TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

log = logging.getLogger("uvicorn.error")


class Passage:
    """One request on its way: who sent it, what has come in of it, what was answered."""

    __slots__ = (
        "came", "deadline", "ended", "headers", "held", "is_late", "method", "path", "queued", "refusal", "request_id",
        "start", "status", "task", "traceparent",
    )  # fmt: skip

    def __init__(self, scope: Scope) -> None:
        self.headers = headers = dict(scope["headers"])
        given, traceparent = headers.get(b"x-request-id", b""), headers.get(b"traceparent", b"")
        self.method: str = scope["method"]
        self.path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        self.request_id = given if REQUEST_ID.fullmatch(given) else b"%016x" % getrandbits(64)
        self.traceparent = traceparent if TRACE.fullmatch(traceparent) else b""
        self.start = perf_counter()
        self.came, self.held, self.ended, self.queued, self.status = 0, 0, False, False, 0
        self.refusal: HTTPException | None = None  # of a body on its way
        self.deadline, self.is_late = inf, False
        self.task: asyncio.Task | None = None


class Gate:
    """The outermost layer of the app: nothing gets past it, and nothing is answered without it."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, page: frozenset[str]) -> None:
        """page are the paths of files that hold no secret and may be read without a key."""
        self.app = app
        self.page = page
        self.settings = settings
        self.metrics = metrics
        self.keys = [key.encode() for key in settings.keys]
        self.buffered = 0  # bytes that have come in of all requests together
        self.queued = 0  # whole requests without an answer
        self.lines: list[str] = []  # of the log, not yet written
        atexit.register(self.flush)
        self.inside: set[Passage] = set()  # requests with a deadline
        self.loop: asyncio.AbstractEventLoop | None = None  # kept: asking for it again is a system call
        metrics.buffered.set_function(lambda: self.buffered)
        metrics.queued.set_function(lambda: self.queued)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.loop is None or not self.loop.is_running():
            self.loop = asyncio.get_running_loop()
            self.loop.call_later(LOOK, self.look)
        passage = Passage(scope)
        try:
            if passage.method == "POST" and passage.path.startswith(COUNTED):
                await self.lead_counted(passage, scope, receive, send)
            else:
                await self.lead(passage, scope, receive, send)
        except Exception:
            if passage.status:
                raise
            log.exception("request %s", passage.request_id.decode())
            await refuse(HTTPException(500, "Internal Server Error"), passage, self.watch(passage, scope, send))
        finally:
            self.leave(passage)
            self.note(passage)

    async def lead(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead a request that takes nothing to answer."""
        send = self.watch(passage, scope, send)
        try:
            self.check_key(passage)
            await self.app(scope, receive, send)
        except HTTPException as error:
            await refuse(error, passage, send)

    async def lead_counted(self, passage: Passage, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead a request with a body, between a receive and a send that watch over sizes and time."""
        most = self.settings.max_upload if passage.path == UPLOADS else self.settings.max_body
        plain_send = self.watch(passage, scope, send)

        async def receive_some() -> Message:
            message = await receive() if passage.refusal is None else GONE
            if message["type"] != "http.request":
                return message
            passage.refusal = self.take(passage, message, most)
            if passage.refusal:
                return GONE  # so that whoever collects the body lets go of it before its sender is told
            if passage.ended:
                now = perf_counter()
                self.metrics.time("read", now - passage.start)
                passage.deadline = now + self.settings.request_timeout
            return message

        async def send_some(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not passage.ended:
                    await drain(passage, message, receive, most)
                passage.deadline = inf
                self.leave(passage)  # who does not take the answer holds up nobody else
            await plain_send(message)

        async def send_unless_refused(message: Message) -> None:
            if passage.refusal is None:
                await send_some(message)

        self.set_deadline(passage)
        try:
            self.check_key(passage)
            check_length(passage, most)
            if self.queued >= self.settings.max_queue:
                raise busy()
            await self.app(scope, receive_some, send_unless_refused)
            if passage.refusal:
                raise passage.refusal
        except HTTPException as error:
            self.release(passage)
            await refuse(error, passage, send_some)
        except asyncio.CancelledError:
            if not passage.is_late or passage.status:
                raise
            passage.task.uncancel()
            await refuse(late() if passage.ended else slow(self.settings.sending_timeout), passage, send_some)
        finally:
            self.inside.discard(passage)
            passage.task = None  # which leads back to the passage: nothing is left for the garbage collector

    def set_deadline(self, passage: Passage) -> None:
        """Let the body come in by a deadline; a look at all requests now and then is cheaper than a timer for each."""
        passage.task = asyncio.current_task(self.loop)
        passage.deadline = passage.start + self.settings.sending_timeout
        self.inside.add(passage)

    def look(self) -> None:
        """Cancel what is late, and write the log: a write for each line would take longer than the rest of this."""
        now = perf_counter()
        for passage in self.inside:
            if now > passage.deadline and not passage.is_late:
                passage.is_late = True
                passage.task.cancel()
        self.loop.call_later(LOOK, self.look)
        self.flush()

    def flush(self) -> None:
        lines, self.lines = self.lines, []
        if lines:
            with suppress(OSError, ValueError):  # a full disk, or nobody reads on: no reason to answer nobody
                print(*lines, sep="\n", flush=True)

    def take(self, passage: Passage, message: Message, most: int) -> HTTPException | None:
        """Count a part of a body, and return a refusal where it is too much, or there is no room for it."""
        size = len(message.get("body", b""))
        passage.came += size
        passage.held += size
        self.buffered += size
        passage.ended = not message.get("more_body", False)
        if passage.came > most + FORM_BYTES:
            return too_large(most)
        if self.buffered > self.settings.max_buffered or (passage.ended and self.queued >= self.settings.max_queue):
            return busy()
        if passage.ended and not passage.queued:
            passage.queued = True
            self.queued += 1
        return None

    def leave(self, passage: Passage) -> None:
        self.release(passage)
        self.queued -= passage.queued
        passage.queued = False

    def release(self, passage: Passage) -> None:
        self.buffered -= passage.held
        passage.held = 0

    def check_key(self, passage: Passage) -> None:
        """Raise HTTPException unless a key is given that is one of ours, or none is asked for."""
        if not self.keys or passage.path.startswith(OPEN) or passage.path in self.page or passage.method == "OPTIONS":
            return
        scheme, _, credentials = passage.headers.get(b"authorization", b"").partition(b" ")
        given = passage.headers.get(b"x-api-key") or (credentials.strip() if scheme.lower() == b"bearer" else b"")
        matches = [hmac.compare_digest(given, key) for key in self.keys]  # all of them, so that time tells nothing
        if not any(matches):
            raise HTTPException(401, "a key is needed: send it as X-API-Key", {"WWW-Authenticate": "Bearer"})

    def watch(self, passage: Passage, scope: Scope, send: Send) -> Send:
        """Return a send that notes the status, and adds the headers which every answer has."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                passage.status = message["status"]
                state, given = scope["app"].state, message.get("headers", ())
                headers = [(b"x-request-id", passage.request_id), (b"x-model", state.model_header)]
                if passage.traceparent:
                    headers.append((b"traceparent", passage.traceparent))
                if not state.ready and CLOSE not in given:
                    headers.append(CLOSE)  # the sender's next request would find nobody
                message["headers"] = [*given, *headers]
            await send(message)

        return send_with_headers

    def note(self, passage: Passage) -> None:
        seconds = perf_counter() - passage.start
        self.metrics.note(passage.path, passage.method, passage.status, seconds)
        if self.settings.log_requests:
            self.lines.append(write_line(passage, seconds, self.settings.log_format))


def write_line(passage: Passage, seconds: float, form: str) -> str:
    facts = {
        "time": round(time(), 3),
        "request_id": passage.request_id.decode(),
        "method": passage.method,
        "path": quote(passage.path, safe=PATH_MARKS),
        "status": passage.status,  # 0: the sender went away before an answer
        "milliseconds": round(1000 * seconds, 3),
        "bytes": passage.came,
    }
    if passage.traceparent:
        facts["trace_id"] = TRACE.fullmatch(passage.traceparent)[1].decode()
    return json.dumps(facts) if form == "json" else " ".join(f"{name}={value}" for name, value in facts.items())


def check_length(passage: Passage, most: int) -> None:
    announced = passage.headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > most + FORM_BYTES:
        raise too_large(most)


async def drain(passage: Passage, message: Message, receive: Receive, most: int) -> None:
    """Read what is left of a body that is answered early: who still sends would not see the answer."""
    left = most + FORM_BYTES
    if message["status"] == 413:
        left = SPARE if passage.came else 0  # of what was announced too large, nothing may ever come
    if b"expect" in passage.headers and not passage.came:
        left = 0  # who asks before sending a body is not asked to send it
    try:
        while not passage.ended and left > 0 and message["status"] != 408:
            part = await receive()
            passage.ended = part["type"] == "http.disconnect" or not part.get("more_body", False)
            left -= len(part.get("body", b""))
    except asyncio.CancelledError:
        if not passage.is_late:
            raise
        passage.task.uncancel()
    if not passage.ended:
        message["headers"] = [*message.get("headers", ()), CLOSE]


async def refuse(error: HTTPException, passage: Passage, send: Send) -> None:
    """Answer as FastAPI does, which these requests have not got to, or as the protocol of /v2 wants it."""
    body = json.dumps({"error" if passage.path.startswith("/v2/") else "detail": error.detail}).encode()
    given = [(name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *given]
    await send({"type": "http.response.start", "status": error.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the request is too large, expected {most:,} bytes at most")


def busy() -> HTTPException:
    return HTTPException(503, "too many requests at once: try again", {"Retry-After": "1"})


def late() -> HTTPException:
    return HTTPException(503, "no answer in time: try again", {"Retry-After": "1"})


def slow(seconds: float) -> HTTPException:
    return HTTPException(408, f"the request's body took longer than {seconds:g} s to come in")
