"""Bodies of requests for the tests of the readers."""

import io
import json
import tracemalloc
from collections.abc import Callable

import numpy as np

from api.settings import settings

LENGTH = 2048
MOST = settings.max_records
GOOD = np.sin(np.arange(LENGTH) / 7).round(4).tolist()
RECORDS = np.stack([GOOD, np.cos(np.arange(LENGTH) / 3)])
JSON, NPY = {"Content-Type": "application/json"}, {"Content-Type": "application/x-npy"}


def request(*records) -> bytes:
    return json.dumps([{"record": record} for record in records]).encode()


def with_value(text: str, sample: int = 5) -> bytes:
    """A request whose only record holds the text, to the letter, at one sample."""
    numbers = [str(value) for value in GOOD]
    numbers[sample] = text
    return f'[{{"record": [{", ".join(numbers)}]}}]'.encode()


def npy(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


def peak_of(work: Callable) -> int:
    """Return the bytes that Python's objects take at most while the work is done."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
