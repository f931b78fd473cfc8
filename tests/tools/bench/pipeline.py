"""How long each stage takes in a fresh clone with the recordings at hand.

`python -m tests.tools.bench.pipeline [FOLDER]` runs `dvc repro service` and then the rest, and writes
assets/stages.json. The clone has no dvc.lock: with it, DVC would skip stages whose outputs come with the repository.
FOLDER keeps the clone.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.conftest import ROOT

STARTS = re.compile(r"Running stage '(.*)'")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        clone = Path(sys.argv[1] if len(sys.argv) > 1 else temporary) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        (clone / "dvc.lock").unlink()
        seconds = {"service": {}, "rest": {}}
        for part, goal in (("service", ["service"]), ("rest", [])):
            for stage, taken in time_stages(clone, goal):
                seconds[part][stage] = round(taken, 1)
                print(f"{taken:7.1f} s  {stage}", flush=True)
    (ROOT / "assets" / "stages.json").write_text(json.dumps({"cores": os.cpu_count()} | seconds, indent=1) + "\n")


def time_stages(clone: Path, goal: list[str]) -> Iterator[tuple[str, float]]:
    """Run DVC and yield each stage with the seconds from its announcement to the next one's, or to the end."""
    process = subprocess.Popen(
        ["dvc", "repro", *goal], cwd=clone, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    stage, start, lines = "", perf_counter(), []
    with process:
        for line in process.stdout:
            lines.append(line)
            if found := STARTS.match(line):
                now = perf_counter()
                if stage:
                    yield stage, now - start
                stage, start = found[1], now
    if process.returncode:
        sys.exit("".join(lines[-30:]))
    yield stage, perf_counter() - start


if __name__ == "__main__":
    main()
