"""Crafted MATLAB files, read where uploads are: in a worker, because scipy's reader can end the process."""

import json
import struct

import numpy as np
import pytest

from api.recording.process import WorkerEndedError
from tests.api.files.samples import COLUMN, mat
from tests.tools.workers import FIELDS, run


def diagnose(contents):
    """Return each file's status and words, or None where the worker ended."""

    async def scenario(worker):
        return [await respond(worker, content) for content in contents]

    async def respond(worker, content):
        try:
            response = await worker.diagnose(FIELDS, [("a.mat", content)])
        except WorkerEndedError:
            return None
        words = json.loads(response.body)["detail"][0]["msg"] if response.status == 422 else response.body
        return response.status, words

    return run(scenario)


def nested_mat(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        head = struct.pack("<4I2I2i", 6, 8, 2, 0, 5, 8, 1, 1) + struct.pack("<4I", 1, 0, 0x40005, 2)
        content = head + struct.pack("<2I2s6x", 1, 2, b"a\0") + struct.pack("<2I", 14, len(content)) + content
    return mat_of(content)


def mat_of(body: bytes) -> bytes:
    return mat({})[:128] + struct.pack("<2I", 14, len(body)) + body


def many_names() -> bytes:
    head = struct.pack("<4I2I2i", 6, 8, 2, 0, 5, 8, 1, 1) + struct.pack("<4I", 1, 0, 0x40005, 1)
    return mat_of(head + struct.pack("<2I", 1, 32_000_000) + b"a" * 32_000_000)


def many_dimensions() -> bytes:
    return mat_of(
        struct.pack("<4I2I", 6, 8, 6, 0, 5, 32_000_000) + b"\x7f" * 32_000_000 + struct.pack("<4I", 1, 0, 9, 0)
    )


@pytest.mark.parametrize("make", [lambda: nested_mat(3_000), many_names, many_dimensions])
def test_a_crafted_file_is_refused_and_the_next_one_answered(make):
    crafted, sound = diagnose([make(), mat({"x": np.sin(np.arange(20_000.0))})])
    assert crafted is None or crafted[0] == 422
    assert sound[0] == 200


@pytest.mark.parametrize(
    "content",
    [
        mat({"x": COLUMN, "bearing": {"gs": COLUMN, "sr": 9}}),
        mat({"x": COLUMN, "fs": 9}, do_compression=True),
        mat({"x": COLUMN, "fs": 9}, format="4"),
    ],
    ids=["5", "5 compressed", "4"],
)
def test_a_file_cut_anywhere_or_changed_is_refused_or_read(content, noise):
    cut = [content[:place] for place in range(len(content))]
    changed = [
        content[:place] + bytes([noise.integers(256)]) + content[place + 1 :]
        for place in noise.integers(len(content), size=150)
    ]
    answers = diagnose(cut + changed)
    assert all(answer[0] == 422 for answer in answers[: len(cut)] if answer)
    assert sum(answer is None for answer in answers) < 30
