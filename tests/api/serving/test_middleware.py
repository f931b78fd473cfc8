import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests

from pipeline.service import free_port, wait_until_ready
from tests.conftest import ROOT, environment, running

KEY, OTHER_KEY = "a-key-for-the-tests", "the-key-that-follows-it"
JSON = {"Content-Type": "application/json"}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def example():
    return (ROOT / "assets" / "example.json").read_bytes()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A service with narrow limits; yields its URL and its log."""
    folder = tmp_path_factory.mktemp("small")
    narrow = {
        "MAX_BODY": "2000000", "MAX_UPLOAD": "2000000", "MAX_BUFFERED": "6000000", "MAX_QUEUE": "2",
        "MAX_RECORDS": "8", "SENDING_TIMEOUT": "1", "LOG_REQUESTS": "true", "LOG_FORMAT": "json",
    }  # fmt: skip
    with running(folder, **narrow) as url:
        yield url, folder / "service.log"


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    with running(tmp_path_factory.mktemp("locked"), API_KEYS=f"{KEY},{OTHER_KEY}") as url:
        yield url


def connect(url):
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)


def head(length, path="/batch_predict/"):
    form = "application/x-npy" if path == "/diagnose/" else "application/json"
    lines = [f"POST {path} HTTP/1.1", "Host: here", f"Content-Type: {form}", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def read_until_closed(connection):
    return b"".join(iter(lambda: connection.recv(4096), b""))


# --- keys


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": KEY},
        {"X-API-Key": OTHER_KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {KEY}"},
    ],
)
def test_each_of_several_keys_opens(locked, example, headers):
    assert requests.post(f"{locked}/batch_predict/", data=example, headers=JSON | headers, timeout=10).ok
    assert requests.get(f"{locked}/metrics", headers=headers, timeout=10).ok


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-API-Key": KEY[:-1]}, {"X-API-Key": ""}, {"Authorization": f"Basic {KEY}"}, {"Authorization": KEY}],
)
@pytest.mark.parametrize("path", ["/batch_predict/", "/diagnose/", "/v2/models/bearing/infer"])
def test_without_one_there_is_no_answer(locked, example, path, headers):
    answer = requests.post(locked + path, data=example * 20, headers=JSON | headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "X-API-Key" in answer.text


def test_without_one_nobody_is_told_to_send_a_body(locked):
    with connect(locked) as connection:
        connection.sendall(head(100)[:-2] + b"Expect: 100-continue\r\n\r\n")
        assert read_until_closed(connection).startswith(b"HTTP/1.1 401")


def test_whoever_routes_requests_here_needs_none(locked):
    for path in ("/health/live", "/health/ready", "/v2/health/ready", "/", "/page.js"):
        assert requests.get(locked + path, timeout=10).ok
    assert requests.get(f"{locked}/model/", timeout=10).status_code == 401


# --- sizes, time, the queue


def test_what_is_too_large_is_refused_by_its_announcement(small):
    url, _ = small
    with connect(url) as connection:
        connection.sendall(head(99_999_999))
        answer = read_until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer
    assert b"2,000,000 bytes at most" in answer


def test_what_is_too_large_is_refused_where_it_is_not_announced(small):
    url, _ = small
    with connect(url) as connection:
        connection.sendall(head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        with suppress(BrokenPipeError):  # it hangs up as soon as there is too much
            for _ in range(40):
                connection.sendall(b"186A0\r\n" + b" " * 100_000 + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_too_many_records_are_refused(small, example):
    url, _ = small
    records = json.loads(example) * 3
    answer = requests.post(f"{url}/batch_predict/", json=records, timeout=10)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "12 records came, expected 8 at most"


@pytest.mark.parametrize("path", ["/batch_predict/", "/diagnose/", "/v2/models/bearing/infer"])
def test_a_body_that_does_not_come_is_given_up(small, path):
    url, _ = small
    with connect(url) as connection:
        connection.sendall(head(1_000, path) + b"[")
        start = time.monotonic()
        answer = read_until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert 0.9 < time.monotonic() - start < 3
    assert b"longer than 1 s" in answer


def test_a_full_queue_says_so_at_once_and_recovers(small, example):
    url, _ = small
    answers = []

    def send():
        with requests.Session() as session:
            for _ in range(15):
                answer = session.post(f"{url}/batch_predict/", data=example, headers=JSON, timeout=10)
                answers.append((answer.status_code, answer.headers.get("retry-after")))

    senders = [threading.Thread(target=send) for _ in range(32)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert set(answers) <= {(200, None), (503, "1")}
    assert (200, None) in answers
    assert requests.post(f"{url}/batch_predict/", data=example, headers=JSON, timeout=2).ok


def test_where_there_is_no_room_for_all_bodies_some_are_answered(small, example):
    url, _ = small
    body = example.rstrip()[:-1] + b" " * 1_800_000 + b"]"
    with ThreadPoolExecutor(12) as senders:
        answers = list(
            senders.map(lambda _: requests.post(f"{url}/batch_predict/", body, headers=JSON, timeout=10), range(48))
        )
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 503}
    assert 200 in statuses
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)


# --- what every answer carries, and what is written down


def test_every_answer_names_itself_and_the_models(client, example):
    for answer in (
        client.post("/batch_predict/", content=example, headers=JSON),
        client.post("/batch_predict/", content=b"nonsense", headers=JSON),
        client.get("/model/"), client.get("/"), client.get("/nowhere"), client.get("/v2/models/bearing"),
    ):  # fmt: skip
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
        versions = client.get("/model/").json()["versions"]
        assert f"model={versions['model_sha256'][:12]}" in answer.headers["x-model"]
        assert f"manifest={versions['manifest_sha256'][:12]}" in answer.headers["x-model"]


def test_a_request_id_and_a_trace_are_passed_through(client):
    given = {"X-Request-ID": "from-a-proxy:1", "traceparent": TRACEPARENT}
    answer = client.get("/health/live", headers=given)
    assert answer.headers["x-request-id"] == "from-a-proxy:1"
    assert answer.headers["traceparent"] == TRACEPARENT
    odd = client.get("/health/live", headers={"X-Request-ID": "a b\tc", "traceparent": "00-what-ever"})
    assert re.fullmatch(r"[0-9a-f]{16}", odd.headers["x-request-id"])
    assert "traceparent" not in odd.headers


def test_a_line_a_request_is_written(small, example):
    url, log = small
    headers = JSON | {"X-Request-ID": "find-me", "traceparent": TRACEPARENT, "X-API-Key": "not-to-be-written"}
    requests.post(f"{url}/batch_predict/", data=example, headers=headers, timeout=10)
    time.sleep(0.6)
    text = log.read_text()
    facts = next(json.loads(line) for line in text.splitlines() if "find-me" in line)
    assert facts["path"] == "/batch_predict/"
    assert facts["status"] == 200
    assert facts["bytes"] == len(example)
    assert facts["trace_id"] == TRACEPARENT.split("-")[1]
    assert "not-to-be-written" not in text


def test_a_line_cannot_be_forged(small):
    url, log = small
    requests.get(f"{url}/x%0Aforged%1B[31m%E2%82%AC", timeout=5)
    time.sleep(0.6)
    [line] = [line for line in log.read_text().splitlines() if "forged" in line]
    assert json.loads(line)["path"] == "/x%0Aforged%1B%5B31m%E2%82%AC"


def test_a_failure_of_our_own_is_answered_and_logged_under_its_id(tmp_path):
    page = tmp_path / "api" / "page" / "page.css"
    shutil.copytree(ROOT / "api", tmp_path / "api", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "model", tmp_path / "model", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "data" / "bearings.csv", tmp_path / "data")
    with running(tmp_path, tmp_path, ASSETS=str(ROOT / "assets")) as url:
        page.unlink()
        answer = requests.get(f"{url}/page.css", headers={"X-Request-ID": "find-me"}, timeout=5)
        assert (answer.status_code, answer.json()) == (500, {"detail": "Internal Server Error"})
        assert answer.headers["x-request-id"] == "find-me"
        assert requests.get(f"{url}/health/live", timeout=5).ok
    log = (tmp_path / "service.log").read_text()
    assert "request find-me" in log
    assert "page.css" in log


def test_a_log_that_nobody_reads_stops_nothing():
    port = free_port()
    variables = environment(PORT=str(port), SENDING_TIMEOUT="1", LOG_REQUESTS="true")
    process = subprocess.Popen([sys.executable, "-m", "api"], cwd=ROOT, env=variables, stdout=subprocess.PIPE)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process, None, timeout=30)
        process.stdout.close()
        assert requests.get(f"{url}/health/live", timeout=5).ok
        time.sleep(0.5)
        with connect(url) as connection:
            connection.sendall(head(100))
            assert read_until_closed(connection).startswith(b"HTTP/1.1 408")
    finally:
        process.terminate()
        process.wait(timeout=20)


# --- metrics


def sample(text, name):
    """Return the sum of a metric's samples whose name and labels start so."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def test_metrics_count_what_is_asked_and_answered(client, example):
    before = client.get("/metrics").text
    client.post("/batch_predict/", content=example, headers=JSON)
    client.post("/batch_predict/", content=b"nonsense", headers=JSON)
    with open(ROOT / "assets" / "examples" / "clipped.wav", "rb") as file:  # noqa: PTH123
        client.post("/diagnose/", files={"file": ("clipped.wav", file)}, data={"rpm": "1772"})
    after = client.get("/metrics").text

    def grown(name):
        return sample(after, name) - sample(before, name)

    assert grown('requests_total{method="POST",path="/batch_predict/",status="200"}') == 1
    assert grown('requests_total{method="POST",path="/batch_predict/",status="422"}') == 1
    assert grown('predictions_total{label="Unknown",path="/diagnose/"}') == 1
    assert grown("predictions_total{label=") == len(json.loads(example)) + 1
    for stage in ("read", "queue", "parse", "network"):
        assert grown(f'stage_seconds_count{{stage="{stage}"}}') >= 1
    assert grown("batch_records_sum") == len(json.loads(example))


def test_paths_nobody_serves_are_counted_together(client):
    for name in range(20):
        client.get(f"/nowhere/{name}")
    assert "nowhere" not in client.get("/metrics").text
