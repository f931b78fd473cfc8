"""Stage rig_trials: try the recording diagnosis that is served, and its networks alone, on other rigs."""

import json
from functools import partial

from pipeline import params
from pipeline.params import ASSETS
from pipeline.trials.jobs import ON_RIGS
from pipeline.trials.markdown import write_rigs
from pipeline.trials.pool import run_jobs
from pipeline.trials.rig import list_rigs
from pipeline.trials.rig_diagnosis import collect, list_conditions, try_on_rig


def main() -> None:
    section = params.load("rig_trials")
    conditions = [
        condition for network in ON_RIGS for condition in list_conditions(network, list_rigs(), section["rate_errors"])
    ]
    trial = partial(
        try_on_rig,
        conditions=conditions,
        catalogue=params.load("download")["catalogue"],
        most_healthy=section["most_healthy"],
        most_baseline=section["baseline"],
    )
    jobs = list(dict.fromkeys((condition.rig, condition.rate_error) for condition in conditions))
    results = {key: entry for entries in run_jobs(trial, jobs).values() for key, entry in entries.items()}
    rigs = collect({condition: results[condition] for condition in conditions})
    (ASSETS / "rigs.json").write_text(json.dumps(rigs, indent=1) + "\n")
    print(write_rigs(rigs))


if __name__ == "__main__":
    params.run_stage(main)
