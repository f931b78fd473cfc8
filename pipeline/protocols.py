"""Stage protocols: collect the trials of every network into the table, its Markdown and its pictures."""

import json

from pipeline import figures, params
from pipeline.params import ASSETS
from pipeline.trials.jobs import TRIED, list_jobs, read_trials
from pipeline.trials.markdown import write_markdown
from pipeline.trials.scores import METRICS
from pipeline.trials.table import HEADLINE, Results, add_machines, add_rigs, make_table


def main() -> None:
    table = make_table(collect(params.load("protocols")["seeds"]))
    add_rigs(table, json.loads((ASSETS / "rigs.json").read_text()))
    add_machines(table, json.loads((ASSETS / "machine_trials.json").read_text()))
    open_set = json.loads((ASSETS / "open_set.json").read_text())
    (ASSETS / "protocols.json").write_text(json.dumps(table | {"headline_network": HEADLINE}, indent=1) + "\n")
    (ASSETS / "protocols.md").write_text(write_markdown(table, open_set))
    figures.draw_protocols(table, ASSETS / "protocols.png")
    figures.draw_protocol_confusion(table, HEADLINE, ASSETS / "protocols_confusion.png")
    print_table(table, open_set)


def collect(seeds: list[int]) -> Results:
    return {
        (protocol, network, seed): entries
        for network in TRIED
        for (protocol, seed), entries in read_trials(network, list_jobs(network, seeds)).items()
    }


def print_table(table: dict, open_set: dict) -> None:
    for protocol, networks in table.items():
        for network, entry in networks.items():
            mean, spread = entry["mean"], entry["spread"]
            cells = [f"{metric} {mean[metric]:.3f} ± {spread[metric]:.3f}" for metric in METRICS]
            print(f"{protocol:13s} {network:25s} {'  '.join(cells)}")
    print(write_markdown(table, open_set))


if __name__ == "__main__":
    params.run_stage(main)
