"""Stage line_networks: train the networks that read lines on simulated machines, several of each seed.

They know no real window, so all folds of a seed share them; those of one seed are served. Networks of two seeds have no
seed in common.
"""

from functools import cache, partial
from typing import Any

import numpy as np

from model.recording.lines import Features
from pipeline import params
from pipeline.params import LINE_NETWORKS, SIMULATED
from pipeline.training.line_network import train_line_network
from pipeline.trials.pool import run_jobs


def main() -> None:
    section = params.load("line_networks")
    networks, seeds = section["networks"], {params.load("diagnosis")["seed"], *params.load("protocols")["seeds"]}
    quiet_line = params.load("thresholds")["baseline"]["quiet_line"]
    work = partial(train, training=section["training"] | {"quiet_line": quiet_line})
    trained = run_jobs(work, [(networks * seed + number,) for seed in seeds for number in range(networks)])
    LINE_NETWORKS.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        weights = {
            f"{number}/{name}": weight
            for number in range(networks)
            for name, weight in trained[networks * seed + number,].items()
        }
        np.savez(LINE_NETWORKS / f"{seed}.npz", **weights)


def train(seed: int, training: dict[str, Any]) -> dict[str, np.ndarray]:
    features, labels = load_simulated()
    return train_line_network(features, labels, seed, **training)


@cache
def load_simulated() -> tuple[Features, np.ndarray]:
    stored = np.load(SIMULATED)
    return Features(*(stored[name] for name in Features._fields)), stored["label"]


if __name__ == "__main__":
    params.run_stage(main)
