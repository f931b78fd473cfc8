"""Small requests that arrive together are computed together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

MOST = 16  # requests in one batch: with few records each, it takes 1 to 2 ms
FEW = 4  # requests up to which handing them to the thread and back takes longer than what the event loop gains
Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Batcher(Generic[Request, Answer]):
    """Collects the requests that arrive while the last ones are computed, and answers them by one call.

    There is no timer. A few requests are answered on the event loop in the next turn: handing them to a thread and back
    would take longer. More are computed in a thread of their own, which lets go of the interpreter for most of the
    time, while the event loop reads the next requests and writes the last responses.
    """

    def __init__(self, answer_all: Callable[[list[Request]], list[Answer | Exception]]) -> None:
        """answer_all returns, in the order of the requests, an answer for each or the exception that it gets."""
        self.loop = asyncio.get_running_loop()  # kept: asking for it again is a system call
        self.answer_all = answer_all
        self.waiting: list[tuple[Request, asyncio.Future[Answer]]] = []
        self.thread = ThreadPoolExecutor(1, "batches")
        self.is_busy = False

    async def ask(self, request: Request) -> Answer:
        """Return the answer to the request. Raises the exception that answer_all returned for it."""
        future = self.loop.create_future()
        if not self.waiting and not self.is_busy:
            self.loop.call_soon(self.compute)
        self.waiting.append((request, future))
        return await future

    def compute(self) -> None:
        batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
        requests = [request for request, _ in batch]
        if len(batch) <= FEW:
            deliver(batch, self.attempt(requests))
            return
        self.is_busy = True
        computed = self.thread.submit(self.attempt, requests)
        computed.add_done_callback(lambda done: self.loop.call_soon_threadsafe(self.finish, batch, done))

    def finish(self, batch: list[tuple[Request, asyncio.Future[Answer]]], computed: Future) -> None:
        self.is_busy = False
        if self.waiting:
            self.compute()  # first: the thread has work while the event loop delivers answers
        deliver(batch, computed.result())

    def attempt(self, requests: list[Request]) -> list[Answer | Exception]:
        """Answer the requests; where answer_all fails for the batch, each request is answered on its own."""
        try:
            return self.answer_all(requests)
        except Exception as error:
            if len(requests) == 1:
                return [error]
            return [self.attempt([request])[0] for request in requests]


def deliver(batch: list[tuple[Request, asyncio.Future[Answer]]], answers: list[Answer | Exception]) -> None:
    for (_, future), answer in zip(batch, answers, strict=True):
        if future.done():  # the request was cancelled
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
