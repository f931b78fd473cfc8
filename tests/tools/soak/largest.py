"""The largest requests that are allowed, as many at once as there is room for."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import uvloop

from api.settings import settings
from api.window.json_objects import largest_size
from tests.tools.bench.load import JSON, prepare
from tests.tools.soak.bodies import INFER, SEED, ask_for_npy, ask_to_diagnose, make_records, write_json, write_npy
from tests.tools.soak.client import BROKEN, Client
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import MB, Service, look_at, serving

MOST_JSON, MOST_UPLOAD = settings.max_body - 50_000, settings.max_upload - 50_000  # bytes
ODD = b'[{"record":[],"a":[', b"]}]"
READ = (settings.max_objects - 10_000) // largest_size(b"0," * 2048)  # records that are read into objects
LONG = MOST_JSON // (READ * 2048) - 1  # characters of a number, so that so many fit
MODEL_INFER = b'{"inputs":[{"name":"records","shape":[%d,2048],"datatype":"FP32",'


def measure_peak(name: str, clients: int = 0, turns: int = 4) -> Measured:
    """The largest bodies, as many at once as there is room for unless told: the memory of the service is bounded.

    Where there are more clients than that, as many as there is room for are answered, and the others get a 503. What
    is refused or accepted is so for the reason that it was made for.
    """
    request = LARGEST[name]()
    wanted, megabytes = REFUSED.get(name, 200), 450 if name == TEXT else 400
    room = min(settings.max_queue, settings.max_buffered // len(request))
    with serving(DIAGNOSER_SECONDS="60", REQUEST_TIMEOUT="300") as service:  # whatever runs beside it
        peak, statuses = uvloop.run(send_largest(service, request, clients or room, turns))
        is_alive = service.process.poll() is None
    asked = f"{clients or room} clients of the largest {name}, {len(request) / MB:.1f} MB: < {megabytes:g} MB"
    kept = is_alive and peak < megabytes and statuses[wanted] >= (room if clients > room else 1)
    return Measured(asked, f"{peak:.0f} MB, answers {dict(statuses)}", kept)


async def send_largest(service: Service, request: bytes, clients: int, turns: int) -> tuple[float, Counter]:
    statuses, peak = Counter(), 0.0

    async def send() -> None:
        for _ in range(turns):
            client = Client(service.port)
            try:
                statuses[(await client.ask(request)).status] += 1
            except BROKEN:
                statuses["reset"] += 1  # what is refused by its size is not read to its end
            client.close()

    sending = asyncio.gather(*(send() for _ in range(clients)))
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
    # 16 bytes a sample come near both limits: the bytes of a file and the samples in it.
    lines = b"".join(b"%+.12f\n" % sample for sample in np.random.default_rng(SEED).uniform(-9, 9, 1_000))
    times = min(MOST_UPLOAD, 16 * settings.max_samples) // len(lines)
    return ask_to_diagnose(lines * times, "recording.csv", sampling_rate="12000")


def largest_array() -> bytes:
    samples = np.random.default_rng(SEED).standard_normal(min(MOST_UPLOAD // 8, settings.max_samples))
    return ask_to_diagnose(write_npy(samples), "recording.npy", sampling_rate="12000")


TEXT = "text to diagnose"  # takes most: its characters lie beside the samples read of them
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
    TEXT: largest_text,
    ".npy to diagnose": largest_array,
}
REFUSED = {  # with which status; the others are answered
    "JSON of the shortest numbers": 413,
    "JSON with another key": 413,
    "read JSON of nested lists": 422,
    "read JSON of small objects": 422,
    "read JSON of texts": 422,
    "read JSON of a text of wide characters": 422,
    "v2 JSON with a mistake at its end": 400,
}
