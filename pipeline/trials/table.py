"""The table of the protocols: means and spreads of every network's scores, over folds and seeds."""

import numpy as np

from pipeline.trials.folds import KNOWN, OTHER_MAKER
from pipeline.trials.scores import METRICS

HEADLINE = "recording"  # the network that the table is about; fixed beforehand

Results = dict[tuple[str, str, int], dict]  # entries by fold, of each (protocol, network, seed)


def make_table(results: Results) -> dict:
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
