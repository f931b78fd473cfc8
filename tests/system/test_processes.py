"""WORKERS_PROCESSES: several processes behind one port, their metrics together, and how they stop."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path

import pytest
import requests

from pipeline.service import free_port, wait_until_ready
from tests.conftest import ROOT, environment, wait_until

EXAMPLE = (ROOT / "assets" / "example.json").read_bytes()
HEADERS = {"Content-Type": "application/json"}
SERVED = 'requests_total{method="POST",path="/batch_predict/",status="200"}'


class Service:
    """A service of two processes, on a port of its own."""

    def __init__(self, folder: Path, **extra: str) -> None:
        self.port, self.log = free_port(), folder / "service.log"
        self.url = f"http://127.0.0.1:{self.port}"
        variables = environment(WORKERS_PROCESSES="2", PORT=str(self.port), **extra)
        with self.log.open("w") as output:
            self.parent = subprocess.Popen(
                [sys.executable, "-m", "api"], cwd=ROOT, env=variables, stdout=output, stderr=subprocess.STDOUT
            )
        wait_until_ready(self.url, self.parent, self.log, timeout=60)
        wait_until(lambda: self.count("Application startup complete") == 2)

    def count(self, words: str) -> int:
        return self.log.read_text().count(words)

    def processes(self) -> list[int]:
        """Return the ids of all processes that have begun to serve."""
        return [int(number) for number in re.findall(r"Started server process \[(\d+)\]", self.log.read_text())]

    def ask(self) -> None:
        """Send an example over a connection of its own, so that any process may answer it."""
        answer = requests.post(f"{self.url}/batch_predict/", EXAMPLE, headers=HEADERS, timeout=30)
        assert len(answer.json()["Analysis"]) == 4

    def read_metric(self, name: str) -> float:
        lines = requests.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " ")), 0.0)

    def stop(self) -> int:
        self.parent.terminate()
        return self.parent.wait(timeout=30)


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.stop()


def test_the_metrics_are_those_of_all_processes_and_outlive_one_that_is_killed(service):
    for _ in range(20):
        service.ask()
    wait_until(lambda: service.read_metric(SERVED) == 20)
    wait_until(lambda: service.read_metric("batch_records_sum") == 80)
    killed = service.processes()[0]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(service.processes()) == 3 and service.count("Application startup complete") == 3)
    for _ in range(10):
        service.ask()
    wait_until(lambda: service.read_metric(SERVED) == 30)
    assert service.read_metric("queued_requests") == 0
    assert service.stop() == 0


def test_a_stop_under_load_breaks_no_request(service):
    """Clients connect anew for each request until the kernel ignores them; a request once accepted is answered."""
    answered, broken = [], []

    def send() -> None:
        while True:
            connection = HTTPConnection("127.0.0.1", service.port, timeout=2)
            try:
                connection.connect()
            except OSError:  # ignored, then refused
                return
            try:
                connection.request("POST", "/batch_predict/", EXAMPLE, HEADERS)
                answered.append(connection.getresponse().status)
            except (OSError, RemoteDisconnected) as error:
                broken.append(repr(error))
            finally:
                connection.close()

    clients = [threading.Thread(target=send) for _ in range(6)]
    for client in clients:
        client.start()
    wait_until(lambda: len(answered) > 50)
    assert service.stop() == 0
    for client in clients:
        client.join()
    assert broken == []
    assert set(answered) == {200}
    assert "Traceback" not in service.log.read_text()


def test_lines_of_all_processes_stay_whole(tmp_path):
    service = Service(tmp_path, LOG_REQUESTS="true", LOG_FORMAT="json")
    for _ in range(30):
        service.ask()
    assert service.stop() == 0
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    assert sum(line["path"] == "/batch_predict/" for line in lines) == 30


def test_processes_that_cannot_start_are_not_started_again(tmp_path):
    (tmp_path / "model.onnx").write_text("no model")
    variables = environment(WORKERS_PROCESSES="2", PORT=str(free_port()), ASSETS=str(tmp_path))
    answer = subprocess.run(
        [sys.executable, "-m", "api"], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 1
    assert "the service could not start, see above" in answer.stderr


def test_a_port_that_is_taken_is_told_in_words(service):
    variables = environment(WORKERS_PROCESSES="2", PORT=str(service.port))
    answer = subprocess.run(
        [sys.executable, "-m", "api"], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode != 0
    assert "Address already in use" in answer.stderr
    assert "Traceback" not in answer.stderr
