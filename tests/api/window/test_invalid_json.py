"""JSON that cannot be answered gets a 422 with the record's index, what came and what was expected."""

import json

import numpy as np
import pytest

from tests.api.window.bodies import GOOD, JSON, LENGTH, request, with_value

# name: (body, place of the mistake, part of the message)
INVALID = {
    "too short by one": (request(GOOD[:-1]), [0, "record"], "at least 2048"),
    "half a record": (request(GOOD[:1024]), [0, "record"], "at least 2048"),
    "two halves": (request(GOOD[:1024], GOOD[:1024]), [0, "record"], "not 1024"),
    "one number": (request([1.0]), [0, "record"], "at least 2048"),
    "no number": (request([]), [0, "record"], "at least 2048"),
    "too long by one": (request([*GOOD, 0.5]), [0, "record"], "at most 2048"),
    "two records in one": (request(GOOD + GOOD), [0, "record"], "at most 2048"),
    "the second is short": (request(GOOD, GOOD[:7]), [1, "record"], "not 7"),
    "the third is long": (request(GOOD, GOOD, [*GOOD, 1.5]), [2, "record"], "at most 2048"),
    "the last of 50 is short": (request(*[GOOD] * 49, GOOD[:9]), [49, "record"], "not 9"),
    "ragged": (request([[1, 2], [3]]), [0, "record", 0], "valid number"),
    "a matrix": (request([GOOD]), [0, "record", 0], "valid number"),
    "numbers and an array": (request([*GOOD[:-1], [1.0]]), [0, "record", 2047], "valid number"),
    "NaN": (with_value("NaN"), [0, "record", 5], "finite"),
    "NaN at the end": (with_value("NaN", LENGTH - 1), [0, "record", 2047], "finite"),
    "Infinity": (with_value("Infinity"), [0, "record", 5], "finite"),
    "-Infinity": (with_value("-Infinity"), [0, "record", 5], "finite"),
    "1e999": (with_value("1e999"), [0, "record", 5], "finite"),
    "-1e999": (with_value("-1e999"), [0, "record", 5], "finite"),
    "beyond float32": (with_value("3.5e38"), [0, "record", 5], "float32"),
    "beyond float32, negative": (with_value("-1e300"), [0, "record", 5], "float32"),
    "an integer of 300 digits": (with_value("9" * 300), [0, "record", 5], "float32"),
    "an integer of 400 digits": (with_value("9" * 400), [0, "record", 5], "number"),
    "an integer of 5000 digits": (with_value("9" * 5000), None, "number"),
    "a lower-case nan": (with_value("nan"), None, "JSON"),
    "null among numbers": (with_value("null"), [0, "record", 5], "valid number"),
    "true among numbers": (with_value("true"), [0, "record", 5], "valid number"),
    "a string among numbers": (with_value('"0.5"'), [0, "record", 5], "valid number"),
    "an empty string among numbers": (with_value('""'), [0, "record", 5], "valid number"),
    "a long string among numbers": (with_value(f'"{"x" * 1000}"'), [0, "record", 5], "valid number"),
    "an unpaired surrogate among numbers": (with_value(r'"\ud800"'), None, ""),
    "an object among numbers": (with_value("{}"), [0, "record", 5], "valid number"),
    "a leading zero": (with_value("01"), None, "JSON"),
    "a leading plus": (with_value("+1"), None, "JSON"),
    "a bare point": (with_value("."), None, "JSON"),
    "a hexadecimal": (with_value("0x10"), None, "JSON"),
    "constant zero": (request([0.0] * LENGTH), [0, "record"], "vary"),
    "constant one": (request([1.0] * LENGTH), [0, "record"], "vary"),
    "constant, huge": (request([1e38] * LENGTH), [0, "record"], "vary"),
    "constant, tiny": (request([1e-40] * LENGTH), [0, "record"], "vary"),
    "constant in float32": (request([1.0, 1.0 + 1e-9] * 1024), [0, "record"], "vary"),
    "rounding noise on an offset": (request([9.81, 9.81 + 1e-6] * 1024), [0, "record"], "vary"),
    "nothing left in float32": (request([1e-300, -1e-300] * 1024), [0, "record"], "vary"),
    "the second is constant": (request(GOOD, [3.0] * LENGTH), [1, "record"], "vary"),
    "record is null": (request(None), [0, "record"], "array"),
    "record is a number": (request(1.5), [0, "record"], "array"),
    "record is true": (request(True), [0, "record"], "array"),
    "record is a string": (request("0.5 0.25"), [0, "record"], "array"),
    "record is an object": (request({"0": 1.0}), [0, "record"], "array"),
    "record is missing": (b"[{}]", [0, "record"], "required"),
    "record is misspelt": (json.dumps([{"Record": GOOD}]).encode(), [0, "record"], "required"),
    "the second lacks record": (json.dumps([{"record": GOOD}, {"data": GOOD}]).encode(), [1, "record"], "required"),
    "no record": (b"[]", [], "at least 1"),
    "an object, not an array": (json.dumps({"record": GOOD}).encode(), [], "array"),
    "an empty object": (b"{}", [], "array"),
    "null": (b"null", [], "array"),
    "a number": (b"7", [], "array"),
    "a string": (b'"record"', [], "array"),
    "true": (b"true", [], "array"),
    "an array of numbers": (json.dumps(GOOD).encode(), [0], "object"),
    "an array of arrays": (json.dumps([GOOD]).encode(), [0], "object"),
    "an array of null": (b"[null]", [0], "object"),
    "an empty body": (b"", [], "JSON"),
    "white space": (b"  \n", [], "JSON"),
    "not JSON": (b"record=1,2,3", [], "JSON"),
    "cut off": (request(GOOD)[:-3], [], "JSON"),
    "cut off in a number": (request(GOOD)[:500], None, "JSON"),
    "a trailing comma": (b'[{"record": [1, 2,]}]', None, "JSON"),
    "two documents": (request(GOOD) * 2, [], "JSON"),
    "single quotes": (b"[{'record': [1]}]", None, "JSON"),
    "a comment": (b"[/* none */]", None, "JSON"),
    "not UTF-8": (b'[{"record": "\xff\xfe"}]', None, "JSON"),
    "UTF-16": (request(GOOD).decode().encode("utf-16"), [], "JSON"),
    "a byte order mark": (b"\xef\xbb\xbf" + request(GOOD), [], "JSON"),
    "a NUL byte": (b"\x00", [], "JSON"),
    "binary": (np.array(GOOD, dtype=np.float32).tobytes(), [], "JSON"),
    "nested 1,000 deep": (b"[" * 1000 + b"]" * 1000, None, ""),
    "nested 100,000 deep": (b"[" * 100_000, None, ""),
    "objects nested 10,000 deep": (b'[{"record":' * 10_000, None, ""),
}


@pytest.mark.parametrize(("body", "where", "said"), INVALID.values(), ids=INVALID)
def test_bad_input_is_refused_with_its_place(client, body, where, said):
    answer = client.post("/batch_predict/", content=body, headers=JSON)
    assert answer.status_code == 422, answer.text[:300]
    assert set(answer.json()) == {"detail"}
    mistake = answer.json()["detail"][0]
    assert set(mistake) == {"type", "loc", "msg", "input"}
    assert mistake["loc"][0] == "body"
    assert where is None or mistake["loc"][1:] == where
    assert said in mistake["msg"]
    assert len(answer.content) < 1000
