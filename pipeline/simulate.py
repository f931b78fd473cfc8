"""Stage simulate: features of simulated machines, for the network that reads lines."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from model.recording.classes import CLASSES
from model.recording.lines import RATE, WINDOW_SECONDS, Features, concatenate, describe, window_length
from pipeline import params
from pipeline.params import SIMULATED
from pipeline.population import draw_machine
from pipeline.simulator import simulate

CHUNK = 100  # machines handed to a process at once


def main() -> None:
    features, machines = simulate_machines(**params.load("simulate"))
    SIMULATED.parent.mkdir(parents=True, exist_ok=True)
    np.savez(SIMULATED, **features._asdict(), **machines)
    counts = dict(zip(*np.unique(machines["label"], return_counts=True), strict=True))
    print(f"{len(features.lines)} windows of simulated machines: { ({str(k): int(v) for k, v in counts.items()}) }")


def simulate_machines(
    machines: int, windows: int, seed: int, population: dict[str, Any]
) -> tuple[Features, dict[str, np.ndarray]]:
    """Return the features of windows of simulated machines, all classes alike, and what each window's machine was.

    population holds the ranges that machines are drawn from. The second holds label, secondary (the label of weak lines
    beside, or "") and snr_db, one each a window. The same seed gives the same machines, whatever the number of
    processes.
    """
    make = partial(simulate_chunk, windows=windows, seed=seed, population=population)
    starts = range(0, machines, CHUNK)
    chunks = [range(start, min(start + CHUNK, machines)) for start in starts]
    with ProcessPoolExecutor(joblib.cpu_count()) as processes:
        parts = list(tqdm(processes.map(make, chunks), total=len(chunks), desc="simulate", unit="chunk", disable=None))
    facts = [fact for _, chunk_facts in parts for fact in chunk_facts for _ in range(windows)]
    columns = dict(zip(("label", "secondary", "snr_db"), map(np.array, zip(*facts, strict=True)), strict=True))
    return concatenate([features for features, _ in parts]), columns


def simulate_chunk(
    numbers: range, windows: int, seed: int, population: dict[str, Any]
) -> tuple[Features, list[tuple[str, str, float]]]:
    features, facts = [], []
    for number in numbers:
        label = CLASSES[number % len(CLASSES)]
        generator = np.random.default_rng([seed, number])
        bearing, rpm, faults, surroundings = draw_machine(label, generator, population)
        signal = simulate(bearing, rpm, RATE, windows * WINDOW_SECONDS, generator, faults, surroundings)
        cut = signal.reshape(windows, window_length(RATE))
        features.append(describe(cut, RATE, rpm / 60, bearing.orders))
        secondary = [fault.label for fault in faults if fault.label != label]
        snr_db = faults[0].snr_db if label != "Normal" else -np.inf
        facts.append((label, secondary[0] if secondary else "", snr_db))
    return concatenate(features), facts


if __name__ == "__main__":
    params.run_stage(main)
