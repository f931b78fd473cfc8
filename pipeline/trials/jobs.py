"""The jobs of the protocols: which network is tried on which protocol, and the files that keep what came of it."""

import json
import shutil
from pathlib import Path

from pipeline.params import TRIALS
from pipeline.trials.rig import list_rigs

ALL = ("random", "block", "load", "bearing", "combinations", "noise")
TRIED = {  # which protocols each network is tried on; only networks of windows have the ten classes of transfer
    "reference": (*ALL, "rig", "transfer"),
    "wide_kernel": ("random", "block", "load", "bearing", "noise", "rig", "transfer"),
    "shuffled_labels": ("block",),
    "transfer_network": ("transfer",),
    "transfer_network_adapted": ("transfer",),
    "simulation_only": ALL,
    "recording": ALL,
}
ON_RIGS = ("recording", "simulation_only")  # tried on rigs by a stage of their own, rig_trials
LONGEST_FIRST = ("combinations", "bearing", "load", "transfer")  # the protocols of many folds; two cores end together


def list_jobs(network: str, seeds: list[int]) -> list[tuple[str, int]]:
    """Return the (protocol, seed) pairs of a network's trials, without rig where there are no recordings of one."""
    tried = [protocol for protocol in TRIED[network] if protocol != "rig" or list_rigs()]
    return [(protocol, seed) for protocol in tried for seed in seeds]


def longest_first(jobs: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(jobs, key=lambda job: (*LONGEST_FIRST, job[0]).index(job[0]))


def write_trials(network: str, results: dict[tuple[str, int], dict]) -> None:
    """Write {(protocol, seed): entries} of one network into its folder, and remove what an earlier run left there."""
    folder = TRIALS / network
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for job, entries in results.items():
        path_of(network, *job).write_text(json.dumps(entries) + "\n")


def read_trials(network: str, jobs: list[tuple[str, int]]) -> dict[tuple[str, int], dict]:
    return {job: json.loads(path_of(network, *job).read_text()) for job in jobs}


def path_of(network: str, protocol: str, seed: int) -> Path:
    return TRIALS / network / f"{protocol}-{seed}.json"
