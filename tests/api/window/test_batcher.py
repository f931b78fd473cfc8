import asyncio

import pytest

from api.window.batcher import MOST, Batcher


def ask_all(answer_all, requests) -> tuple[list, list[list]]:
    """Send all requests at the same time; return answers (or exceptions) and the batches that were computed."""
    batches = []

    def recorded(batch: list) -> list:
        batches.append(batch)
        return answer_all(batch)

    async def run() -> list:
        batcher = Batcher(recorded)
        return await asyncio.gather(*(batcher.ask(request) for request in requests), return_exceptions=True)

    return asyncio.run(run()), batches


def double(batch: list[int]) -> list[int]:
    return [2 * request for request in batch]


@pytest.mark.parametrize("count", [1, 2, MOST, MOST + 1, 3 * MOST + 5])
def test_each_request_gets_its_own_answer_and_no_batch_is_too_large(count):
    answers, batches = ask_all(double, range(count))
    assert answers == [2 * request for request in range(count)]
    assert [len(batch) for batch in batches] == [MOST] * (count // MOST) + [count % MOST] * (count % MOST > 0)


def test_an_error_reaches_only_its_own_request():
    def answer_all(batch: list[int]) -> list:
        return [ValueError(str(request)) if request == 3 else request for request in batch]

    answers, _ = ask_all(answer_all, range(6))
    assert isinstance(answers[3], ValueError)
    assert [answer for answer in answers if not isinstance(answer, ValueError)] == [0, 1, 2, 4, 5]


def test_every_request_gets_the_error_when_computing_fails():
    def answer_all(batch: list[int]) -> list:
        raise ZeroDivisionError

    answers, _ = ask_all(answer_all, range(3))
    assert all(isinstance(answer, ZeroDivisionError) for answer in answers)


def test_a_request_that_fails_the_batch_does_not_fail_the_others():
    def answer_all(batch: list[int]) -> list[float]:
        return [1 / request for request in batch]

    answers, _ = ask_all(answer_all, [1, 2, 0, 4])
    assert isinstance(answers.pop(2), ZeroDivisionError)
    assert answers == [1, 0.5, 0.25]


def test_a_cancelled_request_does_not_disturb_the_others():
    async def run() -> list:
        batcher = Batcher(double)
        asked = [asyncio.ensure_future(batcher.ask(request)) for request in range(3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(run())
    assert (answers[0], answers[2]) == (0, 4)
    assert isinstance(answers[1], asyncio.CancelledError)


def test_requests_that_arrive_later_are_answered_too():
    async def run() -> list[int]:
        batcher = Batcher(double)
        return [await batcher.ask(request) for request in range(5)]

    assert asyncio.run(run()) == [0, 2, 4, 6, 8]
