"""Small requests that arrive together are computed together."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

MOST = 16  # questions at once: of few records each, 1 to 2 ms on the event loop
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Coalescer(Generic[Question, Answer]):
    """Hand the questions that came in during one turn of the event loop to one call of answer_all, on the loop.

    Nothing waits for a timer: a question that is alone is answered in the next turn. On the loop, because for small
    questions the way to another thread and back takes longer than the answers.
    """

    def __init__(self, answer_all: Callable[[list[Question]], list[Answer | Exception]]) -> None:
        self.loop = asyncio.get_running_loop()  # kept: asking for it again is a system call
        self.answer_all = answer_all
        self.waiting: list[tuple[Question, asyncio.Future[Answer]]] = []

    async def ask(self, question: Question) -> Answer:
        """Return the answer; raises what answer_all returned as an exception for this question."""
        future = self.loop.create_future()
        if not self.waiting:
            self.loop.call_soon(self.compute)
        self.waiting.append((question, future))
        return await future

    def compute(self) -> None:
        batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
        if self.waiting:
            self.loop.call_soon(self.compute)
        for (_, future), answer in zip(batch, self.attempt([question for question, _ in batch]), strict=True):
            if future.done():  # its sender has gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def attempt(self, questions: list[Question]) -> list[Answer | Exception]:
        """Answer the questions; one at which answer_all fails gets the error, and the others their answers."""
        try:
            return self.answer_all(questions)
        except Exception as error:
            if len(questions) == 1:
                return [error]
            return [self.attempt([question])[0] for question in questions]
