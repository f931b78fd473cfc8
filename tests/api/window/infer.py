"""Requests to the Open Inference Protocol, and its refusals."""

from typing import Any

MODEL = "/v2/models/bearing"


def question(data: list | None, count: int = 1, **changes) -> dict:
    tensor = {"name": "records", "shape": [count, 2048], "datatype": "FP32", "data": data} | changes
    return {"inputs": [{name: value for name, value in tensor.items() if value is not None}]}


def check_refusal(answer: Any, status: int = 400) -> None:
    assert answer.status_code == status, answer.text[:500]
    assert list(answer.json()) == ["error"]
    assert 10 < len(answer.json()["error"]) < 500
