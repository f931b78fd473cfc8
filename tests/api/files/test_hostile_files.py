"""Files that are damaged, or made to do damage."""

import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.settings import Settings
from tests.api.files.samples import MAX_UNPACKED, SIGNAL, mat, npy, packed, reads_or_refuses, refusal, wav


def bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(10**7)) for _ in range(30)) + packer.flush()


HOSTILE = {
    "gzip bomb": ("a.csv.gz", bomb),
    "mat bomb": ("a.mat", lambda: mat({"x": np.zeros(MAX_UNPACKED // 8)}, do_compression=True)),
    "one giant line": ("a.csv", lambda: b"1" * 32_000_000),
    "commas": ("a.csv", lambda: b"," * 32_000_000),
    "a million columns": ("a.csv", lambda: b"1," * 1_000_000 + b"\n1"),
    "a giant line later": ("a.csv", lambda: b"1\n2\n" + b"1" * 32_000_000),
    "blank lines": ("a.csv", lambda: b"1" + b"\n" * 32_000_000 + b"1"),
    "too many lines": ("a.csv", lambda: b"1\n" * 16_000_000),
    "quotes": ("a.csv", lambda: b'"' * 32_000_000),
    "quoted numbers": ("a.csv", lambda: b'"1,5"\n' * 5_000_000),
    "heads of digits": ("a.csv", lambda: (b"rpm " + b"1" * 190 + b" " + b"1 000" * 2000 + b"\n") * 51),
    "zeros": ("a.mat", lambda: bytes(32_000_000)),
    "negative MATLAB 4 size": ("a.mat", lambda: struct.pack("<5i", 0, -1, 20, 0, 0) * 9),
    "many WAV chunks": ("a.wav", lambda: b"RIFF\xff\xff\xff\x7fWAVE" + b"LIST\0\0\0\0" * 1_000_000),
    "a huge .npy": ("a.npy", lambda: npy(SIGNAL).replace(b"(4,), }" + b" " * 12, b"(4000000000000,), }")),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_within_a_fifth_of_the_seconds_of_a_worker(kind):
    name, make = HOSTILE[kind]
    content = make()
    start = time.process_time()
    refusal(content, name)
    assert time.process_time() - start < Settings().diagnoser_seconds / 5


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.wav", wav(SIGNAL.astype(np.float32))),
        ("a.npy", npy(SIGNAL)),
        ("a.csv.gz", packed(b"a,b\n1,2\n3,4\n")),
    ],
)
def test_a_file_cut_or_changed_anywhere_is_read_or_refused(name, content, noise):
    for place in range(len(content)):
        reads_or_refuses(content[:place], name)
        for value in (0, 255, int(noise.integers(256))):
            reads_or_refuses(content[:place] + bytes([value]) + content[place + 1 :], name)


STARTS = [
    b"",
    b"\x93NUMPY\1\0",
    b"RIFF\xff\0\0\0WAVE",
    b"\x1f\x8b\x08",
    b"\0\0\0\0",
]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(STARTS), st.binary(max_size=200), st.sampled_from(["a.mat", "a.csv"]))
def test_random_bytes_are_read_or_refused(start, content, name):
    reads_or_refuses(start + content, name)
