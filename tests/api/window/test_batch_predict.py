import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.window.batch_predict import PATH, BatchPredictor, router
from tests.api.window.bodies import GOOD, JSON, MOST, request
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def example() -> list[dict]:
    return json.loads((ROOT / "assets" / "example.json").read_text())


@pytest.fixture(scope="module")
def routed(client):
    """The same endpoint behind FastAPI's router, without the shortcut."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        state = client.app.state
        app.state.batch_predictor = BatchPredictor(state.inference, state.workers, MOST)
        yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    with TestClient(app) as routed:
        yield routed


def without_time(answer: bytes) -> dict:
    return {name: value for name, value in json.loads(answer).items() if name != "Execution Time"}


@pytest.mark.parametrize("body", [None, b"nonsense", b'[{"record": [1]}]', b"[]"])
@pytest.mark.parametrize("headers", [JSON, {"Content-Type": "text/plain"}])
def test_the_shortcut_answers_as_the_router_does(routed, client, example, body, headers):
    body = json.dumps(example).encode() if body is None else body
    ours, theirs = (each.post(PATH, content=body, headers=headers) for each in (client, routed))
    assert ours.status_code == theirs.status_code
    assert without_time(ours.content) == without_time(theirs.content)
    assert ours.headers["content-type"] == theirs.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data",
                     "application/jsonp", "application/xml; charset=application/json", "json"]
)  # fmt: skip
def test_a_wrong_content_type_is_refused(client, content_type):
    headers = {"Content-Type": content_type} if content_type is not None else {}
    answer = client.post("/batch_predict/", content=request(GOOD), headers=headers)
    assert answer.status_code == 422
    mistake = answer.json()["detail"][0]
    assert mistake["loc"] == ["header", "content-type"]
    assert "application/json" in mistake["msg"]
    assert mistake["input"] == (content_type or None)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_json_is_json_however_it_is_spelt(client, content_type):
    answer = client.post("/batch_predict/", content=request(GOOD), headers={"Content-Type": content_type})
    assert answer.status_code == 200
