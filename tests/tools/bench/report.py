"""The tables and the picture of the bench: what was measured, as Markdown and as assets/bench.png."""

import os

import numpy as np
from matplotlib import pyplot

from pipeline.figures import BLUE, INK, ORANGE, STYLE, save
from tests.conftest import ROOT
from tests.tools.bench.load import JSON, NPY
from tests.tools.bench.small import FILES, TOGETHER, Beside, Parts

ASSETS = ROOT / "assets"
SIZES = (1, 5, 10, 25, 50, 100, 150, 200)
LOADS = ((1, 1, 100), (1, 16, 1000), (1, 64, 1000), (1, 256, 1000), (8, 16, 200))  # records, senders, requests
ROUNDS = 10
PAUSE = 0.4  # s before a server's turn
NAMES = {"plain": "plain", "onnx": "ours, ONNX", "torch": "ours, PyTorch"}
COLORS = {"plain": INK, "onnx": BLUE, "torch": ORANGE}
Times = dict[tuple, list[float]]


def variants() -> list[tuple[str, str]]:
    return [("plain", JSON), ("onnx", JSON), ("onnx", NPY), ("torch", JSON), ("torch", NPY)]


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


def table_of_small(parts: dict[str, Parts], rates: Times) -> list[str]:
    lines = [f"| one record, {TOGETHER} senders, µs a request | a bare ASGI app under uvicorn | + parsing | + network "
             "| = limit | ours | ours / limit |", "|---" * 7 + "|"]  # fmt: skip
    for kind, each in parts.items():
        total, ours = sum(each), 1e6 / float(np.median(rates["onnx", kind, 1, TOGETHER]))
        cells = " | ".join(f"{value:.0f}" for value in [*each, total, ours])
        lines.append(f"| {'JSON' if kind == JSON else '.npy'} | {cells} | {ours / total:.2f} |")
    return [*lines, ""]


def say_beside(beside: Beside) -> str:
    (alone, alone_99), (median, last) = beside.alone, beside.beside
    return (
        f"- While {FILES} files of five seconds a second are asked for ({beside.files:.1f} were answered), {TOGETHER} "
        f"senders of one record get half of their answers within {median:.1f} ms and 99 % within {last:.1f} ms; alone, "
        f"{alone:.1f} and {alone_99:.1f} ms."
    )


def remarks(rates: Times, noise: list[float], health: float, beside: Beside) -> list[str]:
    client = " and ".join(f"{np.median(rates['echo', kind, 1, 16]):,.0f}" for kind in (JSON, NPY))
    return [
        "- The load client is not the limit: from a server that only reads and answers a constant it gets "
        f"{client} answers a second (JSON, .npy; 16 senders).",
        f"- While four senders keep sending 200 records, 99 % of `GET /health/live` come within {health:.1f} ms.",
        say_beside(beside),
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
