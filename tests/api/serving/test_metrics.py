"""What /metrics shows of each way through the service, and what a program and a page are told of it."""

import pytest
import requests
from prometheus_client import CollectorRegistry, Histogram

from api.api import keys
from api.serving.metrics import SECONDS, Times
from tests.conftest import ROOT, running

KEY = "a-key-for-the-tests"
ORIGIN = "http://page.example"


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """A service with a key and a page on another origin."""
    with running(tmp_path_factory.mktemp("locked"), API_KEYS=KEY, CORS_ORIGINS=ORIGIN) as url:
        yield url


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


def test_times_are_told_as_the_librarys_own_histogram_tells_them(noise):
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    times = Times("x_seconds", "x", "stage", ours)
    library = Histogram("x_seconds", "x", ["stage"], buckets=SECONDS, registry=theirs)
    for label, seconds in zip("ab" * 100, [*SECONDS, *noise.exponential(1, 185).tolist()], strict=True):
        times.observe(label, seconds)
        library.labels(label).observe(seconds)
    times.settle()  # what is told later is added to it
    times.observe("a", 99.0)
    library.labels("a").observe(99.0)
    times.settle()
    told = [[((each.name, each.labels), each.value) for family in registry.collect() for each in family.samples
             if not each.name.endswith("_created")] for registry in (ours, theirs)]  # fmt: skip
    assert [which for which, _ in told[0]] == [which for which, _ in told[1]]
    assert [value for _, value in told[0]] == pytest.approx([value for _, value in told[1]])


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
    of_all = {"x-request-id", "x-model", "retry-after", "traceparent"}
    assert exposed == of_all | {"x-total-count", "x-levels", "inference-header-content-length"}
