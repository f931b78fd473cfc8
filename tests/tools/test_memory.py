"""The memory of a service that answers for half a minute; `python -m tests.tools.soak` measures it for longer."""

import pytest

from tests.tools.soak.growth import soak
from tests.tools.soak.measured import check

pytestmark = pytest.mark.alone


def test_memory_and_descriptors_do_not_grow():
    check(soak(30, 15_000, most_slope=5))
