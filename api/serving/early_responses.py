"""Responses that start before the request's body has arrived."""

from asyncio import CancelledError

from starlette.types import Message, Receive

from api.serving.exchange import Exchange
from api.settings import FORM_BYTES

TOO_LARGE, TOO_SLOW = 413, 408
SPARE = 8_000_000  # bytes read of a body that has turned out too large
CLOSE = (b"connection", b"close")


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
