import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from pipeline.service import free_port
from tests.conftest import ROOT, environment
from tests.tools.bench.load import JSON, load, prepare

ASSETS = ROOT / "assets"
CLASSES = ["Ball", "InnerRace", "Normal", "OuterRace"]


@pytest.fixture(scope="module")
def example() -> list[dict]:
    return json.loads((ASSETS / "example.json").read_text())


def test_an_answer_is_what_the_contract_says(client, example):
    answer = client.post("/batch_predict/", json=example)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["Analysis", "Execution Time"]
    assert isinstance(answer.json()["Execution Time"], float)
    assert len(answer.json()["Analysis"]) == len(example)
    for analysis in answer.json()["Analysis"]:
        assert list(analysis) == ["Prediction", "Probabilities"]
        probabilities = analysis["Probabilities"]
        assert list(probabilities) == CLASSES
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-6)
        assert analysis["Prediction"] == max(probabilities, key=probabilities.get)


def test_the_answers_are_the_golden_ones(client, example):
    golden = json.loads((ASSETS / "example_answer.json").read_text())["Analysis"]
    for answer, expected in zip(client.post("/batch_predict/", json=example).json()["Analysis"], golden, strict=True):
        assert answer["Prediction"] == expected["Prediction"]
        assert answer["Probabilities"] == pytest.approx(expected["Probabilities"], abs=1e-5)


def test_answers_come_in_the_order_of_the_records_whatever_the_batch(client, noise):
    records = [(noise.standard_normal(2048) * 10.0**scale).tolist() for scale in range(-3, 4)] * 30
    together = client.post("/batch_predict/", json=[{"record": record} for record in records]).json()["Analysis"]
    for index in (0, 1, 50, 209):
        alone = client.post("/batch_predict/", json=[{"record": records[index]}]).json()["Analysis"][0]
        assert together[index]["Probabilities"] == pytest.approx(alone["Probabilities"], abs=1e-6)
    assert client.post("/batch_predict/", json=[{"record": records[3]}, {"record": records[0]}]).json()["Analysis"][1][
        "Probabilities"
    ] == pytest.approx(together[0]["Probabilities"], abs=1e-6)


def test_the_execution_time_contains_the_parsing(client, example):
    def ask(records) -> float:
        body = json.dumps(records)
        return client.post("/batch_predict/", content=body, headers={"Content-Type": "application/json"}).json()[
            "Execution Time"
        ]

    # A long key that is ignored costs parsing alone: what it adds is parsing, and has to be counted.
    plain = min(ask(example[:1]) for _ in range(5))
    padded = min(ask([example[0] | {"ignored": example * 100}]) for _ in range(5))
    assert padded > 5 * plain


def test_odd_but_finite_signals_get_finite_answers(client):
    time_axis = np.arange(2048)
    signals = {
        "the highest frequency": (-1.0) ** time_axis,
        "one sample": np.eye(1, 2048, 1000)[0],
        "a step": (time_axis > 1000).astype(float),
        "a ramp": time_axis.astype(float),
        "huge": 3e38 * np.sin(time_axis),
        "tiny": 1e-37 * np.sin(time_axis),
        "huge and tiny": np.where(time_axis == 5, 3e38, 1e-30),
        "smallest that float32 holds": np.where(time_axis % 2, 1.5e-45, 0),
    }
    for name, record in signals.items():
        answer = client.post("/batch_predict/", json=[{"record": record.tolist()}])
        assert answer.status_code == 200, name
        probabilities = list(answer.json()["Analysis"][0]["Probabilities"].values())
        assert np.isfinite(probabilities).all(), name
        assert sum(probabilities) == pytest.approx(1, abs=1e-5), name


def test_the_model_says_what_it_is(client):
    model = client.get("/model/").json()
    assert model["classes"] == CLASSES
    assert (model["window_length"], model["sampling_rate"], model["band_limit"]) == (2048, 12_000, 5_000)
    assert model["trained_on"]["protocol"] == "random"
    assert isinstance(model["trained_on"]["excerpts"], list)
    assert model["metrics"] == json.loads((ASSETS / "metrics.json").read_text())
    table = json.loads((ASSETS / "protocols.json").read_text())
    assert model["protocols"]["headline_network"] == "recording"
    assert model["protocols"]["bearing"]["recording"]["mean"] == table["bearing"]["recording"]["mean"]
    assert "folds" not in model["protocols"]["bearing"]["recording"]
    assert re.fullmatch("[0-9a-f]{64}", model["versions"]["model_sha256"])
    assert re.fullmatch("[0-9a-f]{64}", model["versions"]["dvc_lock_sha256"])


def test_the_model_tells_what_a_recording_must_be(client):
    upload = client.get("/model/").json()["upload"]
    assert upload == {
        "suffixes": [".mat", ".csv", ".txt", ".wav", ".npy", ".gz"],
        "most_bytes": 32_000_000,
        "least_sampling_rate": 12_000,
        "least_seconds": pytest.approx(0.683, abs=1e-3),
        "answer_timeout": 30,
    }


def test_health(client):
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready"}


def test_the_example_in_the_docs_works(client):
    document = client.get("/openapi.json").json()
    assert document["info"]["title"] == "Bearing diagnosis"
    operation = document["paths"]["/batch_predict/"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    assert body["schema"]["items"]["properties"]["record"]["minItems"] == 2048
    assert client.post("/batch_predict/", json=body["example"]).status_code == 200
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/BatchAnswer"}
    assert set(document["components"]["schemas"]["BatchAnswer"]["properties"]) == {"Analysis", "Execution Time"}
    assert client.get("/docs").status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)("/batch_predict/").status_code == 405


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
def test_sigterm_says_not_ready_answers_what_was_accepted_and_exits_0(command, example):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = start(command.format(port=port).split(), ROOT, PORT=str(port))
    wait_until_ready(url, process)
    answers = []

    def ask():
        answers.append(requests.post(f"{url}/batch_predict/", json=example * 40, timeout=20).status_code)

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    answer = requests.get(f"{url}/health/ready", timeout=1)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert requests.get(f"{url}/health/live", timeout=1).status_code == 200
    last = requests.post(f"{url}/batch_predict/", json=example, timeout=5)
    assert (last.status_code, last.headers["connection"]) == (200, "close")
    process.communicate(timeout=10)
    for client in clients:
        client.join(timeout=10)
    assert process.returncode == 0
    assert answers == [200] * 8
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/health/live", timeout=1)


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
def test_a_sender_that_stalls_or_leaves_neither_holds_it_up_nor_shows(stays, sent):
    port = free_port()
    process = start([sys.executable, "-m", "api"], ROOT, PORT=str(port))
    wait_until_ready(f"http://127.0.0.1:{port}", process)
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(HALF_A_REQUEST)
        time.sleep(0.2)
        if not stays:
            sender.close()
            time.sleep(0.2)
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


def memory(process_id: int, field: str) -> float:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024


def test_memory_and_health_stay_good_under_large_requests(service, example):
    port, process_id = service
    load(port, prepare("/batch_predict/", JSON, json.dumps(example[:1]).encode()), connections=1, requests=1)
    assert memory(process_id, "VmRSS") < 120

    burst = (
        "import json, sys, numpy as np; from tests.tools.bench.load import JSON, load, prepare\n"
        "records = np.random.default_rng(0).standard_normal((200, 2048)).astype(np.float32).tolist()\n"
        "body = json.dumps([{'record': record} for record in records]).encode()\n"
        "load(int(sys.argv[1]), prepare('/batch_predict/', JSON, body), connections=8, requests=120)"
    )
    sending = subprocess.Popen([sys.executable, "-c", burst, str(port)], cwd=ROOT)
    times = []
    with requests.Session() as session:
        while sending.poll() is None:
            begin = time.perf_counter()
            assert session.get(f"http://127.0.0.1:{port}/health/live", timeout=5).status_code == 200
            times.append(time.perf_counter() - begin)
            time.sleep(0.01)
    assert sending.returncode == 0
    assert np.percentile(times, 99) < 0.05
    assert memory(process_id, "VmHWM") < 256


def test_many_senders_at_once_get_their_own_answers(service, example):
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

    senders = [threading.Thread(target=send, args=(index,)) for index in range(16)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert wrong == []


def test_a_folder_without_a_model_is_named(tmp_path):
    process = start([sys.executable, "-m", "api"], ROOT, ASSETS=str(tmp_path), PORT=str(free_port()))
    output = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert output.startswith(f"no model at {tmp_path}{os.sep}model.onnx: run")
    assert "Traceback" not in output
