"""The table of the protocols for people: macro-F1 of every network, and what else decides about trust."""

from collections.abc import Iterator

from scipy.stats import binomtest

from pipeline.figures import NETWORKS, PROTOCOL_NOTES
from pipeline.trials.jobs import TRIED
from pipeline.trials.scores import STATED, WITH, WITHOUT, Entry
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
    cell = f"{entry['mean']['macro_f1']:.3f} ± {entry['spread']['macro_f1']:.3f}"
    return f"{cell}, worst {entry['worst']['macro_f1']:.3f} ({entry['worst']['rig']})" if "worst" in entry else cell


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
    for network, entry in table.get("rig", {}).items():
        rigs = ", ".join(f"{rig} {fold['macro_f1']:.3f}" for rig, fold in entry["folds"].items())
        yield f"- `rig`, {NETWORKS[network][0]}, rig by rig: {rigs}."
    for label, areas in open_set.items():
        values = ", ".join(f"{area:.2f} ({name})" for name, area in areas.items())
        yield f"- {label} never seen, told apart by novelty: AUROC {values}."
    control = table["block"]["shuffled_labels"]["mean"]
    yield f"- Control: with shuffled labels, `block` has a balanced accuracy of {control['balanced_accuracy']:.3f}."


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


def write_rigs(rigs: dict) -> str:
    """Return every count of the trials on rigs for people, each with Wilson's interval."""
    head = (
        "network", "rig", "baseline", "stated rate", "healthy called faulty", "healthy uncertain", "race faults found",
        "race faults with their type", "inner or outer right where named", "ball faults found", "macro-F1",
    )  # fmt: skip
    rows = [
        (NETWORKS[network][0], rig, beside.split()[0], stated, *(write_counts(entry, *pair) for pair in COUNTED),
         f"{entry['macro_f1']:.3f}")
        for network, tried in rigs.items()
        for rig, kinds in tried.items()
        for beside, rates in kinds.items()
        for stated, entry in rates.items()
    ]  # fmt: skip
    return "\n".join(["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]) + "\n"


COUNTED = (
    ("healthy_called_faulty", "healthy"),
    ("healthy_uncertain", "healthy"),
    ("race_faults_found", "race_faults"),
    ("race_faults_right", "race_faults"),
    ("race_faults_right", "races_named"),
    ("ball_faults_found", "ball_faults"),
)


def write_counts(entry: dict, part: str, whole: str) -> str:
    """Return a count out of another one of an entry with its 95 % interval in per cent."""
    if not entry[whole]:
        return ""
    low, high = binomtest(entry[part], entry[whole]).proportion_ci(method="wilson")
    return f"{entry[part]} of {entry[whole]} ({100 * low:.0f} to {100 * high:.0f} %)"


def write_trust(rigs: dict) -> str:
    """Return one row a rig: what to expect of the headline network on a machine that it has never heard."""
    head = ("rig", "healthy called faulty", "healthy uncertain", "race faults with their type", "macro-F1",
            "with a healthy baseline: healthy called faulty", "race faults found")  # fmt: skip
    rows = []
    tried = rigs.get(HEADLINE, {})
    worst = min(tried, key=lambda rig: tried[rig][WITHOUT][STATED]["macro_f1"], default="")
    for rig, kinds in tried.items():
        alone, beside = kinds[WITHOUT][STATED], kinds.get(WITH, {}).get(STATED)
        rows.append(
            (
                f"**{rig}, the worst**" if rig == worst else rig,
                *(write_counts(alone, *pair) for pair in (COUNTED[0], COUNTED[1], COUNTED[3])),
                f"{alone['macro_f1']:.3f}",
                *(write_counts(beside, *pair) if beside else "" for pair in (COUNTED[0], COUNTED[2])),
            )
        )
    return "\n".join(["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)])


def write_machines(machines: dict[str, Entry]) -> str:
    """Return what became of the simulated machines, speed by speed and of all, each with Wilson's interval."""
    head = ("speed", "healthy machines", "false alarms per 1,000", "healthy uncertain", "race faults found",
            "race faults with their type", "extended faults found")  # fmt: skip
    names = [name for entry in machines.values() for name in entry if isinstance(entry[name], int)]
    whole = {name: sum(entry[name] for entry in machines.values()) for name in dict.fromkeys(names)}
    rows = [
        (
            speed,
            str(entry["healthy"]),
            write_per_thousand(entry),
            *(write_counts(entry, *pair) for pair in COUNTED_MACHINES),
        )
        for speed, entry in {**machines, "all": whole}.items()
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)) + "\n"


COUNTED_MACHINES = (
    ("healthy_uncertain", "healthy"),
    ("race_faults_found", "race_faults"),
    ("race_faults_right", "race_faults"),
    ("extended_faults_found", "extended_faults"),
)


def write_per_thousand(entry: Entry) -> str:
    alarms, healthy = entry["healthy_called_faulty"], entry["healthy"]
    low, high = binomtest(alarms, healthy).proportion_ci(method="wilson")
    return f"{1000 * alarms / healthy:.0f} ({1000 * low:.0f} to {1000 * high:.0f})"
