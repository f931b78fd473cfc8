"""A folder is sent to a machine's point: in order, each file once, and what arrives later too."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import requests

from api.sending import read_stamp
from tests.conftest import ROOT, environment, running, wait_until
from tests.system.clients.helpers import RATE, run

POINT = ("--machine", "pump", "--point", "drive-end")
CREATED = (*POINT, "--bearing", "6205-2RS", "--sampling-rate", str(RATE), "--rpm", "1750", "--no-diagnosis")


@pytest.fixture
def url(tmp_path):
    with running(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/machines.sqlite") as url:
        yield url


@pytest.fixture
def folder(tmp_path):
    """Recordings hour by hour, on which something begins to knock; their names sort otherwise than their stamps."""
    folder, noise = tmp_path / "recordings", np.random.default_rng(0)
    folder.mkdir()
    for hour in range(36):
        signal = noise.standard_normal(2_400)
        if hour >= 24:
            signal[:: 2_400 // 21] += 40
        np.save(folder / f"{hour % 7} 2026-01-{1 + hour // 24:02d}T{hour % 24:02d}-00-00Z.npy", signal)
    return folder


def list_taken(url) -> list[str]:
    told = requests.get(f"{url}/machines/pump/points/drive-end/recordings", params={"limit": 1000}, timeout=10)
    return [each["taken_at"] for each in told.json()][::-1]


def test_a_folder_is_sent_in_the_order_of_its_stamps_and_once(url, folder):
    (folder / "3 2026-01-01T05-30-00Z.npy").write_bytes(b"no array")
    first = run(url, folder, *CREATED)
    assert first.returncode == 1  # one file is refused
    assert "05-30-00Z.npy: " in first.stderr
    assert " -> warning: " in first.stderr
    assert "sent: 36, there already: 0, refused: 1" in first.stderr
    assert first.stdout.startswith("alarm: ")
    taken = list_taken(url)
    assert taken == sorted(taken)
    assert len(taken) == 36
    (folder / "3 2026-01-01T05-30-00Z.npy").unlink()
    again = run(url, folder, *POINT)
    assert again.returncode == 0
    assert "sent: 0, there already: 36, refused: 0" in again.stderr
    assert list_taken(url) == taken


def test_it_goes_on_where_it_was_broken_off(url, folder):
    for path in sorted(folder.iterdir())[::2]:
        run(url, path, *CREATED)
    rest = run(url, folder, *POINT, "--no-diagnosis")
    assert "sent: 18, there already: 18, refused: 0" in rest.stderr
    assert rest.stdout.startswith("alarm: ")


def test_what_arrives_in_a_watched_folder_is_sent(url, folder):
    command = [sys.executable, ROOT / "api" / "diagnose.py", "--url", url, folder, *CREATED, "--watch"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as client:
        try:
            wait_until(lambda: requests.get(f"{url}/machines/", timeout=10).json())
            wait_until(lambda: len(list_taken(url)) == 36)
            np.save(folder / "2026-01-03T00-00-00Z.npy", np.random.default_rng(1).standard_normal(2_400))
            wait_until(lambda: len(list_taken(url)) == 37)
            client.terminate()  # a program in the background may have to ignore Ctrl-C
            assert "sent: 37, there already: 0, refused: 0" in client.communicate(timeout=60)[1]
            assert client.returncode == 0
        finally:
            client.kill()


def test_a_point_that_is_not_there_needs_a_bearing(url, folder):
    answer = run(url, folder, *POINT)
    assert answer.returncode == 1
    assert "no /machines/pump/points/drive-end: give --bearing, and it is created" in answer.stderr


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("2026-01-31T12-00-05.25Z.npy", datetime(2026, 1, 31, 12, 0, 5, 250_000, UTC)),
        ("pump_20260131_120005.wav", datetime(2026, 1, 31, 12, 0, 5).astimezone()),
        ("2003.10.22.12.06.24", datetime(2003, 10, 22, 12, 6, 24).astimezone()),
        ("20269931_120005.wav", datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)),
        ("recording 12.csv", datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_from_the_name_or_else_from_the_change(tmp_path: Path, name, moment):
    path = tmp_path / name
    path.write_bytes(b"")
    os.utime(path, (1e9, 1e9))
    assert read_stamp(path) == moment
