"""Stage machine_trials: try the recording diagnosis that is served on simulated machines with clutter."""

import json
from functools import partial

from pipeline import params
from pipeline.params import ASSETS
from pipeline.trials.machines import collect, try_machines
from pipeline.trials.markdown import write_machines
from pipeline.trials.pool import run_jobs


def main() -> None:
    section = params.load("machine_trials")
    speeds = section.pop("speeds")
    trial = partial(try_machines, **section, population=params.load("simulate")["population"])
    jobs = [(rpm, label) for rpm in speeds for label in section["machines"]]
    results = run_jobs(trial, jobs)
    machines = collect({job: results[job] for job in jobs})
    (ASSETS / "machine_trials.json").write_text(json.dumps(machines, indent=1) + "\n")
    print(write_machines(machines))


if __name__ == "__main__":
    params.run_stage(main)
