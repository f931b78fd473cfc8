"""From the command to ready."""

import tempfile
import time
from pathlib import Path

import numpy as np

from pipeline.service import free_port
from tests.tools.soak.measured import Measured
from tests.tools.soak.service import is_ready, start


def time_starts(starts: int = 5) -> Measured:
    """From the command to ready: Python, imports, models, a child that has imported its libraries."""
    seconds = [time_start() for _ in range(starts)]
    came = f"median {np.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s"
    asked = f"cold start to ready, median of {starts}: < 1.5 s"
    return Measured(asked, came, kept=True, in_time=float(np.median(seconds)) < 1.5)


def time_start() -> float:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        process = start(port, Path(folder) / "service.log")
        try:
            while not is_ready(port):
                assert process.poll() is None
                assert time.perf_counter() - begin < 60
                time.sleep(0.005)
            return time.perf_counter() - begin
        finally:
            process.terminate()
            process.wait(timeout=30)
