"""The archive as a person starts it: killed and started again, and on a bucket."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from pipeline.service import free_port
from tests.conftest import ROOT, environment, wait_until
from tests.system.test_archive import GIVEN, make_recordings, pq, read, run


def test_killed_in_the_middle_the_next_run_finishes(tmp_path):
    source = make_recordings(tmp_path / "recordings", 40)
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "api.scale_out.archive",
        str(source),
        "--out",
        str(out),
        "--rpm",
        "1797",
        "--workers",
        "1",
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), start_new_session=True)
    while len(list(out.glob("parts/*.parquet"))) < 2:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "recordings.parquet").exists()
    saved = {path: path.stat().st_mtime_ns for path in out.glob("parts/*.parquet")}
    subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True)
    assert {path: path.stat().st_mtime_ns for path in saved} == saved
    assert read(out) == run(source, tmp_path / "another")
    wait_until(lambda: not is_alive(process.pid))  # its children end by themselves


def is_alive(session):
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def bucket():
    """A server that speaks S3 and holds the empty bucket `plant`: (its URL, the environment that leads there)."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", url.rpartition(":")[2]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(url))
        requests.put(f"{url}/plant", timeout=5).raise_for_status()
        names = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
        yield url, environment(AWS_ENDPOINT_URL=url, AWS_EC2_METADATA_DISABLED="true", **names)
    finally:
        server.terminate()
        server.wait(timeout=20)


def answers(url):
    try:
        return requests.get(url, timeout=10).ok
    except requests.RequestException:
        return False


def test_a_bucket_is_read_and_written(bucket, tmp_path):
    recordings = make_recordings(tmp_path / "recordings", 6)
    url, variables = bucket
    for path in recordings.rglob("*.wav"):
        name = path.relative_to(recordings).as_posix()
        requests.put(f"{url}/plant/vibration/{name}", path.read_bytes(), timeout=5).raise_for_status()
    command = [
        sys.executable,
        "-m",
        "api.scale_out.archive",
        "s3://plant/vibration",
        "--out",
        "s3://plant/diagnosed",
        *GIVEN,
    ]
    tables = []
    for _ in range(2):  # the second time nothing is left to do
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        tables.append([fetch(f"{url}/plant/diagnosed/{name}.parquet") for name in ("recordings", "windows")])
    assert tables[0] == tables[1] == list(run(recordings, tmp_path / "out"))


def fetch(url):
    answer = requests.get(url, auth=("key", "secret"), timeout=5)
    answer.raise_for_status()
    return pq.read_table(io.BytesIO(answer.content)).to_pylist()
