"""Every name of uvicorn that its documentation does not promise: look here first when uvicorn's version changes.

Written for uvicorn 0.54. Its public interface offers neither the server that runs an app nor that server's connections.
The names of its parent of several processes are in api/processes.py.
"""

import signal
from threading import current_thread, main_thread

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024  # of a request's line and headers, beside the packet with which they begin


def find_server() -> uvicorn.Server | None:
    """Return the uvicorn server on whose event loop this is called; None where something else serves the app."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(server, uvicorn.Server) and current_thread() is main_thread() else None


class LimitedHeadProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a limit on the bytes of a request's line and headers."""

    is_in_head, head_bytes = False, 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        was_in_head = self.is_in_head
        self.is_in_head = self.scope is not None and "path" not in self.scope  # uvicorn adds it when the headers end
        self.head_bytes = self.head_bytes + len(data) if was_in_head and self.is_in_head else 0
        if self.head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The headers are longer than {MOST_HEAD_BYTES} bytes.")


def limit_heads(server: uvicorn.Server) -> None:
    """Limit the headers on connections that are opened from now on."""
    if server.config.http_protocol_class is HttpToolsProtocol:
        server.config.http_protocol_class = LimitedHeadProtocol


def list_connections(server: uvicorn.Server) -> list[HttpToolsProtocol]:
    return [each for each in server.server_state.connections if isinstance(each, HttpToolsProtocol)]


def is_idle(connection: HttpToolsProtocol) -> bool:
    """Tell whether the connection waits between two requests, where uvicorn's own timer runs."""
    return connection.timeout_keep_alive_task is not None


def latest_request(connection: HttpToolsProtocol) -> object | None:
    """Return an object that stands for the connection's latest request; None before the first."""
    return connection.cycle


def is_answering(connection: HttpToolsProtocol) -> bool:
    return connection.cycle is not None and not connection.cycle.response_complete


def close(connection: HttpToolsProtocol) -> None:
    """Close the connection at once, whatever the client has not read yet."""
    connection.transport.abort()


def is_reloading(server: uvicorn.Server) -> bool:
    return server.config.should_reload


def list_listeners(server: uvicorn.Server) -> list[int]:
    """Return the file descriptors of the sockets on which the server listens."""
    return [listener.fileno() for each in server.servers for listener in each.sockets]


def close_listeners(server: uvicorn.Server) -> None:
    """Accept no more connections; a socket that other processes have too stays open for them."""
    for each in server.servers:
        each.close()


def stop(server: uvicorn.Server) -> None:
    """Let the server finish the requests it has accepted, and end."""
    server.should_exit = True
