"""What the tests of the clients share: recordings made by the simulator, and how a client is started."""

import subprocess
import sys

from pipeline.simulator import DEFAULT, Fault, Resonance, Surroundings, simulate
from tests.conftest import ROOT, environment

RATE, RPM = 12_000, 1750
STATED = ("--sampling-rate", str(RATE), "--rpm", str(RPM))
MOST_BYTES = 2_500_000
NOWHERE = "http://127.0.0.1:9"  # where no service listens


def machine(label, seconds=10.0, seed=0):
    faults = (Fault(label, jitter=0.003, zone_floor=0.2, resonances=(Resonance(3_200, 0.05),)),)
    around = Surroundings(coloured=(Resonance(1_200, 0.1), Resonance(3_000, 0.15, 0.7)), shaft=(0.3, 0.2))
    return simulate(DEFAULT, RPM, RATE, seconds, seed, faults if label != "Normal" else (), around)


def run(url, *arguments, columns=80, cwd=ROOT, client="diagnose", **extra):
    """Run a client to its end, in a terminal of so many columns."""
    command = [sys.executable, str(ROOT / "api" / f"{client}.py"), "--url", url, *map(str, arguments)]
    variables = environment(**({"COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"} | extra))
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, encoding="utf-8")
