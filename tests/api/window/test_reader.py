"""From the bytes of a body to an array of records."""

import json
import logging

import numpy as np
import pytest

from api.window import reader
from api.window.mistakes import InvalidRecordsError, TooManyRecordsError
from api.window.reader import RecordReader
from tests.api.window.bodies import GOOD, LENGTH, MOST, RECORDS, npy, peak_of, request, with_value


@pytest.mark.parametrize(
    "text", ["1", "-0", "0.1", "1e-7", "1E+3", "123456789", "16777217", "3.4028234663852886e38", "1e-45", "-2.5e-320"]
)
def test_numbers_become_the_nearest_float32(text):
    records = RecordReader(LENGTH, MOST).read_json(with_value(text))
    assert records.dtype == np.float32
    assert records.shape == (1, LENGTH)
    assert records[0, 5] == np.float32(float(text))
    np.testing.assert_array_equal(np.delete(records[0], 5), np.delete(np.array(GOOD, np.float32), 5))


def test_other_keys_are_ignored(client):
    plain = client.post("/batch_predict/", json=[{"record": GOOD}]).json()["Analysis"]
    extra = client.post("/batch_predict/", json=[{"id": 7, "record": GOOD, "labels": ["a", None]}]).json()["Analysis"]
    assert extra == plain


def test_few_records_are_told_from_many_by_their_number():
    reader = RecordReader(LENGTH, MOST)
    zeros = [0] * LENGTH
    assert reader.are_few_json(request(GOOD))
    assert reader.are_few_json(request(zeros, zeros))
    assert not reader.are_few_json(request(zeros, zeros, zeros))
    assert not reader.are_few_json(request(*[GOOD] * 4))
    assert reader.are_few_npy(npy(RECORDS.astype("<f4")))
    assert not reader.are_few_npy(npy(np.repeat(RECORDS, 2, axis=0).astype("<f4")))


def test_the_length_is_the_models():
    assert RecordReader(3, MOST).read_json(b'[{"record": [1, 2, 3]}]').tolist() == [[1, 2, 3]]
    with pytest.raises(InvalidRecordsError, match="at least 3"):
        RecordReader(3, MOST).read_json(b'[{"record": [1, 2]}]')


def test_records_with_other_keys_beyond_the_limit_are_refused():
    body = json.dumps([{"id": 0, "record": [1, 2, 3]}] * 3).encode()
    assert RecordReader(3, 3).read_json(body).tolist() == [[1, 2, 3]] * 3
    with pytest.raises(TooManyRecordsError, match="3 records came, expected 2 at most"):
        RecordReader(3, 2).read_json(body)


def test_the_plain_form_takes_no_memory_for_records_beyond_the_limit():
    item = b'{"record":[' + b",".join([b"0", b"1"] * 1024) + b"]}"
    body = b"[" + b",".join([item] * (MOST + 1)) + b"]"

    def read() -> None:
        with pytest.raises(TooManyRecordsError):
            RecordReader(LENGTH, MOST).read_json(body)

    assert peak_of(read) < 1e6
    assert len(RecordReader(LENGTH, MOST).read_json(b"[" + b",".join([item] * MOST) + b"]")) == MOST


@pytest.mark.parametrize("compiled", [object(), None])
def test_where_the_compiled_reader_is_missing_the_log_says_so(monkeypatch, caplog, compiled):
    monkeypatch.setattr(reader, "fast_records", compiled)
    reader.warn_without_compiled_reader()
    said = "the compiled reader is not installed: JSON is read by the slower one, see docs/window.md"
    assert caplog.record_tuples == [("uvicorn.error", logging.WARNING, said)] * (compiled is None)
