"""Whole requests as bytes: records as JSON, as .npy and for the open inference protocol, and uploads."""

import io
import json

import numpy as np

from tests.conftest import ROOT
from tests.tools.bench.load import JSON, NPY, prepare

SEED = 0
LIVE = b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n"
INFER = "/v2/models/bearing/infer"


def make_records(count: int) -> np.ndarray:
    """Return the example's records plus a little noise, float32 (count, 2048)."""
    example = np.array([item["record"] for item in json.loads((ROOT / "assets" / "example.json").read_text())])
    records = example[np.arange(count) % len(example)]
    noise = np.random.default_rng(SEED).standard_normal(records.shape)
    return (records + 0.1 * records.std(axis=1, keepdims=True) * noise).astype(np.float32)


def write_json(records: np.ndarray) -> list[bytes]:
    """Return the JSON of each record; join them with commas between brackets."""
    return [json.dumps({"record": record}).encode() for record in records.tolist()]


def write_npy(samples: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, samples)
    return stream.getvalue()


def ask_for_json(records: np.ndarray) -> bytes:
    return prepare("/batch_predict/", JSON, b"[" + b",".join(write_json(records)) + b"]")


def ask_for_npy(records: np.ndarray) -> bytes:
    return prepare("/batch_predict/", NPY, write_npy(records))


def ask_to_infer(records: np.ndarray) -> bytes:
    body = {"inputs": [{"name": "records", "shape": records.shape, "datatype": "FP32", "data": records.tolist()}]}
    return prepare(INFER, JSON, json.dumps(body).encode())


def ask_to_diagnose(content: bytes, name: str, **fields: str) -> bytes:
    """Return an upload as a browser sends it, with a speed and further fields of the form."""
    form = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode() + content
    for field, value in {"rpm": "1797", **fields}.items():
        form += f'\r\n--edge\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}'.encode()
    return prepare("/diagnose/", "multipart/form-data; boundary=edge", form + b"\r\n--edge--\r\n")


def ask_for(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


def example_upload() -> bytes:
    return ask_to_diagnose((ROOT / "assets" / "examples" / "inner_race.wav").read_bytes(), "inner_race.wav")
