"""The soak's measurements, half a minute of each at most; `python -m tests.tools.soak` runs them in full.

A limit of time (`in_time`) is asserted there alone: it depends on what else the machine does. Memory is measured in
test_memory.py and test_bodies.py: a file a core.
"""

import pytest

from tests.tools.soak.batches import compare_batches
from tests.tools.soak.full_queue import fill_the_queue
from tests.tools.soak.health import measure_health
from tests.tools.soak.kill import kill_the_child
from tests.tools.soak.measured import check
from tests.tools.soak.service import BARE, PLAIN
from tests.tools.soak.slow_clients import hold_slow_connections
from tests.tools.soak.stop import stop_under_load

pytestmark = pytest.mark.alone


def test_a_full_queue_answers_503_with_retry_after():
    check(fill_the_queue(4))


def test_slow_clients_do_not_delay_others():
    check(hold_slow_connections(8))


def test_health_is_answered_beside_large_requests():
    check(measure_health(100))


@pytest.mark.parametrize("command", [PLAIN, BARE], ids=["python -m api", "uvicorn"])
def test_a_stop_under_load_breaks_no_accepted_request(command):
    check(stop_under_load(1, command))


def test_a_killed_child_is_replaced():
    check(kill_the_child(1))


def test_a_record_gets_the_same_answer_in_any_batch():
    check(compare_batches(60))
