"""Bad input, over HTTP: always 422, with the record's index, what came and what was expected."""

import io
import json
import struct
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.window import reader as records_module
from api.window.reader import InvalidRecordsError, RecordReader, TooManyRecordsError, read_objects, weigh
from tests.conftest import ROOT, environment

LENGTH = 2048
MOST = 2_000  # records
GOOD = np.sin(np.arange(LENGTH) / 7).round(4).tolist()
JSON = "application/json"


def request(*records) -> bytes:
    return json.dumps([{"record": record} for record in records]).encode()


def with_value(text: str, sample: int = 5) -> bytes:
    """A request whose only record holds the text, to the letter, at one sample."""
    numbers = [str(value) for value in GOOD]
    numbers[sample] = text
    return f'[{{"record": [{", ".join(numbers)}]}}]'.encode()


# name: (body, where the mistake is, a part of what is said of it)
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
    answer = client.post("/batch_predict/", content=body, headers={"Content-Type": JSON})
    assert answer.status_code == 422, answer.text[:300]
    assert set(answer.json()) == {"detail"}
    mistake = answer.json()["detail"][0]
    assert set(mistake) == {"type", "loc", "msg", "input"}
    assert mistake["loc"][0] == "body"
    assert where is None or mistake["loc"][1:] == where
    assert said in mistake["msg"]
    assert len(answer.content) < 1000


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data",
                     "application/jsonp", "application/xml; charset=application/json", "json"]
)  # fmt: skip
def test_a_wrong_content_type_is_refused(client, content_type):
    headers = {"Content-Type": content_type} if content_type is not None else {}
    answer = client.post("/batch_predict/", content=request(GOOD), headers=headers)
    assert answer.status_code == 422
    mistake = answer.json()["detail"][0]
    assert mistake["loc"] == ["header", "content-type"]
    assert "application/json" in mistake["msg"]
    assert mistake["input"] == (content_type or None)


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])
def test_json_is_json_however_it_is_spelt(client, content_type):
    answer = client.post("/batch_predict/", content=request(GOOD), headers={"Content-Type": content_type})
    assert answer.status_code == 200


def test_other_keys_are_ignored(client):
    plain = client.post("/batch_predict/", json=[{"record": GOOD}]).json()["Analysis"]
    extra = client.post("/batch_predict/", json=[{"id": 7, "record": GOOD, "labels": ["a", None]}]).json()["Analysis"]
    assert extra == plain


def test_a_body_full_of_mistakes_costs_no_more_memory_than_a_good_one():
    def read() -> None:
        with pytest.raises(InvalidRecordsError):
            RecordReader(LENGTH, MOST).read_json(b"[" + b"0," * 1_000_000 + b"0]")

    assert peak_of(read) < 20e6


def test_integers_are_not_held_twice():
    body = json.dumps([{"id": 0, "record": [-999, 999] * 1024}] * 100).encode()
    reader = RecordReader(LENGTH, MOST)
    assert peak_of(lambda: reader.validate(body)) < 1.3 * peak_of(lambda: read_objects(body))


def peak_of(work: Callable) -> int:
    """Return the bytes that Python's objects take at most while the work is done."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


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
def test_what_json_takes_as_objects_is_known_before_it_is_read(body):
    assert peak_of(lambda: read_objects(body)) < weigh(body)


@pytest.mark.parametrize("body", [
    b'"' * 32_000_000, b'"' * 1_900_000 + b"\\", b'"' + b"\\" * 32_000_000, b"\\" * 32_000_000,
    b'"' + b"\\n" * 16_000_000,
], ids=["quotes", "some quotes", "a text of backslashes", "backslashes", "escapes"])  # fmt: skip
def test_a_hostile_body_is_weighed_soon_and_without_memory(body):
    begin = time.perf_counter()
    assert peak_of(lambda: weigh(body)) < 1e6
    assert time.perf_counter() - begin < 3


@pytest.mark.parametrize("in_ascii", [True, False])
def test_a_word_of_wide_characters_beside_each_record_does_no_harm(client, in_ascii):
    records = np.random.default_rng(0).standard_normal((200, LENGTH)).tolist()
    items = [{"machine": "Prüfstand", "record": record} for record in records]
    body = json.dumps(items, ensure_ascii=in_ascii).encode()
    assert len(body) > 8e6
    answer = client.post("/batch_predict/", content=body, headers={"Content-Type": JSON})
    assert answer.status_code == 200, answer.text[:300]
    assert len(answer.json()["Analysis"]) == 200


def test_json_that_would_take_too_much_memory_is_refused_unread(client):
    item = b'{"id":0,"record":[' + b",".join([b"0", b"1"] * 1024) + b"]}"
    for records, status in ((850, 200), (900, 413)):
        body = b"[" + b",".join([item] * records) + b"]"
        answer = client.post("/batch_predict/", content=body, headers={"Content-Type": JSON})
        assert answer.status_code == status, answer.text[:300]
    assert "fewer records at once, or binary ones" in answer.json()["detail"]
    hint = '; in the plain form [{"record": [...]}], up to 2,000'
    assert answer.json()["detail"].endswith(hint if records_module.fast_records else "ones")


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


@pytest.mark.parametrize(
    "text", ["1", "-0", "0.1", "1e-7", "1E+3", "123456789", "16777217", "3.4028234663852886e38", "1e-45", "-2.5e-320"]
)
def test_numbers_become_the_nearest_float32(text):
    records = RecordReader(LENGTH, MOST).read_json(with_value(text))
    assert records.dtype == np.float32
    assert records.shape == (1, LENGTH)
    assert records[0, 5] == np.float32(float(text))
    np.testing.assert_array_equal(np.delete(records[0], 5), np.delete(np.array(GOOD, np.float32), 5))


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


SHORT = RecordReader(3, MOST)


def both(body: bytes) -> tuple[np.ndarray | None, np.ndarray | None]:
    """What the compiled and what the validating reader make of a body of records of three; None for refused."""
    try:
        validated = SHORT.validate(body)
    except InvalidRecordsError:
        validated = None
    return SHORT.read_plain(body), validated


def assert_agree(body: bytes) -> None:
    """The compiled reader may leave a body to the validating one, and never takes one that the other refuses."""
    plain, validated = both(body)
    if plain is not None:
        assert validated is not None, body
        np.testing.assert_array_equal(plain, validated)


SPACE = st.text(" \t\r\n", max_size=2)
NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**25), 10**25).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
ODD = st.sampled_from(
    [
        "NaN",
        "Infinity",
        "-",
        "1.",
        ".5",
        "01",
        "+1",
        "1e",
        "1e+",
        "null",
        "true",
        "[]",
        "[1]",
        "{}",
        '"1"',
        "",
        "1 2",
        "1e999",
    ]
)


@st.composite
def bodies(draw) -> bytes:
    """Requests in the plain form, most of them, and bodies that are nearly so."""

    def spaced(text: str) -> str:
        return draw(SPACE) + text + draw(SPACE)

    def record() -> str:
        length = draw(st.sampled_from([3, 3, 3, 3, 2, 4, 0]))
        numbers = [draw(NUMBER) if draw(st.integers(0, 30)) else draw(ODD) for _ in range(length)]
        key = draw(st.sampled_from(['"record"'] * 8 + ['"Record"', "record", '"rec\\u006frd"']))
        extra = draw(st.sampled_from([""] * 8 + [', "id": 1', ', "record": [4, 5, 6]', ', "x": "{[}]"']))
        return "{" + spaced(key) + ":" + spaced("[" + ",".join(spaced(n) for n in numbers) + "]") + extra + "}"

    text = spaced("[") + ",".join(spaced(record()) for _ in range(draw(st.integers(0, 4)))) + spaced("]")
    if not draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.text('[]{},:"0e-. \x00é', max_size=2)) + text[place + draw(st.integers(0, 2)) :]
    return text.encode()


@pytest.mark.skipif(records_module.fast_records is None, reason="NO COMPILER: the compiled reader is not installed")
class TestCompiledReader:
    @settings(max_examples=3000, deadline=None)
    @given(bodies())
    def test_it_never_disagrees_with_the_validating_reader(self, body):
        assert_agree(body)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=5), st.integers(1, 40))
    def test_spans_make_no_difference(self, rows, span):
        body = b"[" + b", ".join(b'{"record": [%s]}' % ", ".join(row).encode() for row in rows) + b"]"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(records_module, "SPAN", span)
            assert_agree(body)
            in_spans = SHORT.read_plain(body)
        whole = SHORT.read_plain(body)
        assert (in_spans is None) == (whole is None)
        values = [abs(float(text)) for row in rows for text in row]
        if all(value == 0 or 1e-300 < value < 3e38 for value in values) and max(map(len, sum(rows, ()))) < 20:
            np.testing.assert_array_equal(in_spans, whole)

    def test_it_takes_the_plain_form(self):
        plain, validated = both(b' [ {"record" : [1, -2.5e1 ,\n3]},{"record":[0,0.1,1E-3]} ] ')
        assert plain.tolist() == validated.tolist() == [[1, -25, 3], [0, np.float32(0.1), np.float32(0.001)]]

    @pytest.mark.parametrize("kind", ["float32", "float64", "decimals", "midpoints", "powers", "integers"])
    def test_every_number_is_that_of_numpy(self, kind):
        noise = np.random.default_rng(7)
        count = 60_000
        if kind == "float32":
            bits = noise.integers(0, 2**31, count, dtype=np.int64).astype(np.uint32)
            values = bits.view(np.float32)
            texts = [repr(float(value)) for value in values[np.isfinite(values) & (values < 3e38)]]
        elif kind == "float64":
            texts = [
                repr(float(value)) for value in (noise.standard_normal(count) * 10.0 ** noise.integers(-44, 37, count))
            ]
        elif kind == "decimals":
            texts = [f"{value:.{digits}f}" for value, digits in zip(
                noise.standard_normal(count), noise.integers(0, 25, count), strict=True)]  # fmt: skip
        elif kind == "midpoints":
            lower = np.abs(noise.standard_normal(count)).astype(np.float32)
            middle = (lower.astype(np.float64) + np.nextafter(lower, np.float32(9)).astype(np.float64)) / 2
            nudge = noise.integers(-1, 2, count)
            texts = [repr(float(np.nextafter(m, m + n))) for m, n in zip(middle, nudge, strict=True)]
            texts += [f"{value:.24f}" for value in middle[:5000]]
        elif kind == "powers":
            digits = ("1", "-9", "1.5", "-0.000123", "12345678901234567890")
            texts = [f"{mantissa}e{power}" for mantissa in digits for power in range(-60, 18)]
        else:
            texts = [str(value) for value in noise.integers(-(2**63), 2**63 - 1, count)]
        texts = texts[: len(texts) // 3 * 3]
        rows = [texts[start : start + 3] for start in range(0, len(texts), 3)]
        body = ("[" + ",".join('{"record":[' + ",".join(row) + "]}" for row in rows) + "]").encode()
        expected = np.array([float(text) for text in texts]).astype(np.float32)
        found = SHORT.read_plain(body)
        assert found is not None
        np.testing.assert_array_equal(found.ravel(), expected)
        np.testing.assert_array_equal(np.signbit(found.ravel()), np.signbit(expected))

    def test_a_body_cut_anywhere_is_left_to_the_validating_reader(self):
        body = b'[{"record": [1.5, -2e3, 12345678.5]}, {"record": [0.25, 3, 4]}]'
        for end in range(len(body)):
            assert SHORT.read_plain(body[:end]) is None


def test_without_the_compiled_reader_the_answers_are_the_same(monkeypatch):
    body = request(GOOD, (np.array(GOOD) * 3 + 1).tolist())
    fast = RecordReader(LENGTH, MOST).read_json(body)
    monkeypatch.setattr(records_module, "fast_records", None)
    np.testing.assert_array_equal(RecordReader(LENGTH, MOST).read_json(body), fast)


def test_without_a_compiler_it_installs_empty(tmp_path):
    command = [
        sys.executable,
        "setup.py",
        "-q",
        "build",
        "--build-base",
        str(tmp_path / "a"),
        "egg_info",
        "-e",
        str(tmp_path),
    ]
    folder = ROOT / "api" / "native"
    answer = subprocess.run(
        command, cwd=folder, env=environment(CC="/bin/false", CXX="/bin/false"), capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert not list(tmp_path.rglob("*.so"))


def npy(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


def post_npy(client, body: bytes):
    return client.post("/batch_predict/", content=body, headers={"Content-Type": "application/x-npy"})


RECORDS = np.stack([GOOD, np.cos(np.arange(LENGTH) / 3)])


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


def test_a_header_that_is_written_a_little_otherwise_is_read(client):
    assert post_npy(client, crafted(HEADER, SAMPLES)).status_code == 200
    terse = HEADER.replace(": ", ":").replace(", ", ",").replace(",}", "}")
    assert post_npy(client, crafted(terse, SAMPLES)).status_code == 200


@pytest.mark.parametrize(("body", "said"), INVALID_NPY.values(), ids=INVALID_NPY)
def test_a_bad_npy_is_refused_in_words(client, body, said):
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
