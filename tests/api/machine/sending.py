"""Recordings that tests send to a point over HTTP."""

import io
from datetime import UTC, datetime, timedelta

import numpy as np

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOME = "/machines/pump/points/drive-end"
POINT = {"bearing": "11, 0.21, 1, 8", "sampling_rate": 12_000, "rpm": 1_750, "unit": "g"}


def npy(signal) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(signal, np.float32))
    return file.getvalue()


def send(client, content: bytes, hour: int = 0, name: str = "a.npy", **fields: str):
    form = {"taken_at": (BEGIN + timedelta(hours=hour)).isoformat(), "diagnose": "false"} | fields
    return client.post(f"{HOME}/recordings", data=form, files={"file": (name, content)})
