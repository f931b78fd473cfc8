"""A running service tells of an alarm whom it was told to tell."""

import hmac
import io
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import numpy as np
import requests

from tests.api.machine.notify.test_outbox import SIGNED_WITH, answer_with, receiving
from tests.conftest import running, wait_until

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
POINT = {"bearing": "6205-2RS", "sampling_rate": 12_000, "rpm": 1_750}


def test_a_webhook_is_told_of_an_alarm_and_can_check_who_tells(tmp_path):
    with receiving(answer_with(500, 204)) as (address, came):
        store = {"DATABASE_URL": f"sqlite:///{tmp_path}/machines.sqlite", "ALARM_WEBHOOK": address}
        with running(tmp_path, ALARM_WEBHOOK_SECRET=SIGNED_WITH, **store) as url:
            raise_an_alarm(f"{url}/machines/pump/points/drive-end")
            wait_until(lambda: len(came) >= 4, 60)
            metrics = requests.get(f"{url}/metrics", timeout=10).text
    bodies = [json.loads(body) for _, body in came]
    assert bodies[0] == bodies[1]  # after the 500 it was sent again
    assert [(body["kind"], body["level"]) for body in bodies[1:]] == [
        ("raised", "warning"), ("cleared", "warning"), ("raised", "alarm"),
    ]  # fmt: skip
    headers, body = came[-1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = b64encode(hmac.digest(SIGNED_WITH.encode(), signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert "machine_recordings_total" in metrics


def raise_an_alarm(home: str) -> None:
    noise = np.random.default_rng(0)
    requests.put(home, json=POINT, timeout=10).raise_for_status()
    for hour in range(40):
        signal = noise.standard_normal(2_400)
        if hour >= 24:
            signal[:: 2_400 // 21] += 40
        file, form = io.BytesIO(), {"taken_at": (BEGIN + timedelta(hours=hour)).isoformat(), "diagnose": "false"}
        np.save(file, signal.astype(np.float32))
        sent = requests.post(
            f"{home}/recordings", data=form, files={"file": ("a.npy", file.getvalue())}, timeout=30
        )  # fmt: skip
        sent.raise_for_status()
