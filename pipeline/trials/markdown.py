"""The table of the protocols for people: macro-F1 of every network, and what else decides about trust."""

from collections.abc import Iterator

from scipy.stats import binomtest

from pipeline.figures import NETWORKS, PROTOCOL_NOTES
from pipeline.trials.jobs import TRIED
from pipeline.trials.table import HEADLINE


def write_markdown(table: dict, open_set: dict) -> str:
    """Return the table for people: macro-F1 of every network on every protocol, and what else decides about trust."""
    networks = [name for name in TRIED if name != "shuffled_labels"]
    names = [NETWORKS[name][0] for name in networks]
    rows = [
        f"| `{protocol}` | " + " | ".join(write_cell(table[protocol].get(name)) for name in networks) + " |"
        for protocol in PROTOCOL_NOTES
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
    headline = NETWORKS[HEADLINE][0]
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
            yield f"- `rig`, {NETWORKS[network][0]}, {name}: {write_fold(fold)}."
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
        independent = (windows + 1) // 2
        low, high = binomtest(round(share * independent), independent).proportion_ci(method="wilson")
        yield f"{name}: {100 * share:.0f} % of {windows} (95 %: {100 * low:.0f} to {100 * high:.0f} %)"
