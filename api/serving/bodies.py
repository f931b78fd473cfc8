"""Request bodies: each is held in memory once, and its memory returns to the system."""

import ctypes
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import Receive

LARGE = 12_000_000  # bytes
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def give_large_blocks_back() -> None:
    """Let freed blocks of LARGE bytes return to the system: glibc otherwise comes to keep up to 32 MB."""
    with suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(MMAP_THRESHOLD, LARGE)
        library.mallopt(TRIM_THRESHOLD, LARGE)  # glibc would lower it, and then ask the system at each request


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
