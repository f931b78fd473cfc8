"""The plain service, ours on ONNX Runtime and ours on PyTorch, side by side in one run.

Writes assets/bench.md and assets/bench.png; `python -m tests.tools.docs` puts the table into docs/benchmarks.md.
Every server is up all the time and asked in turn, with a pause before each, because PyTorch's threads spin on for a
while after a request.
"""

import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import requests
from tqdm import tqdm

from api.window.checks import have_answers
from api.window.predictor import Predictor
from api.window.reader import RecordReader
from pipeline.service import free_port
from tests.tools.bench.load import JSON, NPY, load, prepare
from tests.tools.bench.report import (
    LOADS,
    NAMES,
    PAUSE,
    ROUNDS,
    SIZES,
    Times,
    draw,
    remarks,
    table_of_limit,
    table_of_load,
    table_of_memory,
    table_of_sizes,
    table_of_small,
    variants,
)
from tests.tools.bench.small import measure_beside, measure_parts, time_call

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "assets"
EXAMPLE = ASSETS / "examples" / "outer_race.wav"
OURS = [sys.executable, "-m", "api"]
COMMANDS = {
    "plain": (["uvicorn", "tests.tools.bench.plain_service:app", "--no-access-log", "--port", "{port}"], {}),
    "onnx": (OURS, {}),
    "torch": (OURS, {"BACKEND": "torch"}),
    "bare": (["uvicorn", "tests.tools.bench.bare_service:app", "--no-access-log", "--port", "{port}"], {}),
    "echo": ([sys.executable, "-m", "tests.tools.bench.echo_service"], {}),
}


def main() -> None:
    records = make_records(max(SIZES))
    counts = {*SIZES, *(n for n, _, _ in LOADS)}
    bodies = {(n, JSON): to_json(records[:n]) for n in counts} | {(n, NPY): to_npy(records[:n]) for n in counts}
    noise = []
    memory = {name: measure_memory(name, bodies) for name in NAMES}
    with ExitStack() as stack:
        ports = {name: stack.enter_context(running(name)) for name in COMMANDS}
        delivery, execution, rates, latencies = (defaultdict(list) for _ in range(4))
        for _ in tqdm(range(ROUNDS), desc="bench", unit="round", disable=None):
            noise.append(time_fixed_work())
            measure_sizes(ports, records, bodies, delivery, execution)
            measure_load(ports, bodies, rates, latencies)
        health = measure_health(ports["onnx"], bodies[200, JSON])
        beside = measure_beside(ports["onnx"], request(bodies, 1, JSON), EXAMPLE, 20_000)
    limit = measure_limit(bodies, delivery)
    report = "\n".join(
        [
            *table_of_sizes(delivery, execution),
            *table_of_load(rates, latencies),
            *table_of_memory(memory),
            *table_of_limit(limit, delivery),
            *table_of_small(measure_parts(bodies, rates), rates),
            *remarks(rates, noise, health, beside),
        ]
    )
    (ASSETS / "bench.md").write_text(report + "\n")
    draw(delivery, rates)
    print(report)


def make_records(count: int) -> np.ndarray:
    """Return records float32 (count, 2048) whose numbers print as long as those of recordings."""
    noise = np.random.default_rng(0).standard_normal((count, 2048))
    return (0.1 * noise).astype(np.float32)


def to_json(records: np.ndarray) -> bytes:
    return json.dumps([{"record": record} for record in records.tolist()]).encode()


def to_npy(records: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, records)
    return stream.getvalue()


@contextmanager
def running(name: str) -> Iterator[int]:
    """Run a server and yield its port once it is ready."""
    port = free_port()
    command, settings = COMMANDS[name]
    usual = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}  # which tests.conftest sets
    environment = usual | settings | {"PORT": str(port)}
    process = subprocess.Popen(
        [part.format(port=port) for part in command], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_ready(port)
        running.process = process
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(port: int) -> None:
    for _ in range(3000):
        try:
            if requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.01)
    raise RuntimeError(f"no server became ready on port {port}")


def measure_memory(name: str, bodies: dict) -> dict[str, float]:
    """Return seconds to ready, MB after the first request, and the peak under eight concurrent requests of 200."""
    start = time.perf_counter()
    with running(name) as port:
        ready = time.perf_counter() - start
        load(port, request(bodies, 1, JSON), 1, 1)
        first = read_memory("VmRSS")
        load(port, request(bodies, 200, JSON), 8, 40)
        return {"ready": ready, "first": first, "peak": read_memory("VmHWM")}


def read_memory(field: str) -> float:
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) * 1024 / 1e6


def request(bodies: dict, n: int, content_type: str) -> bytes:
    return prepare("/batch_predict/", content_type, bodies[n, content_type])


def measure_sizes(ports: dict, records: np.ndarray, bodies: dict, delivery: Times, execution: Times) -> None:
    """Add one delivery time (ms) of each size and way: the plain client's json=, and bodies encoded beforehand."""
    for name in NAMES:
        time.sleep(PAUSE)
        load(ports[name], request(bodies, 1, JSON), 1, 20)
        url = f"http://127.0.0.1:{ports[name]}/batch_predict/"
        for n in SIZES:
            items = [{"record": record} for record in records[:n].tolist()]
            start = time.perf_counter()
            answer = requests.post(url, json=items, timeout=60)
            delivery[name, "json=", n].append(1000 * (time.perf_counter() - start))
            execution[name, n].append(answer.json()["Execution Time"])
    for name, content_type in variants():
        time.sleep(PAUSE)
        load(ports[name], request(bodies, 1, content_type), 1, 20)  # after a pause the first answers are slow
        for n in SIZES:
            latencies, _ = load(ports[name], request(bodies, n, content_type), 1, 5)
            delivery[name, content_type, n].append(1000 * float(np.median(latencies)))
    for content_type in (JSON, NPY):
        latencies, _ = load(ports["echo"], request(bodies, 200, content_type), 1, 3)
        delivery["echo", content_type, 200].append(1000 * float(np.median(latencies)))


def measure_load(ports: dict, bodies: dict, rates: Times, latencies: Times) -> None:
    """Add requests a second and every latency (ms): one after the other, 16 and 64 senders, and records by eight."""
    for name, content_type in variants():
        time.sleep(PAUSE)
        for n, connections, requests_sent in LOADS:
            found, rate = load(ports[name], request(bodies, n, content_type), connections, requests_sent)
            rates[name, content_type, n, connections].append(rate)
            latencies[name, content_type, n, connections] += [1000 * latency for latency in found]
    for name, content_type in ((name, kind) for name in ("echo", "bare") for kind in (JSON, NPY)):
        _, rate = load(ports[name], request(bodies, 1, content_type), 16, 1000)
        rates[name, content_type, 1, 16].append(rate)


def measure_health(port: int, body: bytes) -> float:
    """Return the 99th percentile of GET /health/live (ms) while four senders keep sending 200 records."""
    burst = prepare("/batch_predict/", JSON, body)
    sending = threading.Thread(target=load, args=(port, burst, 4, 200))
    sending.start()
    times = []
    with requests.Session() as session:
        while sending.is_alive():
            start = time.perf_counter()
            session.get(f"http://127.0.0.1:{port}/health/live", timeout=5)
            times.append(1000 * (time.perf_counter() - start))
            time.sleep(0.005)
    return float(np.percentile(times, 99))


def measure_limit(bodies: dict, delivery: Times) -> dict[str, dict[str, float]]:
    """Return {content type: {transfer, parse, network}} of 200 records in ms, each by itself and as fast as we can."""
    limit = {}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        predictor = Predictor(ASSETS, parallel_map=threads.map)
        reader = RecordReader(predictor.window_length, 200, threads.map)
        for content_type, read in ((JSON, reader.read_json), (NPY, reader.read_npy)):
            records = read(bodies[200, content_type])
            limit[content_type] = {
                "transfer": float(np.median(delivery["echo", content_type, 200])),
                "parse": time_call(lambda read=read, key=(200, content_type): have_answers(read(bodies[key]), 1e-5))
                / 1000,
                "network": time_call(lambda records=records: predictor.predict(records)) / 1000,
            }
    return limit


def time_fixed_work() -> float:
    """Return how long the same arithmetic takes now, in ms."""
    start = time.perf_counter()
    sum(range(2_000_000))
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
