import asyncio

import pytest

from api.window.batcher import MOST, Coalescer


def ask_all(answer_all, questions) -> tuple[list, list[list]]:
    """Ask all questions at the same time; return answers (or exceptions) and the batches that were computed."""
    batches = []

    def recorded(batch: list) -> list:
        batches.append(batch)
        return answer_all(batch)

    async def run() -> list:
        coalescer = Coalescer(recorded)
        return await asyncio.gather(*(coalescer.ask(question) for question in questions), return_exceptions=True)

    return asyncio.run(run()), batches


def double(batch: list[int]) -> list[int]:
    return [2 * question for question in batch]


@pytest.mark.parametrize("count", [1, 2, MOST, MOST + 1, 3 * MOST + 5])
def test_everyone_gets_the_own_answer_and_no_batch_is_too_large(count):
    answers, batches = ask_all(double, range(count))
    assert answers == [2 * question for question in range(count)]
    assert [len(batch) for batch in batches] == [MOST] * (count // MOST) + [count % MOST] * (count % MOST > 0)


def test_an_error_meets_only_the_one_it_is_for():
    def answer_all(batch: list[int]) -> list:
        return [ValueError(str(question)) if question == 3 else question for question in batch]

    answers, _ = ask_all(answer_all, range(6))
    assert isinstance(answers[3], ValueError)
    assert [answer for answer in answers if not isinstance(answer, ValueError)] == [0, 1, 2, 4, 5]


def test_nobody_waits_for_ever_when_computing_fails():
    def answer_all(batch: list[int]) -> list:
        raise ZeroDivisionError

    answers, _ = ask_all(answer_all, range(3))
    assert all(isinstance(answer, ZeroDivisionError) for answer in answers)


def test_one_that_breaks_the_batch_does_not_break_the_others():
    def answer_all(batch: list[int]) -> list[float]:
        return [1 / question for question in batch]

    answers, _ = ask_all(answer_all, [1, 2, 0, 4])
    assert isinstance(answers.pop(2), ZeroDivisionError)
    assert answers == [1, 0.5, 0.25]


def test_one_who_gave_up_does_not_disturb_the_others():
    async def run() -> list:
        coalescer = Coalescer(double)
        asked = [asyncio.ensure_future(coalescer.ask(question)) for question in range(3)]
        await asyncio.sleep(0)
        asked[1].cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(run())
    assert (answers[0], answers[2]) == (0, 4)
    assert isinstance(answers[1], asyncio.CancelledError)


def test_questions_that_come_later_are_answered_too():
    async def run() -> list[int]:
        coalescer = Coalescer(double)
        return [await coalescer.ask(question) for question in range(5)]

    assert asyncio.run(run()) == [0, 2, 4, 6, 8]
