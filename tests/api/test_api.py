import json
import re
import subprocess
import sys

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import api
from api.files.extras.libraries import list_suffixes
from api.window import batch_predict, reader
from tests.conftest import ROOT, environment

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
        "suffixes": list_suffixes(),
        "most_bytes": 32_000_000,
        "least_sampling_rate": 11_000,
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


def test_the_start_warns_where_the_compiled_reader_is_missing(monkeypatch, caplog):
    async def start_none():
        return None

    monkeypatch.setattr(reader, "fast_records", None)
    monkeypatch.setattr(api, "start_recording_workers", start_none)
    monkeypatch.setattr(api.metrics, "paths", api.metrics.paths)  # which a start sets
    another = FastAPI(lifespan=api.lifespan)
    another.include_router(batch_predict.router)
    with TestClient(another):
        assert "the compiled reader is not installed" in caplog.text


def test_without_a_store_nothing_of_machines_is_imported():
    """environment() says DATABASE_URL=none."""
    program = "import sys, api.api; print([name for name in sys.modules if name.startswith(('sqlalchemy', 'alembic', " \
        "'psycopg', 'fsspec', 'api.machine.', 'model.machine'))])"  # fmt: skip
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
