"""From JSON text to Python objects, which take many times its size: one large text at a time, within a bound."""

import re
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import Any

from pydantic_core import from_json

from api.settings import settings
from api.window.mistakes import TooManyRecordsError, invalid

SMALL = 64 * 1024  # bytes of a text whose objects are neither measured nor made in turn
TURN = Lock()  # held while the objects of a larger text exist
SIZES = {b",": 40, b"[": 80, b"{": 200, b'"': 36}  # bytes of objects for each such mark, at most
TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # possessive: one pass without memory, whatever the body


def in_turn(body: bytes | bytearray) -> AbstractContextManager:
    """Return a lock, held for one large text at a time; a small one, which the event loop may read, never waits."""
    return TURN if len(body) >= SMALL else nullcontext()


def read_objects(body: bytes | bytearray, advice: str = "") -> Any:
    """Return the objects of a JSON text.

    Raises InvalidRecordsError where it is no JSON, and TooManyRecordsError, whose message ends with the advice, where
    its objects would take more memory than `max_objects` allows.
    """
    if len(body) >= SMALL and largest_size(body) > settings.max_objects:
        words = f"{len(body):,} bytes of such JSON take too much memory: send fewer records at once, or binary ones"
        raise TooManyRecordsError(words + advice)
    try:
        return from_json(body)
    except ValueError as error:
        raise invalid("json_invalid", [], f"Invalid JSON: {error}", f"{len(body)} bytes") from None


def largest_size(body: bytes | bytearray) -> int:
    """Return the bytes that the objects of a JSON text take at most, beside long strings of ASCII (the body's size)."""
    size = sum(each * body.count(mark) for mark, each in SIZES.items())
    if size > settings.max_objects or (body.isascii() and b"\\" not in body):
        return size
    # A character outside of the Basic Multilingual Plane makes each character of its string four bytes.
    return size + 8 * sum(text.end() - text.start() for text in TEXT.finditer(body))
