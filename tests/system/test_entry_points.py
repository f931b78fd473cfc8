"""The ways in which the service is started, and how it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest
import requests

from pipeline.service import free_port
from tests.conftest import ROOT, environment

ASSETS = ROOT / "assets"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def example() -> list[dict]:
    return json.loads((ASSETS / "example.json").read_text())


def start(command: list[str], folder: Path, **extra: str) -> subprocess.Popen:
    return subprocess.Popen(
        command, cwd=folder, env=environment(**extra), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def wait_until_ready(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{url}/health/ready", timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    process.kill()
    pytest.fail(f"not ready: {process.communicate()[0][-2000:]}")


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("fastapi dev api.py --no-reload --port {port}", "api"),
        ("fastapi dev --no-reload --port {port}", "."),
        ("fastapi run --port {port} --host 127.0.0.1", "."),
        ("uvicorn api.api:app --port {port}", "."),
        ("python -m api", "."),
    ],
)
def test_every_usual_command_starts_it(command, folder, example):
    port = free_port()
    process = start(command.format(port=port).split(), ROOT / folder, PORT=str(port))
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process)
        assert len(requests.post(f"{url}/batch_predict/", json=example, timeout=10).json()["Analysis"]) == 4
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.mark.parametrize("command", ["python -m api", "uvicorn api.api:app --port {port}"])
def test_sigterm_reports_not_ready_answers_accepted_requests_and_exits_with_0(command, example):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = start(command.format(port=port).split(), ROOT, PORT=str(port))
    wait_until_ready(url, process)
    clients = [HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(8)]
    for client in clients:
        client.request("POST", "/batch_predict/", json.dumps(example * 40), JSON)
    process.send_signal(signal.SIGTERM)
    while (answer := requests.get(f"{url}/health/ready", timeout=20)).ok:
        pass
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert requests.get(f"{url}/health/live", timeout=20).status_code == 200
    last = requests.post(f"{url}/batch_predict/", json=example, timeout=5)
    assert (last.status_code, last.headers["connection"]) == (200, "close")
    assert [client.getresponse().status for client in clients] == [200] * 8
    for client in clients:
        client.close()
    process.communicate(timeout=10)
    assert process.returncode == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/health/live", timeout=20)


def test_behind_a_proxy_with_a_root_path_it_answers(example):
    port = free_port()
    command = ["uvicorn", "api.api:app", "--port", str(port), "--root-path", "/v1"]
    process = start(command, ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        assert requests.post(f"{url}/batch_predict/", json=example, timeout=10).status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


HALF_A_REQUEST = (
    b"POST /batch_predict/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[{"
)


@pytest.mark.parametrize(("stays", "sent"), [(True, signal.SIGTERM), (False, signal.SIGINT)])
def test_a_client_that_stalls_or_leaves_delays_no_exit_and_causes_no_traceback(stays, sent):
    port = free_port()
    process = start([sys.executable, "-m", "api"], ROOT, PORT=str(port))
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(url, process)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(HALF_A_REQUEST)
        assert requests.get(f"{url}/health/live", timeout=10).ok  # so the service has read what came before
        if not stays:
            client.close()
            assert requests.get(f"{url}/health/live", timeout=10).ok
        process.send_signal(sent)
        output = process.communicate(timeout=12)[0]
    assert process.returncode == 0
    assert stays or "Traceback" not in output


@pytest.fixture(scope="module")
def service():
    """A service of its own, as `python -m api` starts it: (port, process id)."""
    port = free_port()
    process = start([sys.executable, "-m", "api"], ROOT, PORT=str(port))
    wait_until_ready(f"http://127.0.0.1:{port}", process)
    yield port, process.pid
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


def test_health_is_answered_while_large_requests_are(service):
    port, _ = service
    records = np.random.default_rng(0).standard_normal((200, 2_048)).round(4).tolist()
    body = json.dumps([{"record": record} for record in records])

    def send():
        for _ in range(5):
            statuses.append(requests.post(f"http://127.0.0.1:{port}/batch_predict/", body, headers=JSON, timeout=60))

    statuses = []
    clients = [threading.Thread(target=send) for _ in range(4)]
    for client in clients:
        client.start()
    during = 0
    with requests.Session() as session:
        while any(client.is_alive() for client in clients):
            assert session.get(f"http://127.0.0.1:{port}/health/live", timeout=20).status_code == 200
            during += 1
    assert during > 4
    assert [answer.status_code for answer in statuses] == [200] * 20


def test_many_clients_at_once_get_their_own_answers(service, example):
    port, _ = service
    url = f"http://127.0.0.1:{port}/batch_predict/"
    alone = [requests.post(url, json=[item], timeout=10).json()["Analysis"] for item in example]
    wrong = []

    def send(index: int) -> None:
        with requests.Session() as session:
            for turn in range(20):
                which = (index + turn) % 4
                if turn == 7:
                    if session.post(url, json=[{"record": [index]}], timeout=10).status_code != 422:
                        wrong.append("a short record was answered")
                    continue
                found = session.post(url, json=[example[which]], timeout=10).json()["Analysis"][0]
                expected = alone[which][0]["Probabilities"]
                if found["Probabilities"] != pytest.approx(expected, abs=1e-6):
                    wrong.append((found, expected))

    clients = [threading.Thread(target=send, args=(index,)) for index in range(16)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert wrong == []


def test_a_folder_without_a_model_is_named_in_the_error(tmp_path):
    process = start([sys.executable, "-m", "api"], ROOT, ASSETS=str(tmp_path), PORT=str(free_port()))
    output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert output.startswith(f"no model at {tmp_path}{os.sep}model.onnx: run")
    assert "Traceback" not in output


@pytest.mark.parametrize("target", ["run", "demo"])
def test_make_starts_nothing_where_its_port_is_taken(target, tmp_path):
    store = tmp_path / "build" / "demo.sqlite"
    store.parent.mkdir()
    store.write_text("of yesterday")
    command = ["make", "-f", ROOT / "Makefile", "-o", ".venv/ready", target]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start([*command, f"PORT={port}"], tmp_path)
        output = process.communicate(timeout=20)[0]
    assert process.returncode != 0
    assert f"port {port} is taken: try make {target} PORT=8001\n" in output
    assert store.read_text() == "of yesterday"
