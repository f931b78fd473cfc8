"""Stage recording_trials: try the recording diagnosis, or its networks alone, on its protocols, with several seeds."""

from functools import partial

from model.recording.thresholds import Thresholds
from model.thresholds import read_thresholds
from pipeline import params
from pipeline.trials.jobs import list_jobs, longest_first, write_trials
from pipeline.trials.pool import run_jobs
from pipeline.trials.recordings import try_recordings


def main(network: str) -> None:
    diagnosis = params.load("diagnosis")
    trial = partial(
        try_recordings,
        network=network,
        noise=params.load("lines")["noise"],
        regularisation=diagnosis["regularisation"],
        spectra=diagnosis["spectra"],
        thresholds=read_thresholds(Thresholds, params.load("thresholds")),
    )
    jobs = list_jobs(network, params.load("protocols")["seeds"])
    write_trials(network, run_jobs(trial, longest_first(jobs)))


if __name__ == "__main__":
    params.run_stage(main)
