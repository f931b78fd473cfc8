"""What a small request costs at least, and how it fares beside uploaded files."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import requests

from api.window.checks import have_answers
from api.window.predictor import Predictor
from api.window.reader import RecordReader
from tests.conftest import ROOT
from tests.tools.bench.load import JSON, NPY, load

TOGETHER = 16  # senders, and requests in a batch
FILES = 8  # a second


class Parts(NamedTuple):
    """What a request of one record takes at least, of 16 together, microseconds."""

    exchange: float
    parse: float
    network: float


class Beside(NamedTuple):
    """Percentiles (ms) of small requests alone and beside files, and the files that were answered a second."""

    alone: tuple[float, float]
    beside: tuple[float, float]
    files: float


def measure_parts(bodies: dict, rates: dict) -> dict[str, Parts]:
    """Return {content type: parts}: the exchange from a bare app's rates, the others in process, of 16 requests."""
    predictor = Predictor(ROOT / "assets")
    reader = RecordReader(predictor.window_length, 200, map)
    parts = {}
    for content_type, read in ((JSON, reader.read_json), (NPY, reader.read_npy)):
        body = bodies[1, content_type]
        records = np.concatenate([read(body)] * TOGETHER)
        parts[content_type] = Parts(
            1e6 / float(np.median(rates["bare", content_type, 1, TOGETHER])),
            time_call(partial(read_all, read, body)) / TOGETHER,
            time_call(partial(predictor.predict, records)) / TOGETHER,
        )
    return parts


def read_all(read: Callable[[bytes], np.ndarray], body: bytes) -> None:
    have_answers(np.concatenate([read(body) for _ in range(TOGETHER)]), 1e-5)


def time_call(call: Callable[[], object]) -> float:
    """Return the median of many calls, microseconds."""
    times = []
    for _ in range(100):
        start = time.perf_counter()
        call()
        times.append(1e6 * (time.perf_counter() - start))
    return float(np.median(times))


def measure_beside(port: int, small: bytes, file: Path, requests_sent: int) -> Beside:
    """Return how 16 senders of small requests fare alone, and while files come eight a second."""
    alone, _ = load(port, small, TOGETHER, requests_sent)
    ended, answered = threading.Event(), []
    sending = threading.Thread(target=send_files, args=(port, file, ended, answered))
    start = time.perf_counter()
    sending.start()
    beside, _ = load(port, small, TOGETHER, requests_sent)
    ended.set()
    sending.join()
    return Beside(percentiles(alone), percentiles(beside), len(answered) / (time.perf_counter() - start))


def percentiles(latencies: list[float]) -> tuple[float, float]:
    median, last = np.percentile(latencies, [50, 99])
    return 1000 * float(median), 1000 * float(last)


def send_files(port: int, file: Path, ended: threading.Event, answered: list[int]) -> None:
    content, fields = file.read_bytes(), {"rpm": "1750", "bearing": "6205-2RS"}
    with requests.Session() as session:
        due = time.perf_counter()
        while not ended.wait(max(due - time.perf_counter(), 0)):
            due += 1 / FILES
            answer = session.post(
                f"http://127.0.0.1:{port}/diagnose/", data=fields, files={"file": (file.name, content)}, timeout=60
            )
            answer.raise_for_status()
            answered.append(answer.status_code)
