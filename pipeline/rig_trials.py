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
    trial = partial(
        try_on_rig,
        catalogue=params.load("download")["catalogue"],
        most_healthy=section["most_healthy"],
        most_baseline=section["baseline"],
    )
    jobs = [job for network in ON_RIGS for job in list_conditions(network, list_rigs(), section["rate_errors"])]
    results = run_jobs(trial, jobs)
    rigs = collect({job: results[job] for job in jobs})
    (ASSETS / "rigs.json").write_text(json.dumps(rigs, indent=1) + "\n")
    print(write_rigs(rigs))


if __name__ == "__main__":
    params.run_stage(main)
