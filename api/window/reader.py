"""From a request's bytes to an array of records, or to errors that say what came and what was expected."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import pairwise
from threading import Lock
from typing import Annotated, Any

import numpy as np
from annotated_types import Len
from pydantic import AllowInfNan, FailFast, Strict, TypeAdapter, ValidationError
from pydantic_core import from_json
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

try:
    import fast_records
except ImportError:  # installed without a compiler: the validating reader does it all
    fast_records = None

SPAN = 1 << 20  # bytes parsed by one thread at a time
LONGEST_HEADER = 4096  # bytes; np.save writes 128 for a plain array
SMALL = 64 * 1024  # bytes
FEW = 2  # records
MOST_OBJECTS = 72_000_000  # bytes that the objects of one JSON text may take, some 870 records
READING = Lock()  # held while larger JSON is read into objects, one at a time
TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # possessive: a hostile body is read once and takes no memory
NPY_HEADER = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|\x02\x00....)"
    rb"\{'descr': ?'(?P<dtype><f[48])', ?'fortran_order': ?False, ?"
    rb"'shape': ?\((?P<records>[1-9][0-9]{0,8}), ?(?P<length>[1-9][0-9]{0,8}),?\),? ?\} {0,3900}\n",
    re.DOTALL,
)


class InvalidRecordsError(ValueError):
    """A request that cannot be answered; mistake is the first thing wrong with it, in FastAPI's form."""

    def __init__(self, mistake: dict) -> None:
        super().__init__(mistake)
        self.mistake = mistake


class TooManyRecordsError(ValueError):
    """A request for more than is answered at once; its words are for the sender."""


class RecordReader:
    """Read the records of a request, as JSON or .npy, into float32 (records, window_length).

    Raises InvalidRecordsError or TooManyRecordsError, before memory is taken for what will not be answered.
    Whether the numbers are such that there is an answer is for have_answers and check to say.
    """

    def __init__(self, window_length: int, most_records: int, spread: Callable = map) -> None:
        """window_length in samples; spread is a `map` that may compute its items at the same time."""
        # FailFast: without it a body of a million wrong numbers would become a million errors before one is sent.
        number = Annotated[float, Strict(), AllowInfNan(False)]
        samples = Annotated[list[number], FailFast(), Len(window_length, window_length)]

        class Item(TypedDict):
            record: samples

        self.array, self.item = TypeAdapter(Annotated[list, Len(1)]), TypeAdapter(Item)
        self.window_length = window_length
        self.most_records = most_records
        self.spread = spread

    def read_json(self, body: bytes | bytearray) -> np.ndarray:
        """Read `[{"record": [numbers]}, ...]`; other keys beside `record` are ignored.

        Every number becomes np.float32(float(text)). The compiled reader takes the plain form alone and leaves the
        rest, right or wrong, to the validating one.
        """
        records = self.read_plain(body) if fast_records and not holds_more(body, self.most_records) else None
        return self.validate(body) if records is None else records

    def read_plain(self, body: bytes | bytearray) -> np.ndarray | None:
        """Read a body in the plain form, its spans at the same time; None where it is not in that form."""
        spans = split_plain(body)
        if not spans:
            return None
        if len(spans) == 1:
            return self.read_span(body, spans[0])
        parts = list(self.spread(partial(self.read_span, body), spans))
        return None if any(part is None for part in parts) else np.concatenate(parts)

    def read_span(self, body: bytes | bytearray, span: tuple[int, int, str]) -> np.ndarray | None:
        start, stop, terminator = span
        records = self.make_room(stop - start)
        count = fast_records.parse(body, start, stop, terminator, records, self.window_length)
        return None if count < 0 else records[:count]

    def make_room(self, size: int) -> np.ndarray:
        """Return an array for as many records as JSON of so many bytes can hold; what stays unused takes no memory."""
        shortest = len('{"record":[]}') + 2 * self.window_length - 1
        return np.empty((size // shortest + 1, self.window_length), dtype=np.float32)

    def validate(self, body: bytes | bytearray) -> np.ndarray:
        hint = f'; in the plain form [{{"record": [...]}}], up to {self.most_records:,}' if fast_records else ""
        with taking_turns(body), np.errstate(over="ignore"):
            items = conform(self.array, read_objects(body, hint))
            records = self.make_room(len(body))
            # One by one, each gone when it is read: pydantic makes another object, a float, of every integer.
            for index, item in enumerate(items):
                records[index] = conform(self.item, item, index)["record"]
                items[index] = None
            self.check_number(len(items))
            return records[: len(items)]

    def check_number(self, records: int) -> None:
        if records > self.most_records:
            raise TooManyRecordsError(f"{records:,} records came, expected {self.most_records:,} at most")

    def read_npy(self, body: bytes | bytearray) -> np.ndarray:
        """Read one array as np.save writes it: float32 or float64, little-endian, C order, (records, window_length)."""
        header = NPY_HEADER.match(body)
        start = header.end() if header else 0
        if not header or start != announced_start(body) or int(header["length"]) != self.window_length:
            expected = (
                "Body should be an array as np.save writes it: version 1.0 or 2.0, float32 or float64, little-endian, "
                f"in C order, of shape (records, {self.window_length})"
            )
            raise refusal("npy_invalid", [], expected, ascii(body[10:100]))
        dtype, records = np.dtype(header["dtype"].decode()), int(header["records"])
        size = records * self.window_length * dtype.itemsize
        if len(body) - start != size:
            raise refusal("npy_invalid", [], f"Header announces {size} bytes of samples", f"{len(body) - start} bytes")
        self.check_number(records)
        with np.errstate(over="ignore"):
            samples = np.frombuffer(body, dtype, offset=start).reshape(records, self.window_length)
            return np.require(samples, np.float32, ["C_CONTIGUOUS", "ALIGNED"])

    def are_few_json(self, body: bytes | bytearray) -> bool:
        """Return whether a JSON body holds so few records that they are answered on the event loop."""
        return len(body) < SMALL and not holds_more(body, FEW)

    def are_few_npy(self, body: bytes | bytearray) -> bool:
        """Return whether an .npy body holds so few records that they are answered on the event loop."""
        return len(body) <= LONGEST_HEADER + FEW * 4 * self.window_length


def holds_more(body: bytes | bytearray, records: int) -> bool:
    """Return whether a body in the plain form, where "{" stands before each record and nowhere else, holds more."""
    place = -1
    for _ in range(records + 1):  # find is many times as fast as count
        place = body.find(b"{", place + 1)
        if place < 0:
            return False
    return True


def split_plain(body: bytes | bytearray) -> list[tuple[int, int, str]]:
    """Return spans (start, stop, terminator) of a body in the plain form: whole records, some SPAN bytes each.

    In that form "{" stands nowhere but before a record; a body in another form fails in one of its spans.
    """
    first = body.find(b"{")
    if first < 0 or body[:first].strip(b" \t\r\n") != b"[":
        return []
    starts = [first]
    while (start := body.find(b"{", starts[-1] + SPAN)) >= 0:
        starts.append(start)
    spans = [(start, stop, ",") for start, stop in pairwise(starts)]
    return [*spans, (starts[-1], len(body), "]")]


def taking_turns(body: bytes | bytearray) -> AbstractContextManager:
    """Let one thread at a time read large JSON into objects; small JSON, which the event loop reads, never waits."""
    return READING if len(body) >= SMALL else nullcontext()


def read_objects(body: bytes | bytearray, hint: str = "") -> Any:
    """Return the objects of a JSON text. Raises InvalidRecordsError, or TooManyRecordsError with the hint."""
    if len(body) >= SMALL and weigh(body) > MOST_OBJECTS:
        words = f"{len(body):,} bytes of such JSON take too much memory: send fewer records at once, or binary ones"
        raise TooManyRecordsError(words + hint)
    try:
        return from_json(body)
    except ValueError as error:
        raise refusal("json_invalid", [], f"Invalid JSON: {error}", f"{len(body)} bytes") from None


def weigh(body: bytes | bytearray) -> int:
    """Return the bytes that the objects of a JSON text may take, long texts aside, which are bounded by the body."""
    sizes = {b",": 40, b"[": 80, b"{": 200, b'"': 36}
    weight = sum(size * body.count(mark) for mark, size in sizes.items())
    if weight > MOST_OBJECTS or (body.isascii() and b"\\" not in body):
        return weight
    # One emoji makes each character of its text four bytes.
    return weight + 8 * sum(text.end() - text.start() for text in TEXT.finditer(body))


def conform(adapter: TypeAdapter, value: Any, *place: int) -> Any:
    """Return the value as the adapter makes it. Raises InvalidRecordsError that names the place in the body."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InvalidRecordsError(describe(error, *place)) from None


def describe(error: ValidationError, *place: int) -> dict:
    """Return the first of pydantic's errors in FastAPI's form, in JSON's words, with what came cut to a size.

    place is that of the value with the error in the body.
    """
    first = error.errors(include_url=False)[0]
    details = {name: first[name] for name in ("type", "loc", "input", "ctx") if name in first}
    [mistake] = ValidationError.from_exception_data("", [details], input_type="json").errors(include_url=False)
    return {
        "type": mistake["type"],
        "loc": ["body", *place, *mistake["loc"]],
        "msg": mistake["msg"],
        "input": shorten(mistake["input"]),
    }


def shorten(value: Any) -> str | int | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    text = ascii(value) if not isinstance(value, bytes) else f"{len(value)} bytes"
    return text if len(text) <= 80 else f"{text[:80]}..."


def announced_start(body: bytes | bytearray) -> int:
    """Return where an .npy body says that its samples start."""
    size = 4 if body[6:7] == b"\2" else 2
    return 8 + size + int.from_bytes(body[8 : 8 + size], "little")


def have_answers(records: np.ndarray, least_variation: float) -> bool:
    """Return whether all records can be answered: all finite, and all varying by more than that share of their size."""
    variation, largest = measure(records)
    return bool((variation > least_variation * largest).all()) and bool(largest.max() < np.inf)


def check(records: np.ndarray, least_variation: float) -> None:
    """Raise InvalidRecordsError that names the first sample or record for which there is no answer."""
    finite = np.isfinite(records)
    if not finite.all():
        index, sample = np.argwhere(~finite)[0].tolist()
        expected = "Input should be a finite number that float32 holds, up to 3.4e38"
        raise refusal("finite_number", [index, "record", sample], expected, str(records[index, sample]))
    variation, largest = measure(records)
    constant = variation <= least_variation * largest
    if constant.any():
        index = int(constant.argmax())
        expected = f"Input should vary by more than {least_variation:g} of its largest value: this is a constant"
        came = f"values from {records[index].min():.6g} to {records[index].max():.6g}"
        raise refusal("constant", [index, "record"], expected, came)


def measure(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the variation (largest minus smallest) and the largest absolute value of each record, float64."""
    lowest, highest = records.min(axis=1).astype(np.float64), records.max(axis=1)
    return highest - lowest, np.maximum(-lowest, highest)


def refusal(kind: str, place: list[str | int], expected: str, came: str) -> InvalidRecordsError:
    return InvalidRecordsError({"type": kind, "loc": ["body", *place], "msg": expected, "input": came[:80]})
