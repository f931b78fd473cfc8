"""Which requests are admitted: limits on the bytes of one body, on those of all bodies, and on the queue."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import Message

from api.serving.exchange import Exchange
from api.settings import FORM_BYTES


class Admission:
    """Counts the bytes and the complete requests that the service holds."""

    def __init__(self, limits: Mapping[str, int], max_buffered: int, max_queue: int) -> None:
        """Limits are the most bytes in a body under each path that takes one; its requests wait in the queue."""
        self.limits = limits
        self.max_buffered = max_buffered
        self.max_queue = max_queue
        self.buffered = 0  # bytes that have arrived of all bodies
        self.queued = 0  # complete requests without a response

    def limit_of(self, exchange: Exchange) -> int | None:
        """Return the most bytes that the request's body may have, or None where its path takes no body."""
        if exchange.method not in ("POST", "PUT"):
            return None
        if exchange.path in self.limits:
            return self.limits[exchange.path]
        return next((most for path, most in self.limits.items() if exchange.path.startswith(path)), None)

    def check_head(self, exchange: Exchange, most: int) -> None:
        """Raise HTTPException where the headers already say that the request can't be admitted."""
        length = exchange.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > most + FORM_BYTES:
            raise too_large(most)
        if self.queued >= self.max_queue:
            raise busy()

    def add(self, exchange: Exchange, message: Message, most: int) -> HTTPException | None:
        """Count a part of a body; return the error where it is too large, or where there is no room for it."""
        size = len(message.get("body", b""))
        exchange.received += size
        exchange.buffered += size
        self.buffered += size
        exchange.is_complete = not message.get("more_body", False)
        if exchange.received > most + FORM_BYTES:
            return too_large(most)
        if self.buffered > self.max_buffered or (exchange.is_complete and self.queued >= self.max_queue):
            return busy()
        if exchange.is_complete and not exchange.is_queued:
            exchange.is_queued = True
            self.queued += 1
        return None

    def release_body(self, exchange: Exchange) -> None:
        self.buffered -= exchange.buffered
        exchange.buffered = 0

    def release(self, exchange: Exchange) -> None:
        """Give back the request's bytes and its place in the queue."""
        self.release_body(exchange)
        self.queued -= exchange.is_queued
        exchange.is_queued = False


def too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the request is too large, expected {most:,} bytes at most")


def busy() -> HTTPException:
    return HTTPException(503, "too many requests at once: try again", {"Retry-After": "1"})
