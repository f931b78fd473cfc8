"""Runs `dvc repro service` in a clone, kills it, and compares what two runs made."""

import filecmp
import os
import re
import signal
import subprocess
from pathlib import Path

from tests.conftest import environment

STAGES = ["download", "windows", "scale", "split", "train", "export", "evaluate", "service"]
ARTEFACTS = [
    "data/windows/resampled/windows.npy", "data/windows/as_recorded/windows.npy", "data/windows/resampled/metadata.csv",
    "data/scaled/resampled.npy", "data/split/resampled.csv", "data/split/as_recorded.csv",
    "assets/state_dict.pt", "assets/decoder.json", "assets/model.onnx", "assets/metrics.json", "assets/service.json",
    "assets/model_card.md", "assets/training.csv", "assets/example_answer.json",
    "assets/reference/state_dict.pt", "assets/reference/model.onnx", "dvc.lock",
]  # fmt: skip


def reproduce(repository: Path, *stages: str, **extra: str) -> str:
    command = ["dvc", "repro", *(stages or ["service"])]
    answer = subprocess.run(command, cwd=repository, env=environment(**extra), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
    return answer.stdout


def reproduce_and_kill(repository: Path, spared: set[str], lines_later: int, **extra: str) -> str | None:
    """Start the pipeline, kill everything with it in the first stage that is not spared, and return that stage.

    Line 0 of its output is the stage's announcement, line 1 its command; line 2 comes when it has written outputs,
    those of its first setting at least, and DVC has not yet taken note of them. Returns None where the pipeline came
    to its end.
    """
    process = subprocess.Popen(
        ["dvc", "repro", "service"], cwd=repository, env=environment(PYTHONUNBUFFERED="1", **extra), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    with process:
        for line in process.stdout:
            stage = re.match("Running stage '(.*)'", line)
            if stage and stage[1] not in spared:
                for _ in range(lines_later):
                    next(process.stdout)
                os.killpg(process.pid, signal.SIGKILL)
                return stage[1]
    assert process.returncode == 0
    return None


def assert_identical(one: Path, other: Path) -> None:
    different = [name for name in ARTEFACTS if not filecmp.cmp(one / name, other / name, shallow=False)]
    assert different == []


def assert_does_nothing(repository: Path) -> None:
    output = reproduce(repository)
    assert "Running stage" not in output
    assert "Data and pipelines are up to date." in output
