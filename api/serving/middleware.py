"""Everything that surrounds a request, in the order in which it happens."""

import asyncio
import logging
from collections.abc import Mapping
from time import perf_counter

from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.serving.access_log import AccessLog
from api.serving.admission import Admission
from api.serving.bodies import CLOSE, read_rest
from api.serving.deadlines import Deadlines
from api.serving.errors import send_error
from api.serving.exchange import Exchange
from api.serving.keys import Keys
from api.serving.log_queue import STDOUT, open_queue
from api.serving.metrics import Metrics
from api.settings import Settings

DISCONNECT: Message = {"type": "http.disconnect"}
INTERVAL = 0.25  # s between two looks for late requests, and between two batches of the access log and the metrics

log = logging.getLogger("uvicorn.error")


class ServingMiddleware:
    """The outermost layer of the app: every request passes through it and every response leaves through it."""

    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, keys: Keys, body_limits: Mapping[str, int]
    ) -> None:
        """Body limits are the most bytes of a body under each path that takes one."""
        self.app = app
        self.metrics = metrics
        self.keys = keys
        self.admission = admission = Admission(body_limits, settings.max_buffered, settings.max_queue)
        self.deadlines = Deadlines(settings.sending_timeout, settings.request_timeout)
        self.access_log: AccessLog | None = None
        if settings.log_requests:
            self.access_log = AccessLog(settings.log_format, open_queue(STDOUT, metrics.dropped_lines.inc))
        self.loop: asyncio.AbstractEventLoop | None = None  # kept: asking for it again is a system call
        metrics.followed += [(metrics.buffered, lambda: admission.buffered), (metrics.queued, lambda: admission.queued)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.start_timer()
        exchange = Exchange(scope)
        send = add_headers(exchange, scope["app"].state, send)
        most = self.admission.limit_of(exchange)
        try:
            if most is None:
                await self.answer(exchange, scope, receive, send)
            else:
                await self.answer_with_body(exchange, most, scope, receive, send)
        except Exception:
            if exchange.status:
                raise
            log.exception("request %s", exchange.request_id.decode())
            await send_error(HTTPException(500, "Internal Server Error"), exchange, send)
        finally:
            self.admission.release(exchange)
            self.record(exchange)

    async def answer(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self.keys.check(exchange)
            await self.app(scope, receive, send)
        except HTTPException as error:
            await send_error(error, exchange, send)

    async def answer_with_body(self, exchange: Exchange, most: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with a body of so many bytes at most, within the deadlines."""

        async def receive_counted() -> Message:
            message = await receive() if exchange.rejection is None else DISCONNECT
            if message["type"] == "http.request":
                exchange.rejection = self.admission.add(exchange, message, most)
                if exchange.rejection:
                    return DISCONNECT  # so that the reader frees the body before the client gets the error
                if exchange.is_complete:
                    now = perf_counter()
                    self.metrics.time("read", now - exchange.start)
                    self.deadlines.start_response(exchange, now)
            return message

        async def send_response(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not exchange.is_complete:
                    await read_rest(exchange, message, receive, most)
                self.deadlines.clear(exchange)
                self.admission.release(exchange)  # a client that reads slowly must not hold a place in the queue
            await send(message)

        async def send_unless_rejected(message: Message) -> None:
            if exchange.rejection is None:
                await send_response(message)

        self.deadlines.start(exchange, self.loop)
        try:
            self.keys.check(exchange)
            self.admission.check_head(exchange, most)
            await self.app(scope, receive_counted, send_unless_rejected)
            if exchange.rejection:
                raise exchange.rejection
        except HTTPException as error:
            self.admission.release_body(exchange)
            await send_error(error, exchange, send_response)
        except asyncio.CancelledError:
            if not exchange.is_late or exchange.status:
                raise
            exchange.task.uncancel()
            await send_error(self.deadlines.error(exchange), exchange, send_response)
        finally:
            self.deadlines.end(exchange)

    def start_timer(self) -> None:
        if self.loop is None or not self.loop.is_running():
            self.loop = asyncio.get_running_loop()
            self.loop.call_later(INTERVAL, self.look)

    def look(self) -> None:
        self.deadlines.cancel_late()
        self.metrics.settle()
        if self.access_log:
            self.access_log.flush()
        self.loop.call_later(INTERVAL, self.look)

    def record(self, exchange: Exchange) -> None:
        seconds = perf_counter() - exchange.start
        self.metrics.count_request(exchange.path, exchange.method, exchange.status, seconds)
        if self.access_log:
            self.access_log.write(exchange, seconds)


def add_headers(exchange: Exchange, state: State, send: Send) -> Send:
    """Return a send that notes the response's status and adds the headers which every response has."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            given = message.get("headers", ())
            headers = [*given, (b"x-request-id", exchange.request_id), (b"x-model", state.model_header)]
            if exchange.traceparent:
                headers.append((b"traceparent", exchange.traceparent))
            if not state.ready and CLOSE not in given:
                headers.append(CLOSE)  # the service stops, and would not answer the client's next request
            message["headers"] = headers
        await send(message)

    return send_with_headers
