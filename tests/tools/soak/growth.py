"""Memory, without the pages of files, and descriptors over time, under a mix of every kind of request."""

import asyncio
import random
import time
from collections import Counter
from statistics import median
from typing import NamedTuple

import numpy as np
import uvloop

from tests.tools.bench.load import JSON, NPY, prepare
from tests.tools.soak.bodies import (
    INFER,
    LIVE,
    ask_for,
    ask_for_json,
    ask_for_npy,
    ask_to_diagnose,
    ask_to_infer,
    example_upload,
    make_records,
    write_npy,
)  # fmt: skip
from tests.tools.soak.client import Client
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import Service, look_at, serving


class Sample(NamedTuple):
    requests: int
    megabytes: float
    descriptors: int


def soak(seconds: float, least_requests: int, most_slope: float = 1.0, clients: int = 4) -> Measured:
    """A mix of every kind of request: memory does not grow with the number answered, nor do the descriptors.

    It lasts until there were so many requests, however long a busy machine takes for them.
    """
    with serving(LOG_REQUESTS="true") as service:
        samples, statuses, wrong = uvloop.run(mix(service, seconds, least_requests, clients))
    used = samples[len(samples) // 3 :]  # what was before is warming up
    slope = 10_000 * np.polyfit([sample.requests for sample in used], [sample.megabytes for sample in used], 1)[0]
    half = len(used) // 2
    before, after = (median(sample.descriptors for sample in part) for part in (used[:half], used[half:]))
    asked = f"soak of {seconds:g} s: < {most_slope:g} MB per 10,000 requests, descriptors flat"
    came = (
        f"{slope:+.2f} MB per 10,000, {used[0].megabytes:.0f} to {used[-1].megabytes:.0f} MB, {before:g} then "
        f"{after:g} descriptors, {used[-1].requests:,} requests {dict(statuses)}, wrong: {wrong or 'none'}"
    )
    return Measured(asked, came, kept=not wrong and slope < most_slope and after <= before)


def make_mix() -> list[tuple[bytes, int]]:
    """Return requests and the status that each is to get."""
    one, few, many = make_records(1), make_records(8), make_records(100)
    return [
        *[(ask_for_json(one), 200), (ask_for_npy(one), 200), (LIVE, 200)] * 6,
        *[(ask_for_json(few), 200), (ask_for_npy(many), 200), (ask_to_infer(few), 200)],
        *[(ask_for("/model/"), 200), (ask_for("/metrics"), 200), (ask_for("/"), 200), (ask_for("/nothing"), 404)],
        (example_upload(), 200),
        (ask_to_diagnose(b"no numbers in here", "recording.csv"), 422),
        (prepare("/batch_predict/", JSON, b'[{"record": [1, 2, NaN]}]'), 422),
        (prepare("/batch_predict/", JSON, b"[" * 1000), 422),
        (prepare("/batch_predict/", NPY, write_npy(few)[:-1]), 422),
        (prepare("/batch_predict/", "text/plain", b"?"), 422),
        (prepare("/diagnose/", "multipart/form-data; boundary=edge", b"--edge\r\nbroken"), 422),
        (prepare(INFER, JSON, b'{"inputs": 1}'), 400),
    ]


async def mix(
    service: Service, seconds: float, least_requests: int, clients: int
) -> tuple[list[Sample], Counter, list[str]]:
    statuses, wrong, samples, stop = Counter(), [], [], time.perf_counter() + seconds
    requests = make_mix()

    async def keep_sending(index: int) -> None:
        choice, client = random.Random(index), Client(service.port)
        while time.perf_counter() < stop or statuses.total() < least_requests:
            request, expected = choice.choice(requests)
            answer = await client.ask(request)
            statuses[answer.status] += 1
            if answer.status != expected:
                wrong.append(f"{request[:60]!r} got {answer.status} {answer.body[:200]!r}")
        client.close()

    asking = asyncio.gather(*(keep_sending(index) for index in range(clients)))
    while not asking.done():
        await asyncio.sleep(min(max(seconds / 200, 0.1), 1))
        megabytes, descriptors = look_at(service.process.pid, "Pss_Anon")
        samples.append(Sample(statuses.total(), megabytes, descriptors))
    await asking
    return samples[:-1], statuses, wrong[:3]  # while the last was taken, clients closed their connections
