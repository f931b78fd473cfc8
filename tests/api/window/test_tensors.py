"""Requests of the Open Inference Protocol that cannot be read: each is refused with what was expected."""

import json

import numpy as np
import pytest

from tests.api.window.infer import MODEL, check_refusal, question

RAMP = list(range(2048))
MALFORMED = {
    "empty": b"",
    "not JSON": b"hello",
    "not UTF-8": b'{"id": "\xff"}',
    "cut short": json.dumps(question(RAMP)).encode()[:-9],
    "too deep": b"[" * 100_000,
    "an array": [],
    "null": None,
    "no inputs": {},
    "inputs that are no array": {"inputs": {}},
    "an empty array of inputs": {"inputs": []},
    "two inputs": {"inputs": question(RAMP)["inputs"] * 2},
    "a million inputs": {"inputs": [0] * 1_000_000},
    "another name": question(RAMP, name="other"),
    "another datatype": question(RAMP, datatype="BYTES"),
    "no shape": question(RAMP, shape=None),
    "an empty shape": question(RAMP, shape=[]),
    "a shape of strings": question(RAMP, shape=["1", "2048"]),
    "a shape of truths": question(RAMP, shape=[True, 2048]),
    "a fractional shape": question(RAMP, shape=[1.5, 2048]),
    "a negative shape": question(RAMP, shape=[-1, 2048]),
    "two negative dimensions": question(RAMP, shape=[-1, -2048]),
    "none": question([], shape=[0, 2048]),
    "more than the limit": question(RAMP, shape=[4097, 2048]),
    "a huge shape": question(RAMP, shape=[2**63, 2048]),
    "a shape that overflows": question(RAMP, shape=[2**62 + 1, 2048]),
    "a shape of thousands of digits": question(RAMP, shape=[10**4000, 2048]),
    "three dimensions": question(RAMP, shape=[1, 1, 2048]),
    "no data": question(None),
    "too few numbers": question(RAMP[1:]),
    "too many numbers": question([*RAMP, 1]),
    "ragged rows": question([RAMP[:-1], [*RAMP, 1]], 2),
    "rows and numbers": question([RAMP, 1], 2),
    "one row for two": question([RAMP + RAMP], 2),
    "rows of rows": question([[RAMP]]),
    "strings": question(["1"] * 2048),
    "truths": question([True, *RAMP[1:]]),
    "a null": question([None, *RAMP[1:]]),
    "an integer of a thousand digits": question([10**1000, *RAMP[1:]]),
    "not a number": question([float("nan"), *RAMP[1:]]),
    "infinite": question([float("inf"), *RAMP[1:]]),
    "beyond float32": question([1e39, *RAMP[1:]]),
    "constant": question([3.0] * 2048),
    "beyond INT16": question([40_000, *RAMP[1:]], datatype="INT16"),
    "beyond INT32": question([1e300, *RAMP[1:]], datatype="INT32"),
    "fractions as INT32": question([0.5, *RAMP[1:]], datatype="INT32"),
    "data and binary": question(RAMP, parameters={"binary_data_size": 8192}),
    "binary without its header": question(None, parameters={"binary_data_size": 8192}),
    "a negative binary size": question(None, parameters={"binary_data_size": -8192}),
    "a binary size in words": question(None, parameters={"binary_data_size": "8192"}),
    "parameters that are no object": question(RAMP, parameters=[1]),
    "an id that is no string": question(RAMP) | {"id": 7},
    "another output": question(RAMP) | {"outputs": [{"name": "other"}]},
    "outputs without end": question(RAMP) | {"outputs": [{"name": "label"}] * 100_000},
    "binary_data in words": question(RAMP) | {"outputs": [{"name": "label", "parameters": {"binary_data": "yes"}}]},
    "binary_data_output in words": question(RAMP) | {"parameters": {"binary_data_output": "yes"}},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_in_words(client, name):
    body = MALFORMED[name] if isinstance(MALFORMED[name], bytes) else json.dumps(MALFORMED[name])
    check_refusal(client.post(f"{MODEL}/infer", content=body))


HEAD = json.dumps(question(None, 2, parameters={"binary_data_size": 2 * 8192})).encode()
TENSOR = np.arange(2 * 2048, dtype="<f4").tobytes()


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (HEAD + TENSOR[:-1], len(HEAD)),
        (HEAD + TENSOR[:8192], len(HEAD)),
        (HEAD + TENSOR + b"1", len(HEAD)),
        (HEAD, len(HEAD)),
        (HEAD + TENSOR, None),
        (HEAD + TENSOR, len(HEAD) - 1),
        (HEAD + TENSOR, len(HEAD) + 1),
        (HEAD + TENSOR, len(HEAD + TENSOR) + 1),
        (HEAD + TENSOR, -1),
        (HEAD + TENSOR, 0),
        (HEAD + TENSOR, "many"),
        (HEAD + TENSOR, "1e2"),
        (HEAD + TENSOR, "²"),
        (HEAD + TENSOR, ""),
        (HEAD + TENSOR, "9" * 5000),
        (b"", 0),
        (json.dumps(question(RAMP)).encode() + b"1234", len(json.dumps(question(RAMP)))),
        (HEAD.replace(b"16384", b"16380") + TENSOR[:-4], len(HEAD)),
        (HEAD.replace(b"16384", b"99999") + TENSOR, len(HEAD)),
    ],
)
def test_a_malformed_binary_request_is_refused_in_words(client, body, header):
    headers = {} if header is None else {"Inference-Header-Content-Length": str(header).encode("latin-1")}
    check_refusal(client.post(f"{MODEL}/infer", content=body, headers=headers))
    good = {"Inference-Header-Content-Length": str(len(HEAD))}
    assert client.post(f"{MODEL}/infer", content=HEAD + TENSOR, headers=good).status_code == 200
