"""The compiled reader reads what the validating reader reads, and leaves it the rest."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.window import reader
from api.window.mistakes import InvalidRecordsError
from api.window.reader import RecordReader
from tests.api.window.bodies import GOOD, LENGTH, MOST, request
from tests.conftest import ROOT, environment

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
ODD = st.sampled_from([
    "NaN", "Infinity", "-", "1.", ".5", "01", "+1", "1e", "1e+", "null", "true", "[]", "[1]", "{}", '"1"', "", "1 2",
    "1e999",
])  # fmt: skip


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


@pytest.mark.skipif(reader.fast_records is None, reason="NO COMPILER: the compiled reader is not installed")
class TestCompiledReader:
    @settings(max_examples=500, deadline=None)
    @given(bodies())
    def test_it_never_disagrees_with_the_validating_reader(self, body):
        assert_agree(body)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=5), st.integers(1, 40))
    def test_spans_make_no_difference(self, rows, span):
        body = b"[" + b", ".join(b'{"record": [%s]}' % ", ".join(row).encode() for row in rows) + b"]"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader, "SPAN", span)
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
    monkeypatch.setattr(reader, "fast_records", None)
    np.testing.assert_array_equal(RecordReader(LENGTH, MOST).read_json(body), fast)


def test_without_a_compiler_it_installs_empty(tmp_path):
    build = ["-q", "build", "--build-base", str(tmp_path / "a"), "egg_info", "-e", str(tmp_path)]
    command = [sys.executable, "setup.py", *build]
    folder = ROOT / "api" / "native"
    answer = subprocess.run(
        command, cwd=folder, env=environment(CC="/bin/false", CXX="/bin/false"), capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert not list(tmp_path.rglob("*.so"))
