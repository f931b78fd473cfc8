"""From the bytes of a request's body to an array of records."""

import logging
import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Annotated

import numpy as np
from annotated_types import Len
from pydantic import AllowInfNan, FailFast, Strict, TypeAdapter
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from api.window.json_objects import SMALL, in_turn, read_objects
from api.window.mistakes import TooManyRecordsError, conform, invalid

try:
    import fast_records
except ImportError:  # installed without a compiler: the validating reader reads everything
    fast_records = None

log = logging.getLogger("uvicorn.error")

SPAN = 1 << 20  # bytes that one thread parses at a time
LONGEST_HEADER = 4096  # bytes; np.save writes 128 for a plain array
FEW = 2  # records that are answered on the event loop
NPY_HEADER = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|\x02\x00....)"
    rb"\{'descr': ?'(?P<dtype><f[48])', ?'fortran_order': ?False, ?"
    rb"'shape': ?\((?P<records>[1-9][0-9]{0,8}), ?(?P<length>[1-9][0-9]{0,8}),?\),? ?\} {0,3900}\n",
    re.DOTALL,
)
Body = bytes | bytearray


def warn_without_compiled_reader() -> None:
    """Say once at start that JSON takes longer than it needs to."""
    if fast_records is None:
        log.warning("the compiled reader is not installed: JSON is read by the slower one, see docs/window.md")


class RecordReader:
    """Reads records, as JSON or .npy, into float32 (records, window_length).

    Raises InvalidRecordsError or TooManyRecordsError before it takes memory for what will not be answered. Whether the
    numbers can be answered is checked afterwards, by api.window.checks.
    """

    def __init__(self, window_length: int, most_records: int, parallel_map: Callable = map) -> None:
        """window_length in samples; parallel_map is a `map` that may compute its items at the same time."""
        # FailFast: without it a body of a million wrong numbers would make a million errors before one is sent.
        number = Annotated[float, Strict(), AllowInfNan(False)]
        samples = Annotated[list[number], FailFast(), Len(window_length, window_length)]

        class Item(TypedDict):
            record: samples

        self.array, self.item = TypeAdapter(Annotated[list, Len(1)]), TypeAdapter(Item)
        self.window_length = window_length
        self.most_records = most_records
        self.parallel_map = parallel_map

    def read_json(self, body: Body) -> np.ndarray:
        """Read `[{"record": [numbers]}, ...]`; other keys beside `record` are ignored.

        Every number becomes np.float32(float(text)). The compiled reader reads the plain form alone; every other body,
        valid or not, goes to the validating reader.
        """
        records = self.read_plain(body) if fast_records and not holds_more(body, self.most_records) else None
        return self.validate(body) if records is None else records

    def read_plain(self, body: Body) -> np.ndarray | None:
        """Return the records of a body in the plain form, its spans read in parallel; None for another form."""
        spans = split_plain(body)
        if not spans:
            return None
        if len(spans) == 1:
            return self.read_span(body, spans[0])
        parts = list(self.parallel_map(partial(self.read_span, body), spans))
        return None if any(part is None for part in parts) else np.concatenate(parts)

    def read_span(self, body: Body, span: tuple[int, int, str]) -> np.ndarray | None:
        start, stop, terminator = span
        records = self.allocate(stop - start)
        count = fast_records.parse(body, start, stop, terminator, records, self.window_length)
        return None if count < 0 else records[:count]

    def allocate(self, size: int) -> np.ndarray:
        """Return an array for the most records that JSON of size bytes can hold; rows never written take no memory."""
        shortest = len('{"record":[]}') + 2 * self.window_length - 1
        return np.empty((size // shortest + 1, self.window_length), dtype=np.float32)

    def validate(self, body: Body) -> np.ndarray:
        """Read any JSON body through pydantic, slower and with more memory than the compiled reader."""
        advice = f'; in the plain form [{{"record": [...]}}], up to {self.most_records:,}' if fast_records else ""
        with in_turn(body), np.errstate(over="ignore"):
            items = conform(self.array, read_objects(body, advice))
            records = self.allocate(len(body))
            # Each item is dropped once it is read: pydantic makes another object, a float, of every integer.
            for index, item in enumerate(items):
                records[index] = conform(self.item, item, index)["record"]
                items[index] = None
            self.check_count(len(items))
            return records[: len(items)]

    def check_count(self, records: int) -> None:
        if records > self.most_records:
            raise TooManyRecordsError(f"{records:,} records came, expected {self.most_records:,} at most")

    def read_npy(self, body: Body) -> np.ndarray:
        """Read one array as np.save writes it: float32 or float64, little-endian, C order, (records, window_length)."""
        header = NPY_HEADER.match(body)
        start = header.end() if header else 0
        if not header or start != announced_start(body) or int(header["length"]) != self.window_length:
            expected = (
                "Body should be an array as np.save writes it: version 1.0 or 2.0, float32 or float64, little-endian, "
                f"in C order, of shape (records, {self.window_length})"
            )
            raise invalid("npy_invalid", [], expected, ascii(body[10:100]))
        dtype, records = np.dtype(header["dtype"].decode()), int(header["records"])
        size = records * self.window_length * dtype.itemsize
        if len(body) - start != size:
            raise invalid("npy_invalid", [], f"Header announces {size} bytes of samples", f"{len(body) - start} bytes")
        self.check_count(records)
        with np.errstate(over="ignore"):
            samples = np.frombuffer(body, dtype, offset=start).reshape(records, self.window_length)
            if samples.dtype == np.float32 and samples.flags.aligned:  # np.require takes longer to see this
                return samples
            return np.require(samples, np.float32, ["C_CONTIGUOUS", "ALIGNED"])

    def are_few_json(self, body: Body) -> bool:
        """Return whether a JSON body holds so few records that they are answered on the event loop."""
        return len(body) < SMALL and not holds_more(body, FEW)

    def are_few_npy(self, body: Body) -> bool:
        """Return whether an .npy body holds so few records that they are answered on the event loop."""
        return len(body) <= LONGEST_HEADER + FEW * 4 * self.window_length


def holds_more(body: Body, records: int) -> bool:
    """Return whether a body in the plain form, where "{" stands only before each record, holds more records."""
    place = -1
    for _ in range(records + 1):  # find is many times faster than count
        place = body.find(b"{", place + 1)
        if place < 0:
            return False
    return True


def split_plain(body: Body) -> list[tuple[int, int, str]]:
    """Return spans (start, stop, terminator) of a body in the plain form: whole records, some SPAN bytes each.

    In that form "{" stands only before a record; a body in another form fails in one of its spans.
    """
    first = body.find(b"{")
    if first < 0 or body[:first].strip(b" \t\r\n") != b"[":
        return []
    starts = [first]
    while (start := body.find(b"{", starts[-1] + SPAN)) >= 0:
        starts.append(start)
    spans = [(start, stop, ",") for start, stop in pairwise(starts)]
    return [*spans, (starts[-1], len(body), "]")]


def announced_start(body: Body) -> int:
    """Return where an .npy body says that its samples start."""
    size = 4 if body[6:7] == b"\2" else 2
    return 8 + size + int.from_bytes(body[8 : 8 + size], "little")
