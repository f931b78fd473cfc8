"""The long run: what the service must hold under load, under kill and over time, `python -m tests.tools.soak`.

Each measurement starts the real service, takes a scale, and returns what was asked, what came, and whether it was kept.
"""

import argparse
import random
import sys
from collections.abc import Callable
from functools import partial

from tests.tools.soak.batches import compare_batches
from tests.tools.soak.bodies import SEED
from tests.tools.soak.full_queue import fill_the_queue
from tests.tools.soak.growth import soak
from tests.tools.soak.health import measure_health
from tests.tools.soak.kill import kill_the_child
from tests.tools.soak.largest import LARGEST, measure_peak
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import BARE
from tests.tools.soak.slow_clients import hold_slow_connections
from tests.tools.soak.start import time_starts
from tests.tools.soak.stop import stop_under_load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30, help="of soak")
    parser.add_argument("--rounds", type=int, default=50, help="of SIGTERM")
    parser.add_argument("--only", default="", help="measurements whose names hold this")
    options = parser.parse_args()
    random.seed(SEED)
    measurements: dict[str, Callable[[], Measured]] = {
        "start": time_starts,
        "queue": lambda: fill_the_queue(20),
        "batch": compare_batches,
        "kill": lambda: kill_the_child(5),
        "slow": lambda: hold_slow_connections(60),
        "health": measure_health,
        **{f"peak of {name}": partial(measure_peak, name) for name in LARGEST},
        "more of the largest JSON than fit": lambda: measure_peak("JSON", clients=8),
        "term": lambda: stop_under_load(options.rounds),
        "term of bare uvicorn": lambda: stop_under_load(options.rounds, BARE),
        "soak": lambda: soak(60 * options.minutes, 15_000),
    }
    chosen = [measure for name, measure in measurements.items() if options.only in name]
    missed = [row.asked for row in map(measure_and_show, chosen) if not (row.kept and row.in_time)]
    sys.exit(1 if missed else 0)


def measure_and_show(measure: Callable[[], Measured]) -> Measured:
    row = measure()
    print(f"{'kept' if row.kept and row.in_time else 'MISSED':6} | {row.asked} | {row.came}", flush=True)
    return row


if __name__ == "__main__":
    main()
