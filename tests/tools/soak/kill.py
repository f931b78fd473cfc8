"""kill -9 of the diagnosing child."""

import asyncio
import os
import signal

import numpy as np
import uvloop

from tests.tools.soak.bodies import example_upload
from tests.tools.soak.client import Client
from tests.tools.soak.full_queue import WAIT, time_until_answered
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import Service, children, serving


def kill_the_child(rounds: int) -> Measured:
    """kill -9 of the diagnosing child, idle and at work: another takes its place, and answers within five seconds."""
    request = example_upload()
    with serving() as service:
        times = [uvloop.run(kill_once(service, request, pause)) for _ in range(rounds) for pause in (None, 0.02)]
        is_alive = service.process.poll() is None
    asked = f"kill -9 of the child, {2 * rounds} times: replaced within 5 s"
    came = f"longest {max(times):.2f} s, median {np.median(times):.2f} s"
    return Measured(asked, came, kept=is_alive and max(times) < WAIT, in_time=max(times) < 5)


async def kill_once(service: Service, request: bytes, pause: float | None) -> float:
    """Kill the child, so long after a request where pause is given, and return the seconds until the next answer."""
    client, waiting = Client(service.port), None
    if pause is not None:
        waiting = asyncio.create_task(client.ask(request))
        await asyncio.sleep(pause)
    for child in children(service.process.pid):
        os.kill(child, signal.SIGKILL)
    seconds = await time_until_answered(service.port, request)
    if waiting:
        assert (await waiting).status in (200, 422)  # 200: it was faster; 422 says that the reading broke off
    client.close()
    return seconds
