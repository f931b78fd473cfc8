"""Small requests that arrive together are computed together."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

MOST = 16  # requests in one batch: with few records each, it keeps the event loop busy for 1 to 2 ms
Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Batcher(Generic[Request, Answer]):
    """Collects the requests that arrive during two turns of the event loop and answers them by one call, on the loop.

    In the second turn the loop reads what has arrived since the first, so batches are larger. There is no timer: a
    request that is alone is answered as soon as nothing else is to be read. The call runs on the event loop, because
    handing small requests to another thread and back takes longer than computing their answers.
    """

    def __init__(self, answer_all: Callable[[list[Request]], list[Answer | Exception]]) -> None:
        """answer_all returns, in the order of the requests, an answer for each or the exception that it gets."""
        self.loop = asyncio.get_running_loop()  # kept: asking for it again is a system call
        self.answer_all = answer_all
        self.waiting: list[tuple[Request, asyncio.Future[Answer]]] = []

    async def ask(self, request: Request) -> Answer:
        """Return the answer to the request. Raises the exception that answer_all returned for it."""
        future = self.loop.create_future()
        if not self.waiting:
            self.loop.call_soon(self.wait_or_compute)
        self.waiting.append((request, future))
        return await future

    def wait_or_compute(self) -> None:
        """Wait for the second turn, unless the batch is full."""
        if len(self.waiting) < MOST:
            self.loop.call_soon(self.compute)
        else:
            self.compute()

    def compute(self) -> None:
        batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
        if self.waiting:
            self.loop.call_soon(self.compute)
        for (_, future), answer in zip(batch, self.attempt([request for request, _ in batch]), strict=True):
            if future.done():  # the request was cancelled
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def attempt(self, requests: list[Request]) -> list[Answer | Exception]:
        """Answer the requests; where answer_all fails for the batch, each request is answered on its own."""
        try:
            return self.answer_all(requests)
        except Exception as error:
            if len(requests) == 1:
                return [error]
            return [self.attempt([request])[0] for request in requests]
