"""Small requests that arrive together are computed together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

MOST = 16  # questions at once: enough for the network, few enough for the loop to read the next meanwhile
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Coalescer(Generic[Question, Answer]):
    """Hand the questions that have come in to one call of answer_all, as soon as the previous call is done.

    A question that is alone is answered at once on the event loop, where the way to another thread would take longer
    than the answer. Several go to a thread, so that the loop reads the next requests meanwhile. Nothing ever waits for
    a timer.
    """

    def __init__(self, answer_all: Callable[[list[Question]], list[Answer | Exception]], threads: Executor) -> None:
        self.loop = asyncio.get_running_loop()  # kept: asking for it again is a system call
        self.answer_all = answer_all
        self.threads = threads
        self.waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self.computing = False

    async def ask(self, question: Question) -> Answer:
        """Return the answer; raises what answer_all returned as an exception for this question."""
        future = self.loop.create_future()
        self.waiting.append((question, future))
        if not self.computing:
            self.computing = True
            self.loop.call_soon(self.compute)
        return await future

    def compute(self) -> None:
        batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
        questions = [question for question, _ in batch]
        if len(batch) == 1:
            self.deliver(batch, self.attempt(questions))
            return
        computed = self.loop.run_in_executor(self.threads, self.attempt, questions)
        computed.add_done_callback(lambda done: self.deliver(batch, done.result()))

    def attempt(self, questions: list[Question]) -> list[Answer | Exception]:
        """Answer the questions; what answer_all did not expect becomes the answer to each, so that nobody waits on."""
        try:
            return self.answer_all(questions)
        except Exception as error:
            return [error] * len(questions)

    def deliver(self, batch: list[tuple[Question, asyncio.Future[Answer]]], answers: list[Answer | Exception]) -> None:
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():  # its sender has gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        self.computing = bool(self.waiting)
        if self.waiting:
            self.loop.call_soon(self.compute)
