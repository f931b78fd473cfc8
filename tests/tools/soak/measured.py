"""What one measurement of the soak asked for and found."""

from typing import NamedTuple


class Measured(NamedTuple):
    """`kept` holds on any machine; `in_time` is the limit of a quiet one, which no test asserts."""

    asked: str
    came: str
    kept: bool
    in_time: bool = True


def check(measured: Measured) -> None:
    """Fail a test where what holds on any machine does not."""
    assert measured.kept, measured
