"""How a route asks the store, and what the routes of machines have in common."""

from collections.abc import Callable
from typing import Any

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

from api.machine.store import RefusedError, Store, UnknownError
from api.recording.pool import refuse
from api.serving.errors import ErrorAnswer, InvalidAnswer

ONE = "/{machine}/points/{point}"
COMMON = {
    422: {"model": InvalidAnswer, "description": "What came, where, and what was expected"},
    503: {"model": ErrorAnswer, "description": "There is no store, or too many requests wait; then Retry-After"},
}
BODY = {
    400: {"model": ErrorAnswer, "description": "The body cannot be read"},
    408: {"model": ErrorAnswer, "description": "The body did not come in time"},
    413: {"model": ErrorAnswer, "description": "Larger than is allowed"},
}
UNKNOWN = {404: {"model": ErrorAnswer, "description": "No such machine, point, recording or alarm"}}


async def ask(request: Request, call: Callable[..., Any], *arguments: Any) -> Any:
    """Return call(store, *arguments), which runs in a thread, since it waits for a disk."""
    store: Store | None = request.app.state.store
    if store is None:
        raise HTTPException(503, "the store of machines could not be opened; the service's log says why")
    try:
        return await run_in_threadpool(call, store, *arguments)
    except UnknownError as error:
        raise HTTPException(404, str(error)) from error
    except RefusedError as error:
        raise refuse(error.field, str(error)) from error
