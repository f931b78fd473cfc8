"""More clients than the queue has places for."""

import asyncio
import time
from collections import Counter
from contextlib import suppress

import uvloop

from tests.tools.soak.bodies import ask_for_npy, make_records
from tests.tools.soak.client import BROKEN, Client
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import serving

WAIT = 30.0  # s: for an answer


def fill_the_queue(seconds: float) -> Measured:
    """64 clients over a queue of 4: each response is a 200 or a 503 with Retry-After."""
    with serving(MAX_QUEUE="4") as service:
        statuses, wrong, recovery = uvloop.run(send_more_than_fit(service.port, seconds))
    asked = "64 clients, queue of 4: only 200 or 503 + Retry-After, 200 within 2 s after"
    came = f"{statuses[200]:,} x 200, {statuses[503]:,} x 503, wrong: {wrong or 'none'}, 200 after {recovery:.2f} s"
    return Measured(asked, came, kept=not wrong and statuses[200] > 0 and statuses[503] > 0, in_time=recovery < 2)


async def send_more_than_fit(port: int, seconds: float) -> tuple[Counter, list[str], float]:
    statuses, wrong, request = Counter(), [], ask_for_npy(make_records(50))
    stop = time.perf_counter() + seconds

    async def keep_sending() -> None:
        client = Client(port)
        while time.perf_counter() < stop:
            try:
                answer = await client.ask(request)
            except BROKEN as error:
                wrong.append(repr(error))
                continue
            statuses[answer.status] += 1
            if answer.status != 200 and not (answer.status == 503 and "retry-after" in answer.headers):
                wrong.append(f"{answer.status} {answer.body[:100]!r}")
        client.close()

    await asyncio.gather(*(keep_sending() for _ in range(64)))
    return statuses, wrong[:5], await time_until_answered(port, request)


async def time_until_answered(port: int, request: bytes, most: float = WAIT) -> float:
    """Return the seconds until the request is answered 200."""
    begin, client = time.perf_counter(), Client(port)
    while time.perf_counter() - begin < most:
        with suppress(*BROKEN):
            if (await client.ask(request)).status == 200:
                break
        await asyncio.sleep(0.02)
    client.close()
    return time.perf_counter() - begin
