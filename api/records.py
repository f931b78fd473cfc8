"""From a request's bytes to an array of records, or to errors that say what came and what was expected."""

from typing import Annotated, Any

import numpy as np
from annotated_types import Len
from pydantic import AllowInfNan, FailFast, Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

MOST_ERRORS = 20
FLAT = 1e-5  # a record whose values differ by less than this share of their size carries no vibration


class InvalidRecordsError(ValueError):
    """A request that cannot be answered; errors holds one entry a mistake, in FastAPI's form."""

    def __init__(self, errors: list[dict]) -> None:
        super().__init__(errors)
        self.errors = errors


class RecordReader:
    """Read `[{"record": [window_length numbers]}, ...]`; other keys beside `record` are ignored."""

    def __init__(self, window_length: int) -> None:
        number = Annotated[float, Strict(), AllowInfNan(False)]
        samples = Annotated[list[number], FailFast(), Len(window_length, window_length)]

        class Item(TypedDict):
            record: samples

        self.adapter = TypeAdapter(Annotated[list[Item], Len(1)])

    def __call__(self, body: bytes) -> np.ndarray:
        """Return float32 (records, window_length). Raises InvalidRecordsError."""
        try:
            items = self.adapter.validate_json(body)
        except ValidationError as error:
            raise InvalidRecordsError([describe(mistake) for mistake in error.errors()[:MOST_ERRORS]]) from None
        with np.errstate(over="ignore"):
            records = np.array([item["record"] for item in items], dtype=np.float32)
        check(records)
        return records


def describe(mistake: dict) -> dict:
    """Return one of pydantic's errors in FastAPI's form, with what came cut to a size that can be sent back."""
    return {
        "type": mistake["type"],
        "loc": ["body", *mistake["loc"]],
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


def check(records: np.ndarray) -> None:
    """Refuse records that float32 cannot hold and records without vibration, from which no z-score can be formed."""
    too_large = np.isinf(records).any(axis=1)
    lowest, highest = records.min(axis=1).astype(np.float64), records.max(axis=1).astype(np.float64)
    flat = ~too_large & (highest - lowest <= FLAT * np.maximum(np.abs(lowest), np.abs(highest)))
    errors = [refuse(records, index, "too_large") for index in np.flatnonzero(too_large)]
    errors += [refuse(records, index, "constant") for index in np.flatnonzero(flat)]
    if errors:
        raise InvalidRecordsError(errors[:MOST_ERRORS])


def refuse(records: np.ndarray, index: int, kind: str) -> dict:
    if kind == "too_large":
        sample = int(np.isinf(records[index]).argmax())
        expected, came = "Input should be a number that float32 holds (up to 3.4e38)", f"sample {sample} is beyond it"
    else:
        expected = f"Input should vary by more than {FLAT:g} of its largest value: a constant record has no vibration"
        came = f"values from {records[index].min():.6g} to {records[index].max():.6g}"
    return {"type": kind, "loc": ["body", int(index), "record"], "msg": expected, "input": came}
