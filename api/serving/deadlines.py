"""Deadlines: by when a request's body has to arrive, and by when its response has to start."""

import asyncio
from math import inf
from time import perf_counter

from starlette.exceptions import HTTPException

from api.serving.exchange import Exchange


class Deadlines:
    """Cancels the tasks of late requests; one regular check is cheaper than a timer for each request."""

    def __init__(self, sending_timeout: float, request_timeout: float) -> None:
        """Timeouts are seconds: for a body to arrive, and from then on for its response to start."""
        self.sending_timeout = sending_timeout
        self.request_timeout = request_timeout
        self.running: set[Exchange] = set()

    def start(self, exchange: Exchange, loop: asyncio.AbstractEventLoop) -> None:
        """Give the current task, which handles the request, a deadline for the body."""
        exchange.task = asyncio.current_task(loop)
        exchange.deadline = exchange.start + self.sending_timeout
        self.running.add(exchange)

    def start_response(self, exchange: Exchange, now: float) -> None:
        """Replace the deadline by the response's, now that the body is complete."""
        exchange.deadline = now + self.request_timeout

    def clear(self, exchange: Exchange) -> None:
        """Remove the deadline: the response has started, and how fast the client reads it is the client's affair."""
        exchange.deadline = inf

    def end(self, exchange: Exchange) -> None:
        self.running.discard(exchange)
        exchange.task = None  # it refers back to the exchange, and only the garbage collector would free the two

    def cancel_late(self) -> None:
        now = perf_counter()
        for exchange in self.running:
            if now > exchange.deadline and not exchange.is_late:
                exchange.is_late = True
                exchange.task.cancel()

    def error(self, exchange: Exchange) -> HTTPException:
        """Return what a late request is answered."""
        if exchange.is_complete:
            return HTTPException(503, "no answer in time: try again", {"Retry-After": "1"})
        return HTTPException(408, f"the request's body took longer than {self.sending_timeout:g} s to come in")
