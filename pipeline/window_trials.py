"""Stage window_trials: try a network of single windows on its protocols, with several seeds."""

from functools import partial

from pipeline import params
from pipeline.trials.jobs import list_jobs, longest_first, write_trials
from pipeline.trials.pool import run_jobs
from pipeline.trials.windows import try_windows


def main(network: str, setting: str) -> None:
    training = params.load("train", setting) | params.load("window_trials")
    training.pop("seed")  # each trial has its own
    trial = partial(
        try_windows,
        setting=setting,
        shuffled=network == "shuffled_labels",
        training=training,
        front_end=params.load("scale", setting) | {"sampling_rate": params.load("windows", setting)["sampling_rate"]},
        noise=params.load("lines")["noise"],
    )
    jobs = list_jobs(network, params.load("protocols")["seeds"])
    write_trials(network, run_jobs(trial, longest_first(jobs)))


if __name__ == "__main__":
    params.run_stage(main)
