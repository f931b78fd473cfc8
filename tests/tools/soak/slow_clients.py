"""Clients that send a byte a second."""

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress

import numpy as np
import uvloop

from tests.tools.soak.bodies import LIVE
from tests.tools.soak.client import Client
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import serving

LEAST = 20  # responses that have to come while all slow connections are open
STALLED = (
    b"GET /health/live HTTP/1.1\r\nHost: here\r\nX-Slow: ",  # never finishes its headers
    b"POST /batch_predict/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n",
)


def hold_slow_connections(seconds: float, connections: int = 200) -> Measured:
    """Connections that send a byte a second, three of four within a body, do not delay other clients."""
    with serving() as service:
        times, beside_all, answers = uvloop.run(ask_beside_slow(service.port, seconds, connections))
    late = 1000 * float(np.percentile(times, 99))
    came = (
        f"p99 {late:.1f} ms, longest {1000 * max(times):.1f} ms of {len(times):,}, {beside_all:,} of them while all "
        f"were open; slow connections got {dict(answers)}"
    )
    asked = f"{connections} slow connections for {seconds:g} s: GET /health/live p99 < 100 ms"
    return Measured(asked, came, kept=beside_all >= LEAST, in_time=late < 100)


async def ask_beside_slow(port: int, seconds: float, connections: int) -> tuple[list[float], int, Counter]:
    """Return how long each response took (s), how many came while all were open, and what the slow ones got."""
    stop, answers, times, beside_all = time.perf_counter() + seconds, Counter(), [], 0
    is_open: set[int] = set()
    slow = [asyncio.create_task(send_slowly(port, index, stop, answers, is_open)) for index in range(connections)]
    client = Client(port)
    while time.perf_counter() < stop:
        begin = time.perf_counter()
        assert (await client.ask(LIVE)).status == 200
        times.append(time.perf_counter() - begin)
        beside_all += len(is_open) == connections
        await asyncio.sleep(0.01)
    client.close()
    await asyncio.gather(*slow)
    return times, beside_all, answers


async def send_slowly(port: int, index: int, stop: float, answers: Counter, is_open: set[int]) -> None:
    """Send a byte a second, on a new connection where the service closes one, and count the statuses that came then."""
    while time.perf_counter() < stop:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(STALLED[index % 4 > 0])
        is_open.add(index)
        with suppress(ConnectionError):
            while (came := await read_soon(reader)) is None and time.perf_counter() < stop:
                writer.write(b"1")
            if came is not None:
                answers[came[9:12].decode() or "closed"] += 1
        is_open.discard(index)
        writer.close()


async def read_soon(reader: asyncio.StreamReader) -> bytes | None:
    """Return what comes within a second or so, None where nothing does."""
    try:
        return await asyncio.wait_for(reader.read(100), random.uniform(0.9, 1.1))
    except TimeoutError:
        return None
