"""What can be wrong with the records of a request, in the form of FastAPI's validation errors."""

from typing import Any

from pydantic import TypeAdapter, ValidationError


class InvalidRecordsError(ValueError):
    """The records cannot be answered; mistake describes the first reason as FastAPI's validation errors do."""

    def __init__(self, mistake: dict[str, Any]) -> None:
        super().__init__(mistake)
        self.mistake = mistake


class TooManyRecordsError(ValueError):
    """The request holds more than is answered at once; the message is written for the client."""


def invalid(kind: str, place: list[str | int], expected: str, came: str) -> InvalidRecordsError:
    """Return the error for a place in the body, given as keys and indices."""
    return InvalidRecordsError({"type": kind, "loc": ["body", *place], "msg": expected, "input": came[:80]})


def conform(adapter: TypeAdapter, value: Any, *place: int) -> Any:
    """Return the value as the adapter converts it. Raises InvalidRecordsError; place is where the value stands."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InvalidRecordsError(describe(error, *place)) from None


def describe(error: ValidationError, *place: int) -> dict[str, Any]:
    """Return the first of pydantic's errors in JSON's terms, with the input cut to a readable length.

    place is where the validated value stands in the body.
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
    """Return a value, or a description of it, that is short enough to be repeated in a message."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    text = ascii(value) if not isinstance(value, bytes) else f"{len(value)} bytes"
    return text if len(text) <= 80 else f"{text[:80]}..."
