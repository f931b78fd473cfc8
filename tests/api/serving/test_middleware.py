"""A started service: what clients see of keys, limits, deadlines, headers, the log and the metrics."""

import json
import re
import shutil
import socket
from contextlib import suppress

import pytest
import requests

from tests.conftest import ROOT, running, wait_until

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
    [{}, {"X-API-Key": KEY[:-1]}, {"X-API-Key": ""}, {"Authorization": f"Basic {KEY}"}, {"Authorization": KEY}],
)
@pytest.mark.parametrize("path", ["/batch_predict/", "/diagnose/", "/v2/models/bearing/infer"])
def test_a_request_without_a_key_is_refused_and_its_body_is_read(locked, example, path, headers):
    answer = requests.post(locked + path, data=example * 20, headers=JSON | headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "X-API-Key" in answer.text


def test_a_client_without_a_key_is_not_told_to_send_its_body(locked):
    with connect(locked) as connection:
        connection.sendall(head(100)[:-2] + b"Expect: 100-continue\r\n\r\n")
        assert read_until_closed(connection).startswith(b"HTTP/1.1 401")


def test_health_and_the_page_need_no_key(locked):
    for path in ("/health/live", "/health/ready", "/v2/health/ready", "/", "/page.js"):
        assert requests.get(locked + path, timeout=10).ok
    assert requests.get(f"{locked}/model/", timeout=10).status_code == 401


# --- sizes, time, the queue


def test_a_body_announced_as_too_large_is_refused(small):
    url, _ = small
    with connect(url) as connection:
        connection.sendall(head(99_999_999))
        answer = read_until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer
    assert b"2,000,000 bytes at most" in answer


def test_a_body_that_turns_out_too_large_is_refused(small):
    url, _ = small
    with connect(url) as connection:
        connection.sendall(head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        with suppress(BrokenPipeError):  # the service closes the connection
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
def test_a_body_that_does_not_arrive_gives_408(small, path):
    url, _ = small
    with connect(url) as connection:
        connection.sendall(head(1_000, path) + b"[")
        answer = read_until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"longer than 1 s" in answer


# --- what every answer carries, and what is written down


def test_every_response_names_its_request_and_the_models(client, example):
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


def test_each_request_is_written_as_one_line(small, example):
    url, log = small
    headers = JSON | {"X-Request-ID": "find-me", "traceparent": TRACEPARENT, "X-API-Key": "not-to-be-written"}
    requests.post(f"{url}/batch_predict/", data=example, headers=headers, timeout=10)
    wait_until(lambda: "find-me" in log.read_text())  # lines are written four times a second
    text = log.read_text()
    facts = next(json.loads(line) for line in text.splitlines() if "find-me" in line)
    assert facts["path"] == "/batch_predict/"
    assert facts["status"] == 200
    assert facts["bytes"] == len(example)
    assert facts["trace_id"] == TRACEPARENT.split("-")[1]
    assert "not-to-be-written" not in text


def test_an_error_of_the_service_is_answered_with_500_and_logged_under_the_request_id(tmp_path):
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


# --- metrics


def sample(text, name):
    """Return the sum of a metric's samples whose name and labels start so."""
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def test_metrics_count_requests_and_predictions(client, example):
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


def test_unknown_paths_are_counted_together(client):
    for name in range(20):
        client.get(f"/nowhere/{name}")
    assert "nowhere" not in client.get("/metrics").text
