"""The table of the protocols: means and spreads of every network's scores, over folds and seeds."""

import numpy as np

from pipeline.trials.folds import OTHER_MAKER
from pipeline.trials.rig import KNOWN
from pipeline.trials.scores import METRICS, STATED, WITHOUT

HEADLINE = "recording"  # the network that the table is about; fixed beforehand
OTHERS = f"{OTHER_MAKER:.3f}"  # starts the name of the fold that stands apart
SUMMARISED = (*METRICS, "recordings_macro_f1")

Results = dict[tuple[str, str, int], dict]  # entries by fold, of each (protocol, network, seed)


def make_table(results: Results) -> dict:
    """Return {protocol: {network: {"mean", "spread", "folds"}}} over the seeds.

    mean is over folds and seeds, spread their standard deviation; the other maker's diameter in the bearing protocol
    stands apart. Each fold has its mean over the seeds, and its
    confusion matrix summed over them.
    """
    table: dict[str, dict] = {}
    for protocol, network in dict.fromkeys((protocol, network) for protocol, network, _ in results):
        runs = [entries for (p, n, _), entries in results.items() if (p, n) == (protocol, network)]
        table.setdefault(protocol, {})[network] = summarise(runs, OTHERS if protocol == "bearing" else "")
    return table


def add_rigs(table: dict, rigs: dict) -> None:
    """Add the diagnosis of whole recordings, as score_rig says, to the protocol rig: a fold is a rig at its stated rate
    without a baseline, and the worst one is named. The rig whose recordings train stands apart."""
    for network, tried in rigs.items():
        folds = {rig: entries[WITHOUT][STATED] for rig, entries in tried.items()}
        others = {rig: fold["macro_f1"] for rig, fold in folds.items() if rig != KNOWN}
        if others:
            worst = min(others, key=others.get)
            entry = summarise([folds], KNOWN) | {"worst": {"rig": worst, "macro_f1": round(others[worst], 6)}}
            table.setdefault("rig", {})[network] = entry


def add_machines(table: dict, machines: dict) -> None:
    """Add the trials on simulated machines to the protocol machine: a fold is a speed."""
    table["machine"] = {HEADLINE: summarise([machines], "")}


def summarise(runs: list[dict], apart: str) -> dict:
    """Return mean, spread and folds of runs; folds whose name starts with what stands apart are in neither of both."""
    mean, spread = {}, {}
    for metric in SUMMARISED:
        entries = [run[fold] for run in runs for fold in run if not (apart and fold.startswith(apart))]
        values = [entry[metric] for entry in entries if metric in entry]
        mean[metric], spread[metric] = round(float(np.mean(values)), 6), round(float(np.std(values)), 6)
    return {"mean": mean, "spread": spread, "folds": {fold: merge([run[fold] for run in runs]) for fold in runs[0]}}


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
