"""What one measurement of the soak asked for and found."""

from typing import NamedTuple


class Measured(NamedTuple):
    """`kept` holds on any machine; `in_time` is the limit of a quiet one, which no test asserts."""

    asked: str
    came: str
    kept: bool
    in_time: bool = True
