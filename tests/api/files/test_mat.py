"""Crafted MATLAB files, read where uploads are: in a child, because scipy's reader can end the process."""

import asyncio
import json
import struct

import numpy as np
import pytest

from api.recording.process import Child, DiedError
from tests.api.files.test_formats import COLUMN, mat
from tests.api.recording.test_process import limits

FIELDS = {"sampling_rate": 12_000.0, "rpm": 1_750.0}


def ask(contents):
    """Return each file's status and words, or None where the child died of it."""

    async def whole():
        child = Child("api.recording.worker", limits())
        await child.start()
        try:
            return [await answer(child, content) for content in contents]
        finally:
            await child.stop()

    async def answer(child, content):
        try:
            status, words = await child.ask(FIELDS, [("a.mat", content)])
        except DiedError:
            return None
        return status, json.loads(words)["detail"][0]["msg"] if status == 422 else words

    return asyncio.run(whole())


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
    crafted, sound = ask([make(), mat({"x": np.sin(np.arange(20_000.0))})])
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
    answers = ask(cut + changed)
    assert all(answer[0] == 422 for answer in answers[: len(cut)] if answer)
    assert sum(answer is None for answer in answers) < 30
