"""Request bodies: each is held in memory once, and what is left of one is read before an early response."""

import ctypes
from asyncio import CancelledError
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from api.serving.exchange import Exchange
from api.settings import FORM_BYTES

LARGE = 12_000_000  # bytes
MOST_KEPT = 16_000_000  # bytes free at a heap's end: 200 records of JSON leave more than LARGE there
TOO_LARGE, TOO_SLOW = 413, 408
SPARE = 8_000_000  # bytes read of a body that has turned out too large
CLOSE = (b"connection", b"close")
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def give_large_blocks_back() -> None:
    """Let freed blocks of LARGE bytes return to the system: glibc otherwise comes to keep up to 32 MB."""
    with suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(MMAP_THRESHOLD, LARGE)
        # Where a request leaves more than this free, the system takes it back, and the next request pays page faults.
        library.mallopt(TRIM_THRESHOLD, MOST_KEPT)


async def read_body(receive: Receive) -> bytes | bytearray:
    """Return the whole body, whose size the middleware limits. Raises ClientDisconnect where it breaks off."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        if not body and not message.get("more_body", False):
            return part
        body += part  # a list of parts, joined in the end, would hold everything twice
        if not message.get("more_body", False):
            return body


async def read_rest(exchange: Exchange, message: Message, receive: Receive, most: int) -> None:
    """Read the rest of a body before message starts its response: a client that still sends would not see it.

    Where the body does not end within reason, the response closes the connection.
    """
    left = bytes_to_read(exchange, message["status"], most)
    try:
        while not exchange.is_complete and left > 0:
            part = await receive()
            exchange.is_complete = part["type"] == "http.disconnect" or not part.get("more_body", False)
            left -= len(part.get("body", b""))
    except CancelledError:
        if not exchange.is_late:
            raise
        exchange.task.uncancel()
    if not exchange.is_complete:
        message["headers"] = [*message.get("headers", ()), CLOSE]


def bytes_to_read(exchange: Exchange, status: int, most: int) -> int:
    """Return how many bytes of the body are still worth reading."""
    if status == TOO_SLOW:
        return 0
    if b"expect" in exchange.headers and not exchange.received:
        return 0  # the client asks before it sends its body, and is not told to send it
    if status == TOO_LARGE:
        return SPARE if exchange.received else 0  # a body announced as too large may never arrive
    return most + FORM_BYTES
