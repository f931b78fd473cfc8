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
