"""Records as .npy: what np.save writes is read, and everything else is refused with what was expected."""

import struct

import numpy as np
import pytest

from tests.api.window.bodies import LENGTH, NPY, RECORDS, npy


def post_npy(client, body: bytes):
    return client.post("/batch_predict/", content=body, headers=NPY)


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_npy_gets_the_same_answer_as_json(client, dtype, version):
    records = RECORDS.astype(np.float32)
    expected = client.post("/batch_predict/", json=[{"record": record} for record in records.tolist()]).json()
    answer = post_npy(client, npy(records.astype(dtype), version))
    assert answer.status_code == 200, answer.text
    assert answer.json()["Analysis"] == expected["Analysis"]


HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2048), }\n"


def crafted(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode("latin-1")
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


SAMPLES = RECORDS.astype("<f4").tobytes()
INVALID_NPY = {
    "empty": (b"", "np.save"),
    "text": (b"1,2,3", "np.save"),
    "only the magic": (b"\x93NUMPY\x01\x00", "np.save"),
    "version 3": (crafted(HEADER, SAMPLES, b"\x03\x00"), "version"),
    "version 9": (crafted(HEADER, SAMPLES, b"\x09\x00"), "version"),
    "one axis": (npy(RECORDS[0].astype("<f4")), "shape (records, 2048)"),
    "three axes": (npy(RECORDS.astype("<f4")[None]), "shape (records, 2048)"),
    "no record": (npy(RECORDS[:0].astype("<f4")), "shape (records, 2048)"),
    "short records": (npy(RECORDS[:, :1024].astype("<f4").copy()), "shape (records, 2048)"),
    "big-endian": (npy(RECORDS.astype(">f4")), "float32 or float64"),
    "float16": (npy(RECORDS.astype("<f2")), "float32 or float64"),
    "integers": (npy(RECORDS.astype("<i4")), "float32 or float64"),
    "complex": (npy(RECORDS.astype("<c8")), "float32 or float64"),
    "Fortran order": (npy(np.asfortranarray(RECORDS.astype("<f4"))), "C order"),
    "objects, pickled": (npy(np.array([[1.0] * LENGTH], dtype=object)), "float32 or float64"),
    "records with fields": (npy(np.zeros(2, dtype=[("a", "<f4")])), "float32 or float64"),
    "cut off": (npy(RECORDS.astype("<f4"))[:-1], "announces"),
    "too long": (npy(RECORDS.astype("<f4")) + b"\0", "announces"),
    "a lying shape": (crafted(HEADER.replace("(2,", "(200000000,"), SAMPLES), "announces"),
    "a negative shape": (crafted(HEADER.replace("(2,", "(-2,"), SAMPLES), "shape"),
    "a shape of text": (crafted(HEADER.replace("(2,", "('2',"), SAMPLES), "np.save"),
    "a shape of truth": (crafted(HEADER.replace("(2,", "(True,"), SAMPLES[: len(SAMPLES) // 2]), "shape"),
    "a hexadecimal shape": (crafted(HEADER.replace("(2,", "(0x" + "f" * 3900 + ","), SAMPLES), "shape"),
    "a shape with a sign": (crafted(HEADER.replace("(2,", "(+2,"), SAMPLES), "shape"),
    "a call in the header": (crafted("__import__('os').abort()", SAMPLES), "np.save"),
    "a deep header": (crafted("(" * 3000, SAMPLES), "np.save"),
    "a header of 60 kB": (crafted(HEADER.replace("}", "}" + " " * 60_000), SAMPLES), "np.save"),
    "a header beyond the body": (b"\x93NUMPY\x01\x00\xff\xff" + HEADER.encode(), "np.save"),
    "NaN": (npy(np.where(np.arange(LENGTH) == 7, np.nan, RECORDS).astype("<f4")), "finite"),
    "infinity": (npy(np.where(np.arange(LENGTH) == 7, np.inf, RECORDS).astype("<f8")), "finite"),
    "beyond float32": (npy(np.where(np.arange(LENGTH) == 7, 1e300, RECORDS)), "float32"),
    "a constant": (npy(np.ones((1, LENGTH), "<f4")), "vary"),
    "a constant second": (npy(np.stack([RECORDS[0], np.ones(LENGTH)])), "vary"),
}


def test_a_header_with_other_spaces_is_read(client):
    assert post_npy(client, crafted(HEADER, SAMPLES)).status_code == 200
    terse = HEADER.replace(": ", ":").replace(", ", ",").replace(",}", "}")
    assert post_npy(client, crafted(terse, SAMPLES)).status_code == 200


@pytest.mark.parametrize(("body", "said"), INVALID_NPY.values(), ids=INVALID_NPY)
def test_a_bad_npy_is_refused_with_what_was_expected(client, body, said):
    answer = post_npy(client, body)
    assert answer.status_code == 422, answer.text[:300]
    mistake = answer.json()["detail"][0]
    assert said in mistake["msg"]
    assert set(mistake) == {"type", "loc", "msg", "input"}


def test_a_bad_sample_of_an_npy_is_named(client):
    records = RECORDS.astype("<f4")
    records[1, 9] = np.nan
    assert post_npy(client, npy(records)).json()["detail"][0]["loc"] == ["body", 1, "record", 9]


def test_an_npy_cut_anywhere_is_refused(client):
    body = npy(RECORDS.astype("<f4"))
    for end in [*range(0, 140), 1000, 4096, len(body) - 4, len(body) - 1]:
        assert post_npy(client, body[:end]).status_code == 422, end
