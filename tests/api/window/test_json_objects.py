"""The memory that the objects of a JSON text take is known, and bounded, before the text is read."""

import json

import numpy as np
import pytest

from api.window.json_objects import largest_size, read_objects
from api.window.mistakes import InvalidRecordsError
from api.window.reader import RecordReader, fast_records
from tests.api.window.bodies import JSON, LENGTH, MOST, peak_of


def test_a_body_full_of_mistakes_costs_no_more_memory_than_a_good_one():
    def read() -> None:
        with pytest.raises(InvalidRecordsError):
            RecordReader(LENGTH, MOST).read_json(b"[" + b"0," * 1_000_000 + b"0]")

    assert peak_of(read) < 20e6


def test_integers_are_not_held_twice():
    body = json.dumps([{"id": 0, "record": [-999, 999] * 1024}] * 100).encode()
    reader = RecordReader(LENGTH, MOST)
    assert peak_of(lambda: reader.validate(body)) < 1.3 * peak_of(lambda: read_objects(body))


ODD = {
    "numbers": b"0.5", "lists": b"[]", "nested": b"[[]]", "deep": b"[" * 20 + b"]" * 20, "objects": b"{}",
    "an object each": b'{"a":0}', "nested objects": b'{"a":{"a":{}}}', "short texts": b'"abc"', "wide": '"😀"'.encode(),
    "one wide text": b'"%b\\ud83d\\ude00"' % (b"x" * 100), "null": b"null",
}  # fmt: skip


@pytest.mark.parametrize("body", [
    *[b"[" + b",".join([value] * 30_000) + b"]" for value in ODD.values()],
    b"[" + b",".join(b'"%d"' % index for index in range(30_000)) + b"]",
    b"{" + b",".join(b'"%d":0' % index for index in range(30_000)) + b"}",
], ids=[*ODD, "texts", "keys"])  # fmt: skip
def test_the_objects_of_a_text_take_no_more_than_was_foreseen(body):
    assert peak_of(lambda: read_objects(body)) < largest_size(body)


@pytest.mark.parametrize("body", [
    b'"' * 32_000_000, b'"' * 1_900_000 + b"\\", b'"' + b"\\" * 32_000_000, b"\\" * 32_000_000,
    b'"' + b"\\n" * 16_000_000,
], ids=["quotes", "some quotes", "a text of backslashes", "backslashes", "escapes"])  # fmt: skip
def test_a_hostile_body_is_measured_without_memory(body):
    assert peak_of(lambda: largest_size(body)) < 1e6


@pytest.mark.parametrize("in_ascii", [True, False])
def test_a_word_of_wide_characters_beside_each_record_is_no_reason_to_refuse(client, in_ascii):
    records = np.random.default_rng(0).standard_normal((200, LENGTH)).tolist()
    items = [{"machine": "Prüfstand", "record": record} for record in records]
    body = json.dumps(items, ensure_ascii=in_ascii).encode()
    assert len(body) > 8e6
    answer = client.post("/batch_predict/", content=body, headers=JSON)
    assert answer.status_code == 200, answer.text[:300]
    assert len(answer.json()["Analysis"]) == 200


def test_json_that_would_take_too_much_memory_is_refused_unread(client):
    item = b'{"id":0,"record":[' + b",".join([b"0", b"1"] * 1024) + b"]}"
    for records, status in ((850, 200), (900, 413)):
        body = b"[" + b",".join([item] * records) + b"]"
        answer = client.post("/batch_predict/", content=body, headers=JSON)
        assert answer.status_code == status, answer.text[:300]
    assert "fewer records at once, or binary ones" in answer.json()["detail"]
    hint = f'; in the plain form [{{"record": [...]}}], up to {MOST:,}'
    assert answer.json()["detail"].endswith(hint if fast_records else "ones")
