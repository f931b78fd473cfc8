"""What uvicorn leaves without a limit: a connection that says nothing, never ends its headers, or takes no answer."""

import asyncio
import signal
from threading import current_thread, main_thread
from time import perf_counter

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.settings import settings

MOST_HEAD = 64 * 1024  # bytes of a request's line and headers, beside what came with their start
SWEEP = 1.0  # s
LONGEST = 2 * settings.sending_timeout + settings.request_timeout  # s for a body, its answer, and taking that


def find_server() -> uvicorn.Server | None:
    """Return the uvicorn server on whose event loop this is called; None where something else serves the app."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(server, uvicorn.Server) and current_thread() is main_thread() else None


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's, with an end to headers that have none."""

    in_head, head = False, 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        was_in_head, self.in_head = self.in_head, self.scope is not None and "path" not in self.scope
        self.head = self.head + len(data) if was_in_head and self.in_head else 0
        if self.head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response(f"The headers are longer than {MOST_HEAD} bytes.")


def bound_connections(server: uvicorn.Server) -> asyncio.Task:
    """Bound the connections to come; return the task that looks at them, to be cancelled in the end."""
    if server.config.http_protocol_class is HttpToolsProtocol:
        server.config.http_protocol_class = BoundedProtocol
    return asyncio.create_task(sweep(server))


def http_connections(server: uvicorn.Server) -> list[HttpToolsProtocol]:
    return [each for each in server.server_state.connections if isinstance(each, HttpToolsProtocol)]


async def sweep(server: uvicorn.Server) -> None:
    """Close connections where nothing has changed for too long."""
    since: dict[HttpToolsProtocol, tuple[object, float]] = {}
    while True:
        await asyncio.sleep(SWEEP)
        now = perf_counter()
        before, since = since, {}
        for each in http_connections(server):
            if each.timeout_keep_alive_task is None:  # else uvicorn's timer runs
                cycle, begin = before.get(each, (None, now))
                since[each] = (each.cycle, begin if cycle is each.cycle else now)
        for each, (cycle, begin) in since.items():
            is_answering = cycle is not None and not cycle.response_complete
            if now - begin > (LONGEST if is_answering else settings.sending_timeout):
                each.transport.abort()
