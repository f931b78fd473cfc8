"""Files that vanish while a folder is sent to a machine's point."""

import json
import os
from argparse import Namespace

import pytest
import requests

from api import sending
from api.sending import PointClient, follow, send_folder

ARGUMENTS = Namespace(
    machine="pump", point="drive-end", bearing=None, unit="", sampling_rate=None, rpm=None, channel=None, diagnosis=True
)


@pytest.fixture
def files(tmp_path):
    """Two files whose moments are those of their last change."""
    files = [tmp_path / "first.npy", tmp_path / "second.npy"]
    for turn, path in enumerate(files):
        path.write_bytes(b"signal")
        os.utime(path, (1e9 + turn, 1e9 + turn))
    return files


def test_a_file_that_vanishes_from_a_watched_folder_is_left_out(files, monkeypatch):
    monkeypatch.setattr(sending, "PAUSE", 0)
    looks = []

    def find():
        looks.append(files)
        if len(looks) == 2:
            files[0].unlink()  # and is listed all the same
        return files

    assert next(follow(find)) == files[1]
    assert len(looks) == 2


def test_a_file_that_vanishes_while_another_is_sent_is_told_and_the_rest_is_sent(files, capsys):
    sent = []

    def ask(method, path, **content):
        if method == "POST":
            sent.append(content["files"]["file"][0])
            files[1].unlink(missing_ok=True)
        answer, listed = requests.Response(), method == "GET" and path.endswith("/recordings")
        told = [] if listed else {"state": {"level": "learning", "reason": ""}}
        answer.status_code, answer._content = 200, json.dumps(told).encode()
        return answer

    later = files[0].with_name("third.npy")
    later.write_bytes(b"signal")
    assert send_folder(PointClient(ask, ARGUMENTS), lambda: [*files, later], watch=False) == 1
    assert sent == ["first.npy", "third.npy"]
    assert "second.npy: [Errno 2] No such file or directory" in capsys.readouterr().err
