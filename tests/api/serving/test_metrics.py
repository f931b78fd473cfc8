"""What /metrics shows of each way through the service, and what a program and a page are told of it."""

import numpy as np
import pytest
import requests

from api.api import keys
from api.serving.metrics import MEMORY, WATCHED, Metrics
from model.window.drift import log_roughness
from tests.conftest import ROOT, running

KEY = "a-key-for-the-tests"
ORIGIN = "http://page.example"


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A service with a key and a page on another origin."""
    with running(tmp_path_factory.mktemp("locked"), API_KEYS=KEY, CORS_ORIGINS=ORIGIN) as url:
        yield url


# --- the drift


@pytest.fixture
def metrics():
    metrics = Metrics()
    metrics.reference = {"mean": 0.0, "deviation": 1.0}
    return metrics


def watch(metrics, records):
    """Let it look now, and return the drift."""
    metrics.next_look = 0
    metrics.watch(records)
    return metrics.registry.get_sample_value("input_drift")


def test_the_drift_of_few_records_is_their_mean(metrics, noise):
    records = noise.standard_normal((11, 2_048)).cumsum(axis=1)
    roughness = log_roughness(records)
    assert watch(metrics, records[:1]) == pytest.approx(abs(roughness[0]))
    assert watch(metrics, records[1:4]) == pytest.approx(abs(roughness[:4].mean()))
    assert watch(metrics, records[4:]) == pytest.approx(abs(roughness.mean()))


def test_the_drift_forgets_what_lies_more_than_its_memory_back(metrics, noise):
    rough = noise.standard_normal((WATCHED, 2_048))
    smooth = rough.cumsum(axis=1)
    for _ in range(2 * MEMORY // WATCHED):
        before = watch(metrics, rough)
    for _ in range(MEMORY // WATCHED):
        after = watch(metrics, smooth)
    alone = abs(log_roughness(smooth).mean())
    assert abs(after - alone) == pytest.approx(abs(before - alone) * np.exp(-1), rel=0.3)


# --- the stages


def read_samples(client):
    """Return {name with labels: value}."""
    lines = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def grow(client, ask):
    """Return how often each stage was timed and how many records were computed for a question."""
    before = read_samples(client)
    ask()
    after = read_samples(client)
    stages = ("read", "queue", "parse", "network", "diagnose")
    names = {stage: f'stage_seconds_count{{stage="{stage}"}}' for stage in stages} | {"records": "batch_records_sum"}
    return {short: after.get(name, 0) - before.get(name, 0) for short, name in names.items()}


def test_the_stages_of_the_open_inference_protocol_are_timed(client, noise):
    data = noise.standard_normal((3, 2_048)).tolist()
    question = {"inputs": [{"name": "records", "shape": [3, 2_048], "datatype": "FP32", "data": data}]}
    path = "/v2/models/bearing/infer"
    grown = grow(client, lambda: client.post(path, json=question).raise_for_status())
    assert grown == {"read": 1, "queue": 1, "parse": 1, "network": 1, "diagnose": 0, "records": 3}
    grown = grow(client, lambda: client.post(path, json={}))
    assert grown == {"read": 1, "queue": 1, "parse": 1, "network": 0, "diagnose": 0, "records": 0}


def test_the_stages_of_an_upload_are_timed(client):
    content = (ROOT / "assets" / "examples" / "clipped.wav").read_bytes()
    files, data = {"file": ("clipped.wav", content)}, {"rpm": "1772"}
    grown = grow(client, lambda: client.post("/diagnose/", files=files, data=data).raise_for_status())
    assert grown == {"read": 1, "queue": 1, "parse": 0, "network": 0, "diagnose": 1, "records": 0}


# --- the OpenAPI document


def test_the_document_names_the_keys_where_there_are_some(locked):
    document = requests.get(f"{locked}/openapi.json", headers={"X-API-Key": KEY}, timeout=10).json()
    by_header, bearer = document["components"]["securitySchemes"].items()
    assert by_header[1] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert bearer[1] == {"type": "http", "scheme": "bearer"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            is_open = requests.request(method, locked + path, timeout=10).status_code != 401
            assert is_open == keys.is_open(path)
            assert ("401" not in operation["responses"]) == is_open
            assert operation.get("security", []) == ([] if is_open else [{by_header[0]: []}, {bearer[0]: []}])


def test_the_document_of_a_service_without_keys_names_none(client):
    document = client.get("/openapi.json").text
    assert '"401"' not in document
    assert "security" not in document


@pytest.mark.parametrize("path", ["/health/ready", "/v2/health/ready", "/v2/models/bearing/ready"])
def test_the_document_says_that_a_service_may_not_be_ready(client, path):
    assert "503" in client.get("/openapi.json").json()["paths"][path]["get"]["responses"]


# --- a page on another origin


def test_a_page_on_another_origin_may_read_what_an_answer_says_of_itself(locked):
    answer = requests.get(f"{locked}/model/", headers={"Origin": ORIGIN}, timeout=10)
    assert answer.status_code == 401
    exposed = set(answer.headers["access-control-expose-headers"].lower().split(", "))
    assert exposed == {"x-request-id", "x-model", "retry-after", "traceparent"}
