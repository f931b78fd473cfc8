"""What was stored stays stored, whenever the process that stored it is killed."""

import random
import subprocess
import sys
import time

import pytest

from api.machine.database import open_engine
from api.machine.reading import read_point, read_trend
from api.machine.store import Store
from tests.api.machine.conftest import POINT
from tests.conftest import ROOT, environment

pytestmark = pytest.mark.processes
WRITER = """
import sys, yaml
from api.machine.database import open_engine
from api.machine.store import Store, Taken
from model.machine.indicators import measure
from model.machine.thresholds import Thresholds
from model.thresholds import read_thresholds
from model.recording.recording import Recording
import numpy as np

url, first = sys.argv[1], int(sys.argv[2])
store = Store(open_engine(url), read_thresholds(Thresholds, yaml.safe_load(open("params.yaml"))["machine"]))
noise = np.random.default_rng(first)
for number in range(first, first + 10_000):
    indicators = measure(Recording(noise.standard_normal(2_400), 12_000, 1_750.0))
    store.add_recording("pump", "drive-end", Taken(float(number), number.to_bytes(32), indicators))
    print(number, flush=True)  # the response
"""


def kill_a_writer(url: str, first: int, least: int, after: float) -> list[int]:
    """Return the recordings that a writer said were stored, before it was killed `after` s after the least-th."""
    command = [sys.executable, "-c", WRITER, url, str(first)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(least)]
        time.sleep(after)
        process.kill()
        said += process.stdout.readlines()
    return [int(line) for line in said if line.endswith("\n")]


@pytest.mark.parametrize("kills", [1, pytest.param(50, marks=pytest.mark.soak)])
def test_what_was_said_to_be_stored_is_there_after_a_kill(url, limits, kills):
    store = Store(open_engine(url), limits)
    store.put_point("pump", "drive-end", **POINT)
    moments, first, said = random.Random(0), 0, []
    for _ in range(kills):
        said += kill_a_writer(url, first, moments.randint(2, 20), moments.uniform(0, 0.02))
        first = said[-1] + 2  # the one after the last may be stored too: it was not said
    there = [row["begin"] for row in read_trend(store, "pump", "drive-end", 10_000_000)]
    assert len(said) >= 2 * kills
    assert set(said) <= set(there)
    assert read_point(store, "pump", "drive-end").last_taken_at == max(there)
    store.engine.dispose()
