"""WORKERS_PROCESSES: several processes behind one port, their metrics together, and how they stop."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from http.client import HTTPConnection, HTTPException
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


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One service for all tests; the last of them stops it."""
    service = Service(tmp_path_factory.mktemp("service"), LOG_REQUESTS="true", LOG_FORMAT="json")
    yield service
    service.stop()


def test_the_metrics_are_those_of_all_processes_and_outlive_one_that_is_killed(service):
    for _ in range(20):
        service.ask()
    wait_until(lambda: service.read_metric(SERVED) == 20)
    wait_until(lambda: service.read_metric("batch_records_sum") == 80)
    os.kill(service.processes()[0], signal.SIGKILL)
    wait_until(lambda: len(service.processes()) == 3 and service.count("Application startup complete") == 3)
    for _ in range(10):
        service.ask()
    wait_until(lambda: service.read_metric(SERVED) == 30)
    assert service.read_metric("queued_requests") == 0


def test_processes_that_cannot_start_are_not_started_again_and_not_waited_for(tmp_path):
    (tmp_path / "model.onnx").write_text("no model")
    variables = environment(WORKERS_PROCESSES="2", PORT=str(free_port()), ASSETS=str(tmp_path))
    patient = "from api import __main__ as entry; entry.PATIENCE = 10_000; entry.main()"
    answer = subprocess.run(
        [sys.executable, "-c", patient], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120
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


def send_until_refused(service: Service, answered: list[int], broken: list[str]) -> None:
    """Connect anew for each request until the kernel ignores or refuses it; a request once accepted is answered."""
    while True:
        connection = HTTPConnection("127.0.0.1", service.port, timeout=5)
        try:
            connection.connect()
        except OSError:
            return
        try:
            connection.request("POST", "/batch_predict/", EXAMPLE, HEADERS)
            answered.append(connection.getresponse().status)
        except (OSError, HTTPException) as error:
            broken.append(repr(error))
        finally:
            connection.close()


def test_neither_a_restart_nor_a_stop_under_load_breaks_a_request_or_a_line_of_the_log(service):
    answered, broken = [], []
    clients = [threading.Thread(target=send_until_refused, args=(service, answered, broken)) for _ in range(6)]
    for client in clients:
        client.start()
    started = len(service.processes())
    service.parent.send_signal(signal.SIGHUP)
    wait_until(lambda: service.count("Finished server process") == 2, seconds=60)
    assert len(service.processes()) == started + 2
    before = len(answered)
    wait_until(lambda: len(answered) > before + 50)
    assert service.stop() == 0
    for client in clients:
        client.join()
    assert broken == []
    assert set(answered) == {200}
    text = service.log.read_text()
    assert "Traceback" not in text
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    asked = sum(line["path"] == "/batch_predict/" for line in lines)
    assert len(answered) <= asked <= 30 + len(answered)  # the process that was killed took its last lines with it


def test_where_the_parent_is_killed_the_others_stop_too(tmp_path):
    service = Service(tmp_path, TMPDIR=str(tmp_path))  # what a killed parent leaves there goes with the test
    service.parent.kill()
    service.parent.wait()
    wait_until(lambda: service.count("Finished server process") == 2)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{service.url}/health/live", timeout=10)
