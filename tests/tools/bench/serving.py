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
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import requests
from matplotlib import pyplot
from tqdm import tqdm

from api.window.checks import have_answers
from api.window.predictor import Predictor
from api.window.reader import RecordReader
from pipeline.figures import BLUE, INK, ORANGE, STYLE, save
from pipeline.service import free_port
from tests.tools.bench.load import JSON, NPY, load, prepare

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "assets"
SIZES = (1, 5, 10, 25, 50, 100, 150, 200)
LOADS = ((1, 1, 100), (1, 16, 1000), (1, 64, 1000), (8, 16, 200))  # records, senders, requests
ROUNDS = 10
PAUSE = 0.4  # s before a server's turn
OURS = [sys.executable, "-m", "api"]
COMMANDS = {
    "plain": (["uvicorn", "tests.tools.bench.plain_service:app", "--no-access-log", "--port", "{port}"], {}),
    "onnx": (OURS, {}),
    "torch": (OURS, {"BACKEND": "torch"}),
    "echo": ([sys.executable, "-m", "tests.tools.bench.echo_service"], {}),
}
NAMES = {"plain": "plain", "onnx": "ours, ONNX", "torch": "ours, PyTorch"}
COLORS = {"plain": INK, "onnx": BLUE, "torch": ORANGE}
Times = dict[tuple, list[float]]


def main() -> None:
    records = make_records(max(SIZES))
    counts = {*SIZES, *(n for n, _, _ in LOADS)}
    bodies = {(n, JSON): to_json(records[:n]) for n in counts} | {(n, NPY): to_npy(records[:n]) for n in counts}
    noise = []
    memory = {name: measure_memory(name, bodies) for name in NAMES}
    with running("plain") as plain, running("onnx") as onnx, running("torch") as torch, running("echo") as echo:
        ports = {"plain": plain, "onnx": onnx, "torch": torch, "echo": echo}
        delivery, execution, rates, latencies = (defaultdict(list) for _ in range(4))
        for _ in tqdm(range(ROUNDS), desc="bench", unit="round", disable=None):
            noise.append(time_fixed_work())
            measure_sizes(ports, records, bodies, delivery, execution)
            measure_load(ports, bodies, rates, latencies)
        health = measure_health(onnx, bodies[200, JSON])
    limit = measure_limit(bodies, delivery)
    report = "\n".join(
        [
            *table_of_sizes(delivery, execution),
            *table_of_load(rates, latencies),
            *table_of_memory(memory),
            *table_of_limit(limit, delivery),
            *remarks(rates, noise, health),
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
    environment = os.environ | settings | {"PORT": str(port)}
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
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024


def request(bodies: dict, n: int, content_type: str) -> bytes:
    return prepare("/batch_predict/", content_type, bodies[n, content_type])


def variants() -> list[tuple[str, str]]:
    return [("plain", JSON), ("onnx", JSON), ("onnx", NPY), ("torch", JSON), ("torch", NPY)]


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
    for content_type in (JSON, NPY):
        _, rate = load(ports["echo"], request(bodies, 1, content_type), 16, 1000)
        rates["echo", content_type, 1, 16].append(rate)


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
                "parse": time_call(lambda read=read, key=(200, content_type): have_answers(read(bodies[key]), 1e-5)),
                "network": time_call(lambda records=records: predictor.predict(records)),
            }
    return limit


def time_call(call: object) -> float:
    times = []
    for _ in range(30):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def time_fixed_work() -> float:
    """Return how long the same arithmetic takes now, in ms."""
    start = time.perf_counter()
    sum(range(2_000_000))
    return 1000 * (time.perf_counter() - start)


def spread_of(values: list[float], digits: int) -> str:
    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def table_of_sizes(delivery: Times, execution: Times) -> list[str]:
    columns = [("plain", JSON), ("onnx", JSON), ("onnx", NPY), ("torch", JSON), ("torch", NPY)]
    heads = [f"{NAMES[name]}, {'JSON' if kind == JSON else '.npy'}" for name, kind in columns]
    lines = ["**Delivery of N records, body encoded beforehand, ms** (median, quartiles, ratio to plain)", ""]
    lines += ["| N | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for n in SIZES:
        plain = np.median(delivery["plain", JSON, n])
        cells = [
            f"{spread_of(delivery[name, kind, n], 2)} · {plain / np.median(delivery[name, kind, n]):.1f}x"
            for name, kind in columns
        ]
        lines.append(f"| {n} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "**The reference's table: `requests.post(json=...)`, mean of ten rounds, ms** (execution / delivery)",
        "",
    ]
    lines += ["| N | " + " | ".join(NAMES.values()) + " |", "|---" * (len(NAMES) + 1) + "|"]
    for n in SIZES:
        cells = [f"{np.mean(execution[name, n]):.2f} / {np.mean(delivery[name, 'json=', n]):.2f}" for name in NAMES]
        lines.append(f"| {n} | " + " | ".join(cells) + " |")
    return [
        *lines,
        "",
        "The plain service's execution time leaves the parsing out; ours runs from the complete body.",
        "",
    ]


def table_of_load(rates: Times, latencies: Times) -> list[str]:
    lines = ["**Under load** (requests a second, median of the rounds with quartiles; latencies in ms)", ""]
    lines += ["| senders, N | service | requests/s | ratio | median | 95th | 99th |", "|---" * 7 + "|"]
    for n, connections, _ in LOADS:
        plain = np.median(rates["plain", JSON, n, connections])
        for name, kind in variants():
            key = (name, kind, n, connections)
            percentiles = " | ".join(f"{value:.2f}" for value in np.percentile(latencies[key], [50, 95, 99]))
            service = f"{NAMES[name]}, {'JSON' if kind == JSON else '.npy'}"
            ratio = f"{np.median(rates[key]) / plain:.1f}x"
            lines.append(f"| {connections}, {n} | {service} | {spread_of(rates[key], 0)} | {ratio} | {percentiles} |")
    return [*lines, ""]


def table_of_memory(memory: dict) -> list[str]:
    lines = ["| | ready after, s | MB after the first request | MB at most, eight times N = 200 |", "|---|---|---|---|"]
    for name, found in memory.items():
        lines.append(f"| {NAMES[name]} | {found['ready']:.2f} | {found['first']:.0f} | {found['peak']:.0f} |")
    return [*lines, ""]


def table_of_limit(limit: dict, delivery: Times) -> list[str]:
    lines = ["| 200 records, ms | transfer alone | + parsing alone | + network alone | = limit | ours | ours / limit |"]
    lines += ["|---" * 7 + "|"]
    for kind, parts in limit.items():
        total, ours = sum(parts.values()), float(np.median(delivery["onnx", kind, 200]))
        cells = " | ".join(f"{value:.2f}" for value in [*parts.values(), total, ours])
        lines.append(f"| {'JSON' if kind == JSON else '.npy'} | {cells} | {ours / total:.2f} |")
    return [*lines, ""]


def remarks(rates: Times, noise: list[float], health: float) -> list[str]:
    client = " and ".join(f"{np.median(rates['echo', kind, 1, 16]):,.0f}" for kind in (JSON, NPY))
    return [
        "- The load client is not the limit: from a server that only reads and answers a constant it gets "
        f"{client} answers a second (JSON, .npy; 16 senders).",
        f"- While four senders keep sending 200 records, 99 % of `GET /health/live` come within {health:.1f} ms.",
        f"- The machine: {os.cpu_count()} cores; the same arithmetic took {min(noise):.0f} to {max(noise):.0f} ms in "
        f"the {ROUNDS} rounds.",
    ]


def draw(delivery: Times, rates: Times) -> None:
    with pyplot.rc_context(STYLE):
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6))
        for name, kind in variants():
            label = f"{NAMES[name]}, {'JSON' if kind == JSON else '.npy'}"
            times = [np.median(delivery[name, kind, n]) for n in SIZES]
            left.loglog(SIZES, times, "o-" if kind == JSON else "o--", color=COLORS[name], label=label, markersize=3)
        left.set(title="Delivery of N records, one sender", xlabel="records in a request", ylabel="ms")
        left.set_xticks([1, 10, 50, 200], ["1", "10", "50", "200"])
        left.set_yticks([1, 10, 100], ["1", "10", "100"])
        left.legend(fontsize=8)
        bars = [f"{NAMES[name]}, {'JSON' if kind == JSON else '.npy'}" for name, kind in variants()]
        values = [np.median(rates[name, kind, 1, 16]) for name, kind in variants()]
        right.barh(bars, values, color=[COLORS[name] for name, _ in variants()], height=0.6)
        right.invert_yaxis()
        for row, value in enumerate(values):
            right.text(value, row, f" {value:,.0f} · {value / values[0]:.1f}x", va="center")
        right.set(title="16 senders, one record a request", xlabel="requests a second", xlim=(0, 1.4 * max(values)))
        save(figure, ASSETS / "bench.png")


if __name__ == "__main__":
    main()
