"""Time limits that uvicorn lacks: for connections without a request, and for clients that do not read a response."""

import asyncio
from time import perf_counter

import uvicorn

from api.serving.uvicorn_internals import close, is_answering, is_idle, latest_request, limit_heads, list_connections
from api.settings import settings

INTERVAL = 1.0  # s between two checks
WITHOUT_REQUEST = settings.sending_timeout  # s for the headers of a request to arrive
WITH_REQUEST = 2 * settings.sending_timeout + settings.request_timeout  # s for its body, its response, and reading that


def limit_connections(server: uvicorn.Server) -> asyncio.Task:
    """Limit connections from now on; return the task that checks them, to be cancelled when the service stops."""
    limit_heads(server)
    return asyncio.create_task(close_stalled(server))


async def close_stalled(server: uvicorn.Server) -> None:
    """Close connections on which no request has begun or ended for too long."""
    states: dict[object, tuple[object, float]] = {}  # the latest request of each, and since when it is that
    while True:
        await asyncio.sleep(INTERVAL)
        now = perf_counter()
        before, states = states, {}
        for connection in list_connections(server):
            if is_idle(connection):
                continue
            request, since = before.get(connection, (None, now))
            states[connection] = (latest_request(connection), since if request is latest_request(connection) else now)
        for connection, (_, since) in states.items():
            if now - since > (WITH_REQUEST if is_answering(connection) else WITHOUT_REQUEST):
                close(connection)
