"""One request and its response, as the modules of this folder see them."""

import re
from asyncio import Task
from math import inf
from random import getrandbits
from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.types import Scope

REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context


class Exchange:
    """The request's headers, how much of its body has arrived, and the status of its response."""

    __slots__ = (
        "buffered", "deadline", "headers", "is_complete", "is_late", "is_queued", "method", "path", "received",
        "rejection", "request_id", "start", "status", "task", "traceparent",
    )  # fmt: skip

    def __init__(self, scope: Scope) -> None:
        self.headers = headers = dict(scope["headers"])
        request_id, traceparent = headers.get(b"x-request-id", b""), headers.get(b"traceparent", b"")
        self.method: str = scope["method"]
        self.path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        self.request_id = request_id if REQUEST_ID.fullmatch(request_id) else b"%016x" % getrandbits(64)
        self.traceparent = traceparent if TRACEPARENT.fullmatch(traceparent) else b""
        self.start = perf_counter()
        self.received = 0  # bytes of the body
        self.buffered = 0  # those of them that count against the bytes of all requests
        self.is_complete = False  # whether the whole body has arrived
        self.is_queued = False
        self.rejection: HTTPException | None = None  # why the body is not read to its end
        self.deadline, self.is_late = inf, False
        self.task: Task | None = None
        self.status = 0  # until the response starts

    @property
    def trace_id(self) -> str:
        """The trace of which this request is a part, or an empty string."""
        return TRACEPARENT.fullmatch(self.traceparent)[1].decode() if self.traceparent else ""
