"""From a request's bytes to an array of records, or to errors that say what came and what was expected."""

from typing import Annotated, Any

import numpy as np
from annotated_types import Len
from pydantic import AllowInfNan, FailFast, Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12


class InvalidRecordsError(ValueError):
    """A request that cannot be answered; mistake is the first thing wrong with it, in FastAPI's form."""

    def __init__(self, mistake: dict) -> None:
        super().__init__(mistake)
        self.mistake = mistake


class RecordReader:
    """Read `[{"record": [window_length numbers]}, ...]`; other keys beside `record` are ignored."""

    def __init__(self, window_length: int, least_variation: float) -> None:
        # FailFast: without it a body of a million wrong numbers would become a million errors before one is sent.
        number = Annotated[float, Strict(), AllowInfNan(False)]
        samples = Annotated[list[number], FailFast(), Len(window_length, window_length)]

        class Item(TypedDict):
            record: samples

        self.adapter = TypeAdapter(Annotated[list[Item], FailFast(), Len(1)])
        self.least_variation = least_variation

    def __call__(self, body: bytes) -> np.ndarray:
        """Return float32 (records, window_length). Raises InvalidRecordsError."""
        try:
            items = self.adapter.validate_json(body)
        except ValidationError as error:
            raise InvalidRecordsError(describe(error.errors()[0])) from None
        with np.errstate(over="ignore"):
            records = np.array([item["record"] for item in items], dtype=np.float32)
        check(records, self.least_variation)
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


def check(records: np.ndarray, least_variation: float) -> None:
    """Refuse records that float32 cannot hold, and records without vibration, from which no z-score can be formed."""
    lowest, highest = records.min(axis=1).astype(np.float64), records.max(axis=1).astype(np.float64)
    largest = np.maximum(np.abs(lowest), np.abs(highest))
    if np.isinf(largest).any():
        index = int(np.isinf(largest).argmax())
        sample = int(np.isinf(records[index]).argmax())
        expected = "Input should be a number that float32 holds, up to 3.4e38"
        refuse(index, "too_large", expected, f"sample {sample} is beyond it")
    constant = highest - lowest <= least_variation * largest
    if constant.any():
        index = int(constant.argmax())
        expected = f"Input should vary by more than {least_variation:g} of its largest value: this is a constant"
        refuse(index, "constant", expected, f"values from {lowest[index]:.6g} to {highest[index]:.6g}")


def refuse(index: int, kind: str, expected: str, came: str) -> None:
    raise InvalidRecordsError({"type": kind, "loc": ["body", index, "record"], "msg": expected, "input": came})
