import zlib

import numpy as np
import pytest

from tests.api.recording.uploads import RATE, STATED, machine, mat, mistakes, npy, post


def bomb():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(10**7)) for _ in range(60)) + packer.flush()


HOSTILE = {
    "bomb": ("a.csv.gz", bomb),
    "bomb in .mat": ("a.mat", lambda: mat(do_compression=True)(np.zeros(60_000_000, np.int8))),
    "truncated": ("a.mat", lambda: mat()(machine("OuterRace"))[:-9]),
    "objects": ("a.npy", lambda: npy(np.array([{}, []], dtype=object))),
    "no numbers": ("a.txt", lambda: b"the quick brown fox\n" * 1_000),
    "NaN": ("a.npy", lambda: npy(np.where(np.arange(48_000) > 40_000, np.nan, machine("OuterRace")))),
    "flat": ("a.npy", lambda: npy(np.zeros(48_000))),
    "2 samples": ("a.npy", lambda: npy(np.array([1.0, 2.0]))),
    "10 minutes": ("a.npy", lambda: npy(np.zeros(600 * RATE, np.int16))),
    "empty": ("a.mat", lambda: b""),
    "a picture": ("a.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(100)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_diagnosed_is_refused_and_the_service_goes_on(client, kind):
    name, make = HOSTILE[kind]
    content = make()
    words = mistakes(post(client, content, name))
    assert len(words["file"]) > 20
    assert post(client, npy(machine("OuterRace", 1))).status_code == 200


def test_the_words_name_the_file_once(client):
    words = mistakes(post(client, b"hello", "broken.mat"))["file"]
    assert words.count("broken.mat") == 1
    assert mistakes(post(client, npy(np.ones((3, 3, 3))), "cube.npy"))["file"].startswith("cube.npy: ")


@pytest.mark.parametrize(
    "fields", [{"rpm": "10"}, {"rpm": "60000"}, {"bearing": "9, 39.0, 39.04"}, {"bearing": "200, 1, 100"},
               {"bearing": "3, 1, 200", "rpm": "1000000"}, {"sampling_rate": "10000000"}],
)  # fmt: skip
def test_no_field_however_odd_breaks_it(client, fields):
    answer = post(client, npy(machine("OuterRace")), fields=STATED | fields)
    assert answer.status_code in (200, 422)
    assert answer.status_code == 200 or "broke off" not in answer.text


@pytest.mark.parametrize(
    ("charset", "file_name", "field", "value", "said"),
    [
        ("unicode_escape", r"\ud800.npy", "series", "false", {}),
        ("unicode_escape", "a.npy", r"\ud800", "1", {"?": "Extra inputs are not permitted"}),
        ("unicode_escape", "a.npy", "channel", r"\ud800", {"channel": "a.npy: the file has no channel ?; it has 0"}),
        ("undefined", "a.npy", "series", "false",
         {"file": "the form cannot be read: its texts are not in the charset that it names"}),
    ],
)  # fmt: skip
def test_a_form_in_a_strange_charset_is_answered_and_ends_no_worker(client, charset, file_name, field, value, said):
    head = b"--limit\r\nContent-Disposition: form-data; "
    body = head + f'name="{field}"\r\n\r\n{value}\r\n'.encode()
    body += (
        head + f'name="file"; filename="{file_name}"\r\n\r\n'.encode() + npy(machine("OuterRace")) + b"\r\n--limit--"
    )
    media_type = f"multipart/form-data; boundary=limit; charset={charset}"
    before = worker_processes(client)
    answer = client.post("/diagnose/", params=STATED, content=body, headers={"Content-Type": media_type})
    assert answer.status_code == (422 if said else 200)
    assert not said or mistakes(answer) == said
    assert worker_processes(client) == before


def worker_processes(client):
    return [worker.process.pid for worker in client.app.state.recording_workers.workers]
