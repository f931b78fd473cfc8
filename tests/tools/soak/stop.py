"""SIGTERM under load."""

import asyncio
import random
import signal
import time
from collections.abc import Sequence

import uvloop

from tests.tools.soak.bodies import ask_for_json, ask_for_npy, make_records
from tests.tools.soak.client import BROKEN, Client
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import PLAIN, Service, serving

RACE = 0.05  # s: a reset so soon after a request on an idle connection was sent before the request came


class Load:
    """What the clients' requests got while the service was told to stop."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.port = port
        self.requests = requests
        self.answered, self.raced, self.broken = 0, 0, []

    async def keep_sending(self, index: int) -> None:
        """Send requests until connections are refused; every second client opens a connection for each of them."""
        client, turn = Client(self.port), index
        while True:
            begin = time.perf_counter()
            try:
                answer = await client.ask(self.requests[turn % len(self.requests)])
            except ConnectionRefusedError:
                return
            except BROKEN as error:
                self.note(client.is_reused, time.perf_counter() - begin, error)
                continue
            self.answered += answer.status in (200, 503)
            if answer.status not in (200, 503):
                self.broken.append(f"{answer.status} {answer.body[:100]!r}")
            if index % 2:
                client.close()
            turn += 1

    def note(self, is_reused: bool, seconds: float, error: Exception) -> None:
        nothing_came = not getattr(error, "partial", b"")
        if is_reused and nothing_came and seconds < RACE:
            self.raced += 1  # the service closed an idle connection while the request was on its way: docs say so
        else:
            self.broken.append(f"{'reused' if is_reused else 'new'} connection, {1000 * seconds:.0f} ms: {error!r}")


def stop_under_load(rounds: int, command: Sequence[str] = PLAIN) -> Measured:
    """SIGTERM beside 16 clients: each accepted request is answered, and the service exits with 0 within ten seconds."""
    requests = [ask_for_json(make_records(1)), ask_for_npy(make_records(100)), ask_for_npy(make_records(1))]
    answered, raced, broken, longest = 0, 0, [], 0.0
    for _ in range(rounds):
        with serving(command) as service:
            load, seconds = uvloop.run(stop_once(service, requests))
        answered, raced, broken = answered + load.answered, raced + load.raced, broken + load.broken
        longest = max(longest, seconds)
        broken += [f"exit status {service.process.returncode}"] if service.process.returncode else []
    came = (
        f"{answered:,} answered, {len(broken)} broken {broken[:3] or ''}, {raced} resets of idle connections, "
        f"longest stop {longest:.1f} s"
    )
    asked = f"{rounds} rounds of SIGTERM to {command[0]} under 16-way load: none broken"
    return Measured(asked, came, kept=not broken, in_time=longest < 10)


async def stop_once(service: Service, requests: list[bytes]) -> tuple[Load, float]:
    load = Load(service.port, requests)
    clients = [asyncio.create_task(load.keep_sending(index)) for index in range(16)]
    await asyncio.sleep(random.uniform(0.2, 0.4))
    service.process.send_signal(signal.SIGTERM)
    begin = time.perf_counter()
    await asyncio.gather(*clients)
    await asyncio.to_thread(service.process.wait, 30)
    return load, time.perf_counter() - begin
