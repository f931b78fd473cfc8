"""Stage transfer_trials: try the transfer network, as trained and adapted, with several seeds."""

from functools import partial

from pipeline import params
from pipeline.trials.jobs import write_trials
from pipeline.trials.pool import run_jobs
from pipeline.trials.transfer import try_networks


def main() -> None:
    trial = partial(try_networks, training=params.load("transfer_trials"))
    results = run_jobs(trial, [(seed,) for seed in params.load("protocols")["seeds"]])
    for network in ("transfer_network", "transfer_network_adapted"):
        write_trials(network, {("transfer", seed): entries[network] for (seed,), entries in results.items()})


if __name__ == "__main__":
    params.run_stage(main)
