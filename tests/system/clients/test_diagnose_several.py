"""Several recordings, or a folder: a table, a CSV file, or one JSON object a line."""

import csv
import json
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

from api.diagnose import COLUMNS
from tests.conftest import ROOT, environment
from tests.system.clients.helpers import STATED, machine, run

PROBABILITIES = ("Ball", "InnerRace", "Normal", "OuterRace")


def read_table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_becomes_a_table_and_a_csv_file(url, folder, tmp_path):
    answer = run(url, folder, *STATED, cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (1, "")
    rows = read_table(tmp_path / "diagnoses.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [row["prediction"] for row in rows] == ["", "Normal", "OuterRace"]
    assert [row["file"] for row in rows] == [
        str(folder / name) for name in ("broken.mat", "deeper/healthy.WAV", "outer.npy")
    ]
    broken, _, outer = rows
    assert "broken.mat" in broken["error"]
    assert sum(float(outer[name]) for name in PROBABILITIES) == pytest.approx(1)
    assert (outer["agreement"], outer["rpm"], outer["seconds"], outer["error"]) == ("supports", "1750.0", "10.0", "")
    assert "no bearing was given" in outer["warnings"]
    assert "1 error, 1 healthy, 1 outer race: written to diagnoses.csv" in answer.stdout


def test_several_files_as_json_are_one_object_a_line(url, folder, tmp_path):
    paths = [folder / "outer.npy", folder / "broken.mat", tmp_path / "nowhere.npy"]
    answer = run(url, *paths, *STATED, "--json", cwd=tmp_path)
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (answer.returncode, answer.stderr) == (1, "")
    assert [each["file"] for each in answers] == list(map(str, paths))
    assert answers[0]["prediction"] == "OuterRace"
    assert answers[0]["series"] == {}
    assert "nowhere.npy cannot be read: No such file" in answers[2]["error"]
    assert not (tmp_path / "diagnoses.csv").exists()


def test_a_run_that_breaks_off_keeps_what_it_had(url, folder, tmp_path):
    for number in range(60):
        (tmp_path / f"{number:02}.npy").hardlink_to(folder / "outer.npy")
    table = tmp_path / "table.csv"
    command = [sys.executable, str(ROOT / "api" / "diagnose.py"), str(tmp_path), *STATED, "--url", url, "--csv", table]
    # A shell ignores SIGINT for what it runs in the background, and that is inherited.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, env=environment(), preexec_fn=listening)
    while process.poll() is None and not (table.exists() and len(read_table(table)) > 1):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    rows = read_table(table)
    assert 1 < len(rows) < 60
    assert {row["prediction"] for row in rows} == {"OuterRace"}


def test_a_mistake_that_many_files_share_is_told_once(url, folder, tmp_path):
    paths = [folder / "outer.npy", folder / "deeper" / "healthy.WAV"]
    answer = run(url, *paths, "--bearing", "9999", cwd=tmp_path, columns=300)
    assert answer.returncode == 1
    assert "outer.npy and 1 more: bearing: " in answer.stdout
    assert "2 error: written to diagnoses.csv" in answer.stdout


def test_neither_the_baseline_nor_the_table_is_diagnosed(url, folder, tmp_path):
    np.save(tmp_path / "healthy.npy", machine("Normal", seconds=12, seed=3))
    np.save(tmp_path / "now.npy", machine("OuterRace", seed=2))
    for _ in range(2):
        answer = run(url, ".", *STATED, "--baseline", "healthy.npy", cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (0, "")
        [row] = read_table(tmp_path / "diagnoses.csv")
        assert (row["file"], row["prediction"]) == ("now.npy", "OuterRace")
        assert "no healthy baseline" not in row["warnings"]
