"""The long run: what the service must hold under load, under kill and over time, `python -m tests.tools.soak`.

Each measurement starts the real service, takes a scale, and returns what was asked, what came, and whether it was kept.
"""

import argparse
import asyncio
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import uvloop

from api.settings import settings
from api.window.json_objects import largest_size
from pipeline.service import free_port, wait_until_ready
from tests.conftest import ROOT, environment
from tests.tools.bench.load import JSON, NPY, prepare

MB = 1_000_000
SEED = 0
BROKEN = (ConnectionError, asyncio.IncompleteReadError)
RACE = 0.05  # s: a reset that comes sooner on a connection that was idle met a request on its way
PLAIN, BARE = ("api",), ("uvicorn", "api.api:app", "--port", "{port}", "--no-access-log")
LIVE = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
MOST_JSON, MOST_UPLOAD = settings.max_body - 50_000, settings.max_upload - 50_000  # bytes
ODD = b'[{"record":[],"a":[', b"]}]"
READ = (settings.max_objects - 10_000) // largest_size(b"0," * 2048)  # records that are read into objects
LONG = MOST_JSON // (READ * 2048) - 1  # characters of a number, so that so many fit
INFER, MODEL_INFER = "/v2/models/bearing/infer", b'{"inputs":[{"name":"records","shape":[%d,2048],"datatype":"FP32",'
STALLED = (
    b"GET /health/live HTTP/1.1\r\nHost: here\r\nX-Slow: ",  # never finishes its headers
    b"POST /batch_predict/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n",
)


class Measured(NamedTuple):
    asked: str
    came: str
    kept: bool


class Service(NamedTuple):
    port: int
    process: subprocess.Popen
    log: Path


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


class Client:
    """One keep-alive connection, opened when it is needed, over which requests go one after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writer: asyncio.StreamWriter | None = None
        self.is_reused = False

    async def ask(self, request: bytes) -> Answer:
        """Return the whole answer. Raises what BROKEN holds, ConnectionRefusedError where nobody listens."""
        self.is_reused = self.writer is not None
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            self.writer.write(request)
            answer = await self.read_answer()
        except BROKEN:
            self.close()
            raise
        if answer.headers.get("connection") == "close":
            self.close()
        return answer

    async def read_answer(self) -> Answer:
        status_line, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(status_line.split()[1]), headers, body)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None


@contextmanager
def serving(command: Sequence[str] = PLAIN, **extra: str) -> Iterator[Service]:
    """Run the service on a free port with more settings, its log in a temporary folder, and stop it in the end."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "service.log"
        process = start(port, log, command, **extra)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process, log, timeout=30)
            yield Service(port, process, log)
        finally:
            process.terminate()
            process.wait(timeout=30)


def start(port: int, log: Path, command: Sequence[str] = PLAIN, **extra: str) -> subprocess.Popen:
    with log.open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *(part.format(port=port) for part in command)],
            cwd=ROOT, env=environment(HOST="127.0.0.1", PORT=str(port), **extra),
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip


# --- requests


def make_records(count: int) -> np.ndarray:
    """Return the example's records plus a little noise, float32 (count, 2048)."""
    example = np.array([item["record"] for item in json.loads((ROOT / "assets" / "example.json").read_text())])
    records = example[np.arange(count) % len(example)]
    noise = np.random.default_rng(SEED).standard_normal(records.shape)
    return (records + 0.1 * records.std(axis=1, keepdims=True) * noise).astype(np.float32)


def write_json(records: np.ndarray) -> list[bytes]:
    """Return the JSON of each record; join them with commas between brackets."""
    return [json.dumps({"record": record}).encode() for record in records.tolist()]


def write_npy(samples: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, samples)
    return stream.getvalue()


def ask_for_json(records: np.ndarray) -> bytes:
    return prepare("/batch_predict/", JSON, b"[" + b",".join(write_json(records)) + b"]")


def ask_for_npy(records: np.ndarray) -> bytes:
    return prepare("/batch_predict/", NPY, write_npy(records))


def ask_to_infer(records: np.ndarray) -> bytes:
    body = {"inputs": [{"name": "records", "shape": records.shape, "datatype": "FP32", "data": records.tolist()}]}
    return prepare(INFER, JSON, json.dumps(body).encode())


def ask_to_diagnose(content: bytes, name: str) -> bytes:
    """Return an upload as a browser sends it."""
    part = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    fields = b'\r\n--edge\r\nContent-Disposition: form-data; name="rpm"\r\n\r\n1797\r\n--edge--\r\n'
    return prepare("/diagnose/", "multipart/form-data; boundary=edge", part + content + fields)


def ask_for(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


def example_upload() -> bytes:
    return ask_to_diagnose((ROOT / "assets" / "examples" / "inner_race.wav").read_bytes(), "inner_race.wav")


# --- a full queue


def fill_the_queue(seconds: float) -> Measured:
    """64 clients over a queue of 4: each answer is a 200 or a 503 that says when to come again."""
    with serving(MAX_QUEUE="4") as service:
        statuses, wrong, recovery = uvloop.run(crowd(service.port, seconds))
    asked = "64 clients, queue of 4: only 200 or 503 + Retry-After, 200 within 2 s after"
    came = f"{statuses[200]:,} x 200, {statuses[503]:,} x 503, wrong: {wrong or 'none'}, 200 after {recovery:.2f} s"
    return Measured(asked, came, not wrong and recovery < 2 and statuses[200] > 0 and statuses[503] > 0)


async def crowd(port: int, seconds: float) -> tuple[Counter, list[str], float]:
    statuses, wrong, request = Counter(), [], ask_for_npy(make_records(50))
    stop = time.perf_counter() + seconds

    async def keep_asking() -> None:
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

    await asyncio.gather(*(keep_asking() for _ in range(64)))
    return statuses, wrong[:5], await time_until_answered(port, request)


async def time_until_answered(port: int, request: bytes, most: float = 30) -> float:
    """Return the seconds until the request is answered 200."""
    begin, client = time.perf_counter(), Client(port)
    while time.perf_counter() - begin < most:
        with suppress(*BROKEN):
            if (await client.ask(request)).status == 200:
                break
        await asyncio.sleep(0.02)
    client.close()
    return time.perf_counter() - begin


# --- slow senders


def hold_slow_sockets(seconds: float, sockets: int = 200) -> Measured:
    """Sockets that send a byte a second, three of four within a body, do not hold up others."""
    with serving() as service:
        times, answers = uvloop.run(ask_beside_slow(service.port, seconds, sockets))
    late = 1000 * float(np.percentile(times, 99))
    came = f"p99 {late:.1f} ms, longest {1000 * max(times):.1f} ms of {len(times):,}; sockets were told {dict(answers)}"
    return Measured(f"{sockets} slow sockets for {seconds:g} s: live p99 < 100 ms", came, late < 100)


async def ask_beside_slow(port: int, seconds: float, sockets: int) -> tuple[list[float], Counter]:
    stop, answers, times = time.perf_counter() + seconds, Counter(), []
    slow = [asyncio.create_task(drip(port, STALLED[index % 4 > 0], stop, answers)) for index in range(sockets)]
    client = Client(port)
    while time.perf_counter() < stop:
        begin = time.perf_counter()
        assert (await client.ask(LIVE)).status == 200
        times.append(time.perf_counter() - begin)
        await asyncio.sleep(0.01)
    client.close()
    await asyncio.gather(*slow)
    return times, answers


async def drip(port: int, head: bytes, stop: float, answers: Counter) -> None:
    """Send a byte a second, on a new connection where the service ends one, and count what it says then."""
    while time.perf_counter() < stop:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        with suppress(ConnectionError):
            while (came := await read_soon(reader)) is None and time.perf_counter() < stop:
                writer.write(b"1")
            if came is not None:
                answers[came[9:12].decode() or "closed"] += 1
        writer.close()


async def read_soon(reader: asyncio.StreamReader) -> bytes | None:
    """Return what comes within a second or so, None where nothing does."""
    try:
        return await asyncio.wait_for(reader.read(100), random.uniform(0.9, 1.1))
    except TimeoutError:
        return None


# --- SIGTERM


class Load:
    """What 16 clients met while the service was told to stop."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.port = port
        self.requests = requests
        self.answered, self.raced, self.broken = 0, 0, []

    async def keep_asking(self, index: int) -> None:
        """Ask until nobody listens; every second client opens a connection for each request."""
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
            self.raced += 1  # the service closed an idle connection while the request was on its way: README says so
        else:
            self.broken.append(f"{'reused' if is_reused else 'new'} connection, {1000 * seconds:.0f} ms: {error!r}")


def stop_under_load(rounds: int, command: Sequence[str] = PLAIN) -> Measured:
    """SIGTERM under 16-way load: whatever was accepted is answered, and the service exits 0 within ten seconds."""
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
    return Measured(asked, came, not broken and longest < 10)


async def stop_once(service: Service, requests: list[bytes]) -> tuple[Load, float]:
    load = Load(service.port, requests)
    clients = [asyncio.create_task(load.keep_asking(index)) for index in range(16)]
    await asyncio.sleep(random.uniform(0.2, 0.4))
    service.process.send_signal(signal.SIGTERM)
    begin = time.perf_counter()
    await asyncio.gather(*clients)
    await asyncio.to_thread(service.process.wait, 30)
    return load, time.perf_counter() - begin


# --- kill -9


def kill_the_child(rounds: int) -> Measured:
    """kill -9 of the diagnosing child, idle and at work: an upload is answered 200 within five seconds."""
    request = example_upload()
    with serving() as service:
        times = [uvloop.run(kill_once(service, request, pause)) for _ in range(rounds) for pause in (None, 0.02)]
        is_alive = service.process.poll() is None
    asked = f"kill -9 of the child, {2 * rounds} times: replaced within 5 s"
    return Measured(asked, f"longest {max(times):.2f} s, median {np.median(times):.2f} s", is_alive and max(times) < 5)


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


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


# --- memory and descriptors over time


class Sample(NamedTuple):
    requests: int
    megabytes: float
    descriptors: int


def soak(seconds: float, clients: int = 4, most_slope: float = 1.0) -> Measured:
    """A mix of everything: memory does not grow with the requests answered, nor do the descriptors."""
    with serving(LOG_REQUESTS="true") as service:
        samples, statuses, wrong = uvloop.run(mix(service, seconds, clients))
    used = samples[len(samples) // 3 :]  # what was before is warming up
    slope = 10_000 * np.polyfit([sample.requests for sample in used], [sample.megabytes for sample in used], 1)[0]
    half = len(used) // 2
    before, after = (median(sample.descriptors for sample in part) for part in (used[:half], used[half:]))
    asked = f"soak of {seconds:g} s: < {most_slope:g} MB per 10,000 requests, descriptors flat"
    came = (
        f"{slope:+.2f} MB per 10,000, {used[0].megabytes:.0f} to {used[-1].megabytes:.0f} MB, {before:g} then "
        f"{after:g} descriptors, {used[-1].requests:,} requests {dict(statuses)}, wrong: {wrong or 'none'}"
    )
    return Measured(asked, came, not wrong and slope < most_slope and after <= before)


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


async def mix(service: Service, seconds: float, clients: int) -> tuple[list[Sample], Counter, list[str]]:
    statuses, wrong, samples, stop = Counter(), [], [], time.perf_counter() + seconds
    requests = make_mix()

    async def keep_asking(index: int) -> None:
        choice, client = random.Random(index), Client(service.port)
        while time.perf_counter() < stop:
            request, expected = choice.choice(requests)
            answer = await client.ask(request)
            statuses[answer.status] += 1
            if answer.status != expected:
                wrong.append(f"{request[:60]!r} got {answer.status} {answer.body[:200]!r}")
        client.close()

    asking = asyncio.gather(*(keep_asking(index) for index in range(clients)))
    while not asking.done():
        await asyncio.sleep(min(max(seconds / 200, 0.1), 1))
        megabytes, descriptors = look_at(service.process.pid)
        samples.append(Sample(statuses.total(), megabytes, descriptors))
    await asking
    return samples[:-1], statuses, wrong[:3]  # while the last was taken, clients went away


def look_at(process: int) -> tuple[float, int]:
    """Return the memory of the service and its children in MB, shared pages counted once, and their descriptors."""
    group = [process, *children(process)]
    return sum(map(megabytes_of, group)), sum(len(os.listdir(f"/proc/{member}/fd")) for member in group)  # noqa: PTH208


def megabytes_of(process: int) -> float:
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1]) * 1024 / MB


# --- the largest requests at once


def measure_peak(name: str, senders: int = 0, turns: int = 4, megabytes: float = 400) -> Measured:
    """The largest bodies, unless told as many at once as there is room for: memory of it and its child is bounded.

    Where there are more senders than that, there is still an answer for some, and a 503 for the others.
    """
    request = LARGEST[name]()
    room = min(settings.max_queue, settings.max_buffered // len(request))
    with serving() as service:
        peak, statuses = uvloop.run(send_largest(service, request, senders or room, turns))
        is_alive = service.process.poll() is None
    asked = f"{senders or room} senders of the largest {name}, {len(request) / MB:.1f} MB: < {megabytes:g} MB"
    kept = is_alive and peak < megabytes and (senders <= room or statuses[200] >= room)
    return Measured(asked, f"{peak:.0f} MB, answers {dict(statuses)}", kept)


async def send_largest(service: Service, request: bytes, senders: int, turns: int) -> tuple[float, Counter]:
    statuses, peak = Counter(), 0.0

    async def send() -> None:
        for _ in range(turns):
            client = Client(service.port)
            try:
                statuses[(await client.ask(request)).status] += 1
            except BROKEN:
                statuses["reset"] += 1  # what is refused by its size is not read to its end
            client.close()

    sending = asyncio.gather(*(send() for _ in range(senders)))
    while not sending.done():
        await asyncio.sleep(0.01)
        with suppress(OSError):  # a child that was over its limits is gone
            peak = max(peak, look_at(service.process.pid)[0])
    await sending
    return peak, statuses


def largest_json(item: bytes, head: bytes = b"[", tail: bytes = b"]") -> bytes:
    """Return a body of as many items as are allowed."""
    return prepare("/batch_predict/", JSON, head + b",".join([item] * (MOST_JSON // (len(item) + 1))) + tail)


def largest_read(item: bytes, head: bytes = b"[", tail: bytes = b"]") -> bytes:
    """Return a body of as many items as are read into objects."""
    items = (settings.max_objects - 10_000) // largest_size(item + b",")
    return prepare("/batch_predict/", JSON, head + b",".join([item] * items) + tail)


def short_numbers(head: bytes) -> bytes:
    """Return a record of the shortest numbers: most of them fit into a body."""
    return b'{%b"record":[' % head + b",".join([b"0", b"1"] * 1024) + b"]}"


def integers(head: bytes) -> bytes:
    """Return a record of integers that Python does not share: each is an object, and the float made of it another."""
    return b'{%b"record":[' % head + b",".join([b"-999", b"999"] * 1024) + b"]}"


def largest_infer(numbers: list[bytes], last: bytes = b"0") -> bytes:
    numbers = b",".join(numbers * 1024 * READ)[: -len(numbers[-1])] + last
    return prepare(INFER, JSON, MODEL_INFER % READ + b'"data":[' + numbers + b"]}]}")


def largest_text() -> bytes:
    line = b"-0.123456\n"
    return ask_to_diagnose(line * (MOST_UPLOAD // len(line)), "recording.csv")


def largest_array() -> bytes:
    samples = np.random.default_rng(SEED).standard_normal(MOST_UPLOAD // 4).astype(np.float32)
    return ask_to_diagnose(write_npy(samples), "recording.npy")


LARGEST: dict[str, Callable[[], bytes]] = {
    "JSON": lambda: largest_json(write_json(make_records(1))[0]),
    "JSON of the shortest numbers": lambda: largest_json(short_numbers(b"")),
    "JSON with another key": lambda: largest_json(short_numbers(b'"a":0,')),
    "read JSON with another key": lambda: largest_read(short_numbers(b'"a":0,')),
    "read JSON of integers with another key": lambda: largest_read(integers(b'"a":0,')),
    "read JSON of nested lists": lambda: largest_read(b"[[]]", *ODD),
    "read JSON of small objects": lambda: largest_read(b'{"a":0}', *ODD),
    "read JSON of texts": lambda: largest_read(b'"ab"', *ODD),
    "read JSON of a text of wide characters": lambda: largest_read(b'"%b\\ud83d\\ude00"' % (b"x" * 8_800_000), *ODD),
    ".npy": lambda: ask_for_npy(make_records(2_000)),
    "v2 JSON of the shortest numbers": lambda: largest_infer([b"0", b"1"]),
    "v2 JSON of long numbers": lambda: largest_infer([b"-0.1".ljust(LONG, b"2"), b"0.1".ljust(LONG, b"2")]),
    "v2 JSON with a mistake at its end": lambda: largest_infer([b"-999", b"999"], b"true"),
    "text to diagnose": largest_text,
    ".npy to diagnose": largest_array,
}


# --- cold start


def time_starts(starts: int = 5) -> Measured:
    """From the command to ready: python, imports, models, warm child."""
    seconds = [time_start() for _ in range(starts)]
    came = f"median {np.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s"
    return Measured(f"cold start to ready, median of {starts}: < 1.5 s", came, float(np.median(seconds)) < 1.5)


def time_start() -> float:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        process = start(port, Path(folder) / "service.log")
        try:
            while not is_ready(port):
                assert process.poll() is None
                assert time.perf_counter() - begin < 30
                time.sleep(0.005)
            return time.perf_counter() - begin
        finally:
            process.terminate()
            process.wait(timeout=30)


def is_ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(ask_for("/health/ready"))
            return connection.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


# --- one record, whatever the batch


def compare_batches(most: int = 200) -> Measured:
    """A record alone gets what it gets in any batch of 1 to `most`, as JSON and as .npy, alone or from 16 senders."""
    records = make_records(most)
    with serving() as service:
        apart = uvloop.run(ask_in_batches(service.port, records))
    came = ", ".join(f"{name} {difference:.1e}" for name, difference in apart.items())
    asked = f"a record alone = in any batch of 1 to {most}: <= 1e-6"
    return Measured(asked, f"apart by at most: {came}", max(apart.values()) <= 1e-6)


async def ask_in_batches(port: int, records: np.ndarray) -> dict[str, float]:
    async with connected(port) as client:
        texts = write_json(records)
        alone = np.concatenate([await predict(client, ask_for_npy(record[None])) for record in records])
        apart = {"JSON": 0.0, ".npy": 0.0}
        for count in range(1, len(records) + 1):
            as_json = prepare("/batch_predict/", JSON, b"[" + b",".join(texts[:count]) + b"]")
            for name, request in (("JSON", as_json), (".npy", ask_for_npy(records[-count:]))):
                found = await predict(client, request)
                expected = alone[:count] if name == "JSON" else alone[-count:]
                apart[name] = max(apart[name], float(np.abs(found - expected).max()))
    return apart | {"many senders": await ask_together(port, records, alone)}


async def ask_together(port: int, records: np.ndarray, alone: np.ndarray) -> float:
    """Return how far answers are from those alone where the service puts many senders' records into one batch."""

    async def ask(first: int) -> float:
        async with connected(port) as client:
            found = [await predict(client, ask_for_npy(record[None])) for record in records[first::16]]
        return float(np.abs(np.concatenate(found) - alone[first::16]).max()) if found else 0.0

    return max(await asyncio.gather(*(ask(first) for first in range(16))))


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    client = Client(port)
    yield client
    client.close()


async def predict(client: Client, request: bytes) -> np.ndarray:
    """Return the probabilities (records, classes)."""
    answer = await client.ask(request)
    assert answer.status == 200, answer.body[:300]
    return np.array([list(analysis["Probabilities"].values()) for analysis in json.loads(answer.body)["Analysis"]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30, help="of soak")
    parser.add_argument("--rounds", type=int, default=50, help="of SIGTERM")
    parser.add_argument("--only", default="", help="measurements whose names hold this")
    options = parser.parse_args()
    random.seed(SEED)
    measurements: dict[str, Callable[[], Measured]] = {
        "start": time_starts,
        "queue": lambda: fill_the_queue(20),
        "batch": compare_batches,
        "kill": lambda: kill_the_child(5),
        "slow": lambda: hold_slow_sockets(60),
        **{f"peak of {name}": partial(measure_peak, name) for name in LARGEST},
        "crowd of the largest JSON": lambda: measure_peak("JSON", senders=8),
        "term": lambda: stop_under_load(options.rounds),
        "term of bare uvicorn": lambda: stop_under_load(options.rounds, BARE),
        "soak": lambda: soak(60 * options.minutes),
    }
    chosen = [measure for name, measure in measurements.items() if options.only in name]
    missed = [row.asked for row in map(measure_and_show, chosen) if not row.kept]
    sys.exit(1 if missed else 0)


def measure_and_show(measure: Callable[[], Measured]) -> Measured:
    row = measure()
    print(f"{'kept' if row.kept else 'MISSED':6} | {row.asked} | {row.came}", flush=True)
    return row


if __name__ == "__main__":
    main()
