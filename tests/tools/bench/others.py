"""One process of ours, two, the plain service, and the same network behind LitServe and BentoML, in one run.

`python -m tests.tools.bench.others` writes assets/bench_others.md. Each peer has its defaults and an environment of its
own under build/peers; one that cannot be installed is left out, and the table says so.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import requests
from matplotlib import pyplot
from tqdm import tqdm

from api.window.predictor import Predictor
from pipeline.figures import BLUE, INK, ORANGE, STYLE, save
from pipeline.service import free_port
from tests.conftest import ROOT
from tests.tools.bench.load import JSON, NPY, load, prepare
from tests.tools.bench.report import PAUSE, spread_of
from tests.tools.bench.serving import make_records, time_fixed_work, to_json, to_npy

PEERS = ROOT / "build" / "peers"
INSTALLED = {"litserve": "litserve==0.2.19", "bentoml": "bentoml==1.4.40"}
SENDERS, REQUESTS, ROUNDS = (1, 16, 64), 1_500, 7
SHOWN = 16  # senders, in the picture


class Server(NamedTuple):
    """A running server: its row in the table, its port, its process, and the requests of one record it is sent."""

    name: str
    port: int
    process: subprocess.Popen
    requests: dict[str, bytes]


def main() -> None:
    rates, noise, left_out = defaultdict(list), [], []
    with ExitStack() as stack:
        servers = [stack.enter_context(started) for started in list_servers(left_out)]
        for server in servers:  # the first requests load what is left to load
            ask(server, JSON, 16, 200)
        for _ in tqdm(range(ROUNDS), desc="bench", unit="round", disable=None):
            noise.append(time_fixed_work())
            for server in servers:
                time.sleep(PAUSE)
                for kind in server.requests:
                    for senders in SENDERS:
                        rates[server.name, kind, senders].append(ask(server, kind, senders, REQUESTS))
        memory = {server.name: measure_memory(server.process.pid) for server in servers}
    report = "\n".join([*table_of(rates, memory), *remarks(noise, left_out)])
    (ROOT / "assets" / "bench_others.md").write_text(report + "\n")
    draw(rates)
    print(report)


def list_servers(left_out: list[str]) -> Iterator[AbstractContextManager[Server]]:
    """Yield servers to be started; a peer that cannot be installed is added to left_out."""
    record = make_records(1)
    body, array = to_json(record), to_npy(record)
    plain = [sys.executable, "-m", "uvicorn", "tests.tools.bench.plain_service:app", "--no-access-log", "--port"]
    yield running("plain", [*plain, "{port}"], {JSON: body})
    for name, package in INSTALLED.items():
        if (folder := install(name, package)) is None:
            left_out.append(package)
        elif name == "litserve":
            command = [str(folder / "bin" / "python"), "litserve_service.py", "{port}"]
            yield running(package.replace("==", " "), command, {JSON: body})
        else:
            command = [str(folder / "bin" / "bentoml"), "serve", "bentoml_service:Bearing", "--port", "{port}"]
            named = json.dumps({"items": json.loads(body)}).encode()
            yield running(package.replace("==", " "), command, {JSON: named}, ready="/readyz")
    for processes in (1, 2):
        name = f"ours, {processes} process{'es' if processes > 1 else ''}"
        variables = {"WORKERS_PROCESSES": str(processes), "PORT": "{port}", "DATABASE_URL": "none"}
        yield running(name, [sys.executable, "-m", "api"], {JSON: body, NPY: array}, **variables)


def install(name: str, package: str) -> Path | None:
    """Return the folder of an environment with a peer, made at the first run; None where it cannot be installed."""
    folder = PEERS / name
    if not (folder / "ready").exists():
        needed = [package, *(f"{each}=={version(each)}" for each in ("onnxruntime", "numpy"))]
        commands = [
            [sys.executable, "-m", "venv", str(folder)],
            [str(folder / "bin" / "pip"), "install", "-q", *needed],
        ]
        if any(subprocess.run(command).returncode for command in commands):
            return None
        (folder / "ready").touch()
    return folder


@contextmanager
def running(
    name: str, command: list[str], bodies: dict[str, bytes], ready: str = "/health/ready", **variables: str
) -> Iterator[Server]:
    """Run a server, in the folder of the peers where it is one, until the context ends."""
    port = free_port()
    is_peer = "peers" in command[0]
    given = {"MODEL": str(ROOT / "assets" / "model.onnx"), "CLASSES": ",".join(Predictor(ROOT / "assets").classes)}
    given |= {"BENTOML_DO_NOT_TRACK": "True"} | {key: value.format(port=port) for key, value in variables.items()}
    process = subprocess.Popen(
        [part.format(port=port) for part in command],
        cwd=Path(__file__).parent / "peers" if is_peer else ROOT,
        env=os.environ | given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}{ready}", name)
        yield Server(
            name, port, process, {kind: prepare("/batch_predict/", kind, body) for kind, body in bodies.items()}
        )
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_until_ready(url: str, name: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise RuntimeError(f"{name} did not become ready")


def ask(server: Server, kind: str, senders: int, number: int) -> float:
    """Return how many requests of one record a second a server answers to so many senders."""
    return load(server.port, server.requests[kind], senders, number if senders > 1 else number // 5)[1]


def measure_memory(process: int) -> float:
    """Return the megabytes of a process and all that it started; what they share counts once."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children = defaultdict(list)
    for line in listing.splitlines():
        child, parent = map(int, line.split())
        children[parent].append(child)
    todo, total = [process], 0
    while todo:
        each = todo.pop()
        todo += children[each]
        try:
            total += int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{each}/smaps_rollup").read_text(), re.MULTILINE)[1])
        except FileNotFoundError:
            continue  # it has ended since
    return total * 1024 / 1e6


def table_of(rates: dict[tuple, list[float]], memory: dict[str, float]) -> list[str]:
    plain = {senders: np.median(rates["plain", JSON, senders]) for senders in SENDERS}
    heads = " | ".join(f"{senders} sender{'s' if senders > 1 else ''}" for senders in SENDERS)
    lines = ["**One record a request, requests a second** (median of the rounds with quartiles, ratio to plain)", ""]
    lines += [f"| service | {heads} | MB afterwards, all processes |", "|---" * (len(SENDERS) + 2) + "|"]
    for name, kind in dict.fromkeys((name, kind) for name, kind, _ in rates):
        found = {senders: rates[name, kind, senders] for senders in SENDERS}
        cells = [f"{spread_of(each, 0)} · {np.median(each) / plain[n]:.1f}x" for n, each in found.items()]
        lines.append(f"| {label_of(name, kind)} | {' | '.join(cells)} | {memory[name]:.0f} |")
    return [*lines, ""]


def label_of(name: str, kind: str) -> str:
    return f"{name}, {'JSON' if kind == JSON else '.npy'}"


def draw(rates: dict[tuple, list[float]]) -> None:
    rows = list(dict.fromkeys((name, kind) for name, kind, _ in rates))
    plain = np.median(rates["plain", JSON, SHOWN])
    with pyplot.rc_context(STYLE):
        figure, axis = pyplot.subplots(figsize=(7, 3))
        for place, (name, kind) in enumerate(rows):
            low, middle, high = np.percentile(rates[name, kind, SHOWN], [25, 50, 75])
            color = BLUE if name.startswith("ours") else INK
            axis.barh(place, middle, xerr=[[middle - low], [high - middle]], color=color, height=0.6,
                      error_kw={"elinewidth": 0.8, "ecolor": ORANGE})  # fmt: skip
            axis.text(high, place, f"  {middle:,.0f} · {middle / plain:.1f}x", va="center")
        axis.set_yticks(range(len(rows)), [label_of(*row) for row in rows])
        axis.invert_yaxis()
        axis.set(title=f"{SHOWN} senders, one record a request", xlabel="requests a second (median, quartiles)")
        axis.set_xlim(right=1.3 * max(np.percentile(rates[name, kind, SHOWN], 75) for name, kind in rows))
        save(figure, ROOT / "assets" / "bench_others.png")


def remarks(noise: list[float], left_out: list[str]) -> list[str]:
    missing = [f"- Not installed, so not measured: {', '.join(left_out)}."] if left_out else []
    return [
        *missing,
        "- Every server has its defaults, and the load client takes a part of the same cores. Connections fall to our "
        "two processes as they come.",
        f"- The machine: {os.cpu_count()} cores; the same arithmetic took {min(noise):.0f} to {max(noise):.0f} ms in "
        f"the {ROUNDS} rounds.",
    ]


if __name__ == "__main__":
    main()
