"""The memory that the largest bodies take; `python -m tests.tools.soak` measures it in full."""

import pytest

from tests.tools.soak.largest import measure_peak
from tests.tools.soak.measured import check

pytestmark = pytest.mark.alone


@pytest.mark.parametrize(
    "name", ["JSON", "read JSON of integers with another key", "v2 JSON of long numbers", ".npy", "text to diagnose"]
)
def test_the_largest_bodies_leave_memory_bounded(name):
    check(measure_peak(name, turns=1))


def test_of_more_large_bodies_than_fit_as_many_as_fit_are_answered():
    check(measure_peak("JSON", clients=8, turns=2))
