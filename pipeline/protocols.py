"""Stage protocols: every network on every protocol, several seeds, folds cached; the table and pictures of it."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pipeline import figures, params
from pipeline.params import ASSETS, FOLDS, LINES, SCALED, SIMULATED, WINDOWS
from pipeline.trials.experiments import (
    KNOWN,
    SETTINGS,
    load_rig,
    networks_path,
    train_line_networks,
    try_open_set,
    try_recording_network,
    try_transfer_network,
    try_window_network,
)
from pipeline.trials.folds import OTHER_MAKER
from pipeline.trials.scores import METRICS

Job = tuple[str, str, int]  # protocol, network, seed
ALL = ("random", "block", "load", "bearing", "combinations", "noise", "rig")
TRIED = {  # which protocols each network is tried on; ten classes need the windows' networks
    "reference": (*ALL, "transfer"),
    "wide_kernel": ("random", "block", "load", "bearing", "noise", "rig", "transfer"),
    "shuffled_labels": ("block",),
    "transfer_network": ("transfer",),
    "transfer_network_adapted": ("transfer",),
    "simulation_only": ALL,
    "recording": ALL,
}
HEADLINE = "recording"  # fixed beforehand
SHARED = ("pipeline/trials/folds.py", "pipeline/trials/scores.py", "pipeline/trials/experiments.py")
WINDOW_SOURCES = ("model/window/front_end.py", "model/window/wide_kernel.py", "pipeline/training/wide_kernel.py")
LINE_SOURCES = (
    "model/bearings.py", "model/recording/diagnosis.py", "pipeline/training/line_network.py",
    "model/recording/lines.py", "pipeline/training/recording.py",
)  # fmt: skip


def main() -> None:
    section = params.load("protocols")
    results = run_jobs(list_jobs(section["seeds"]))
    table = make_table(results)
    (ASSETS / "protocols.json").write_text(json.dumps(table | {"headline_network": HEADLINE}, indent=1) + "\n")
    open_set = {label: try_open_set(label) for label in ("Ball", "InnerRace", "OuterRace")}
    (ASSETS / "open_set.json").write_text(json.dumps(open_set, indent=1) + "\n")
    (ASSETS / "protocols.md").write_text(write_markdown(table, open_set))
    figures.draw_protocols(table, ASSETS / "protocols.png")
    figures.draw_protocol_confusion(table, HEADLINE, ASSETS / "protocols_confusion.png")
    print_table(table, open_set)


def list_jobs(seeds: list[int]) -> list[Job]:
    jobs = [(protocol, network, seed) for network, tried in TRIED.items() for protocol in tried for seed in seeds]
    if not load_rig():
        mirror = params.load("protocols")["rig"]["mirror"]
        print(f"protocol rig LEFT OUT: {mirror} names no folder with the other rig's recordings")
        jobs = [job for job in jobs if job[0] != "rig"]
    return jobs


def run_jobs(jobs: list[Job]) -> dict[Job, dict]:
    """Return {job: {fold: entry}}, from the cache where nothing that a job rests on has changed."""
    FOLDS.mkdir(parents=True, exist_ok=True)
    kept = {path_of(job).name: job for job in jobs}
    networks = {network_cache(seed).name for _, _, seed in jobs} | {networks_path(seed).name for _, _, seed in jobs}
    for path in FOLDS.iterdir():
        if path.name not in kept and path.name not in networks:
            path.unlink()
    missing = [job for job in jobs if not path_of(job).exists()]
    print(f"{len(jobs) - len(missing)} of {len(jobs)} trials are cached")
    cores = len(os.sched_getaffinity(0))
    # A forked child of a process in which torch has computed can hang: children start afresh.
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn"), initializer=prepare_process) as processes:
        seeds = {seed for _, network, seed in missing if rests_on_lines(network) and not network_cache(seed).exists()}
        for _ in tqdm(
            processes.map(make_networks, seeds), total=len(seeds), desc="networks", unit="seed", disable=None
        ):
            pass
        longest_first = sorted(missing, key=lambda job: job[0] != "combinations")
        futures = [processes.submit(run_job, job) for job in longest_first]
        for future in tqdm(as_completed(futures), total=len(futures), desc="protocols", unit="trial", disable=None):
            future.result()
    return {job: json.loads(path_of(job).read_text()) for job in jobs}


def prepare_process() -> None:
    """Make a process of the pool ready: one thread each, and no process outlives a killed parent."""
    threading.Thread(target=leave_with_parent, daemon=True).start()
    os.environ["TQDM_DISABLE"] = "1"
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def leave_with_parent() -> None:
    parent_process().join()
    os._exit(1)


def make_networks(seed: int) -> None:
    train_line_networks(seed)
    network_cache(seed).touch()


def run_job(job: Job) -> None:
    protocol, network, seed = job
    if network in SETTINGS:
        entries = try_window_network(protocol, network, seed)
    elif network.startswith("transfer_network"):
        entries = try_transfer_network(network, seed)
    else:
        entries = try_recording_network(protocol, network, seed)
    finished = path_of(job)
    part = finished.with_suffix(".part")
    part.write_text(json.dumps(entries) + "\n")
    part.rename(finished)  # a kill leaves no half of a fold behind


def rests_on_lines(network: str) -> bool:
    return network in ("simulation_only", "recording")


def path_of(job: Job) -> Path:
    """Return the file that keeps a trial: its name says what it rests on."""
    protocol, network, seed = job
    return FOLDS / f"{protocol}-{network}-{seed}-{fingerprint(network, protocol == 'rig')}.json"


def network_cache(seed: int) -> Path:
    """Return the mark that the line networks kept for this seed were trained by what is here now."""
    return FOLDS / f"line_networks-{seed}-{fingerprint('simulation_only', False)}.done"


@cache
def fingerprint(network: str, rig: bool) -> str:
    """Return a hash of the code, the params and the data that a network's trials rest on."""
    if rests_on_lines(network):
        sources = [*SHARED, *LINE_SOURCES]
        data = [SIMULATED, *sorted(LINES.iterdir())]
        sections = [params.load("diagnosis"), params.load("lines")]
    else:
        sources = [*SHARED, *WINDOW_SOURCES]
        setting = SETTINGS.get(network, "resampled")
        data = [SCALED / f"{setting}.npy", WINDOWS / setting / "metadata.csv"]
        sections = [params.load(name, setting) for name in ("windows", "scale", "train")] + [
            params.load("lines")["noise"]
        ]
    if network.startswith("transfer_network"):
        sources.append("pipeline/trials/transfer_network.py")
        sections.append(params.load("protocols")["transfer"])
    digest = hashlib.sha256(json.dumps(sections, sort_keys=True).encode())
    for path in [*map(Path, sources), *data]:
        digest.update(path.read_bytes())
    for recording in load_rig() if rig else ():
        facts = (recording.label, recording.sampling_rate, recording.rpm, params.load("protocols")["rig"]["bearing"])
        digest.update(repr(facts).encode() + recording.signal.tobytes())
    return digest.hexdigest()[:12]


def make_table(results: dict[Job, dict]) -> dict:
    """Return {protocol: {network: {"mean", "spread", "folds"}}} over the seeds.

    mean is over folds and seeds, spread their standard deviation; the other maker's diameter in the bearing protocol
    and the catalogue's recordings in the rig protocol stand apart. Each fold has its mean over the seeds, and its
    confusion matrix summed over them.
    """
    table: dict[str, dict] = {}
    for protocol, network in dict.fromkeys((protocol, network) for protocol, network, _ in results):
        runs = [entries for (p, n, _), entries in results.items() if (p, n) == (protocol, network)]
        headline = [fold for fold in runs[0] if not stands_apart(protocol, fold)]
        table.setdefault(protocol, {})[network] = {
            "mean": {metric: summarise(runs, headline, metric)[0] for metric in (*METRICS, "recordings_macro_f1")},
            "spread": {metric: summarise(runs, headline, metric)[1] for metric in (*METRICS, "recordings_macro_f1")},
            "folds": {fold: merge([run[fold] for run in runs]) for fold in runs[0]},
        }
    return table


def stands_apart(protocol: str, fold: str) -> bool:
    return fold.startswith(f"{OTHER_MAKER:.3f}") if protocol == "bearing" else fold.startswith(KNOWN)


def summarise(runs: list[dict], folds: list[str], metric: str) -> tuple[float, float]:
    values = [run[fold][metric] for run in runs for fold in folds]
    return round(float(np.mean(values)), 6), round(float(np.std(values)), 6)


def merge(entries: list[dict]) -> dict:
    merged = {
        name: round(float(np.mean([entry[name] for entry in entries])), 6) for name in entries[0] if name != "confusion"
    }
    matrix = entries[0]["confusion"]
    confusion = {
        truth: {answer: sum(entry["confusion"][truth][answer] for entry in entries) for answer in row}
        for truth, row in matrix.items()
    }
    return merged | {"seeds": len(entries), "confusion": confusion}


def print_table(table: dict, open_set: dict) -> None:
    for protocol, networks in table.items():
        for network, entry in networks.items():
            mean, spread = entry["mean"], entry["spread"]
            cells = [f"{metric} {mean[metric]:.3f} ± {spread[metric]:.3f}" for metric in METRICS]
            print(f"{protocol:13s} {network:25s} {'  '.join(cells)}")
    print(write_markdown(table, open_set))


def write_markdown(table: dict, open_set: dict) -> str:
    """Return the table for people: macro-F1 of every network on every protocol, and what else decides about trust."""
    networks = [name for name in TRIED if name != "shuffled_labels"]
    names = [figures.NETWORKS[name][0] for name in networks]
    rows = [
        f"| `{protocol}` | " + " | ".join(write_cell(table[protocol].get(name)) for name in networks) + " |"
        for protocol in figures.PROTOCOL_NOTES
        if protocol in table
    ]
    return "\n".join(
        ["| macro-F1 | " + " | ".join(names) + " |", "|---" * (len(networks) + 1) + "|", *rows, "",
         *write_details(table, open_set), ""]
    )  # fmt: skip


def write_cell(entry: dict | None) -> str:
    if entry is None:
        return ""
    return f"{entry['mean']['macro_f1']:.3f} ± {entry['spread']['macro_f1']:.3f}"


def write_details(table: dict, open_set: dict) -> Iterator[str]:
    headline = figures.NETWORKS[HEADLINE][0]
    for protocol in ("bearing", "combinations"):
        mean = table[protocol][HEADLINE]["mean"]
        yield (
            f"- `{protocol}`, {headline}: macro AUROC {mean['macro_auroc']:.3f}, expected calibration error "
            f"{mean['ece']:.3f}; whole recordings macro-F1 {mean['recordings_macro_f1']:.3f}."
        )
    folds = table["bearing"][HEADLINE]["folds"]
    yield (
        "- `bearing`, fold by fold: "
        + ", ".join(f"{name} {fold['macro_f1']:.3f}" for name, fold in folds.items())
        + "."
    )
    yield f"- Healthy windows, {headline}: " + "; ".join(healthy_lines(table["bearing"][HEADLINE])) + "."
    noise = table["noise"][HEADLINE]["folds"]
    yield "- `noise`, whole recordings: " + ", ".join(
        f"{name} {fold['recordings_macro_f1']:.3f}" for name, fold in noise.items()
    ) + "."  # fmt: skip
    for network in (HEADLINE, "simulation_only") if "rig" in table else ():
        for name, fold in table["rig"][network]["folds"].items():
            yield f"- `rig`, {figures.NETWORKS[network][0]}, {name}: {write_fold(fold)}."
    for label, areas in open_set.items():
        values = ", ".join(f"{area:.2f} ({name})" for name, area in areas.items())
        yield f"- {label} never seen, told apart by novelty: AUROC {values}."
    control = table["block"]["shuffled_labels"]["mean"]
    yield f"- Control: with shuffled labels, `block` has a balanced accuracy of {control['balanced_accuracy']:.3f}."


def write_fold(fold: dict) -> str:
    right = sum(row.get(truth, 0) for truth, row in fold["confusion"].items())
    share = right / sum(sum(row.values()) for row in fold["confusion"].values())
    rates = ""
    if "true_positive_rate" in fold:
        alarms = f"{fold['true_positive_rate']:.3f} at a false positive rate of {fold['false_positive_rate']:.3f}"
        rates = f", true positive rate {alarms}"
    return f"{100 * share:.1f} % of windows right{rates}"


def healthy_lines(entry: dict) -> Iterator[str]:
    """Yield how many healthy windows were right in each fold, with an interval: Normal is one healthy bearing.

    Windows overlap by half and seeds share them, so the interval counts every second window of one seed.
    """
    for name, fold in entry["folds"].items():
        row = fold["confusion"]["Normal"]
        windows = sum(row.values()) // fold["seeds"]
        share = row["Normal"] / sum(row.values())
        low, high = wilson(share, (windows + 1) // 2)
        yield f"{name}: {100 * share:.0f} % of {windows} (95 %: {100 * low:.0f} to {100 * high:.0f} %)"


def wilson(share: float, windows: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval of a share. Formula: Wilson, J. Am. Stat. Assoc. 22 (1927) 209."""
    centre = (share + z**2 / (2 * windows)) / (1 + z**2 / windows)
    half = z / (1 + z**2 / windows) * np.sqrt(share * (1 - share) / windows + z**2 / (4 * windows**2))
    return centre - half, centre + half


if __name__ == "__main__":
    params.run_stage(main)
