"""A load client that costs little itself: prepared bytes over raw connections, on one event loop."""

import asyncio
import re
from time import perf_counter

import uvloop

CONTENT_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
NPY, JSON = "application/x-npy", "application/json"


def prepare(path: str, content_type: str, body: bytes) -> bytes:
    """Return the bytes of a whole POST request."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Sender(asyncio.Protocol):
    """One connection that sends the request again as soon as it is answered, while there are requests left."""

    def __init__(self, request: bytes, left: list[int], latencies: list[float], done: asyncio.Future) -> None:
        self.request = request
        self.left = left
        self.latencies = latencies
        self.done = done
        self.expected = 0
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        if self.left[0] == 0:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.left[0] -= 1
        self.received = b""
        self.expected = 0
        self.start = perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.expected and (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end]
            if b" 200 " not in head[:16]:
                self.fail(RuntimeError(self.received[:500].decode(errors="replace")))
                return
            self.expected = end + 4 + int(CONTENT_LENGTH.search(head)[1])
        if self.expected and len(self.received) >= self.expected:
            self.latencies.append(perf_counter() - self.start)
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(error or ConnectionError("the service closed the connection"))

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def load(port: int, request: bytes, connections: int, requests: int) -> tuple[list[float], float]:
    """Send requests over so many connections and return the latencies (s) and the requests answered in a second."""
    return uvloop.run(send_all(port, request, connections, requests))


async def send_all(port: int, request: bytes, connections: int, requests: int) -> tuple[list[float], float]:
    loop = asyncio.get_running_loop()
    left, latencies = [requests], []
    start = perf_counter()
    finished = []
    for _ in range(connections):
        done = loop.create_future()
        finished.append(done)
        await loop.create_connection(lambda done=done: Sender(request, left, latencies, done), "127.0.0.1", port)
    await asyncio.gather(*finished)
    return latencies, requests / (perf_counter() - start)
