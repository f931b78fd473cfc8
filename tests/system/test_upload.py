"""Uploads over connections, to services that are started for them."""

import shutil
import socket

import numpy as np
import pytest
import requests

from tests.api.recording.uploads import STATED, machine, npy
from tests.conftest import ROOT, running


def head(length):
    return (
        f"POST /diagnose/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-npy\r\nContent-Length: {length}\r\n"
        "Expect: 100-continue\r\n\r\n"
    ).encode()


def connect(url):
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)


def test_clients_that_stall_keep_no_other_out(tmp_path):
    with running(tmp_path) as url:
        stalled = [connect(url) for _ in range(30)]
        for each in stalled:
            each.sendall(head(99) + b"1")
        body, headers = npy(machine("OuterRace", 2)), {"Content-Type": "application/x-npy"}
        answer = requests.post(f"{url}/diagnose/", data=body, headers=headers, params=STATED, timeout=20)
        assert answer.status_code == 200
        for each in stalled:
            each.close()


def test_too_large_an_announcement_is_refused_before_anything_is_sent(tmp_path):
    with running(tmp_path) as url, connect(url) as connection:
        connection.sendall(head(99_999_999))
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_body_is_refused(tmp_path, chunked):
    with running(tmp_path, MAX_UPLOAD="1000000") as url:
        body = npy(np.zeros(200_000))
        content = (body[start : start + 10_000] for start in range(0, len(body), 10_000)) if chunked else body
        headers = {"Content-Type": "application/x-npy"}
        try:
            answer = requests.post(f"{url}/diagnose/", data=content, headers=headers, params=STATED, timeout=20)
        except requests.ConnectionError:
            assert chunked  # it may have hung up before all was sent
        else:
            assert answer.status_code == 413
            assert "1,000,000 bytes at most" in answer.json()["detail"]
        sound = npy(machine("OuterRace", 2))
        answer = requests.post(f"{url}/diagnose/", data=sound, headers=headers, params=STATED, timeout=20)
        assert answer.status_code == 200


def test_with_a_broken_model_it_does_not_start(tmp_path):
    assets = tmp_path / "assets"
    shutil.copytree(ROOT / "assets", assets)
    (assets / "diagnosis.json").write_text("{")
    with pytest.raises(RuntimeError, match="ended with"), running(tmp_path, ASSETS=str(assets)):
        pass


def test_the_advice_where_the_model_is_missing_works(tmp_path):
    assets = tmp_path / "assets"
    shutil.copytree(ROOT / "assets", assets)
    (assets / "diagnosis.json").unlink()
    body, headers = npy(machine("OuterRace", 2)), {"Content-Type": "application/x-npy"}
    request = {"data": body, "headers": headers, "params": STATED}
    with running(tmp_path, ASSETS=str(assets)) as url:
        answer = requests.post(f"{url}/diagnose/", **request, timeout=20)
        assert answer.status_code == 503
        assert "copy assets/diagnosis.json there" in answer.json()["detail"]
    shutil.copy(ROOT / "assets" / "diagnosis.json", assets)
    with running(tmp_path, ASSETS=str(assets)) as url:
        assert requests.post(f"{url}/diagnose/", **request, timeout=20).json()["prediction"] == "OuterRace"
