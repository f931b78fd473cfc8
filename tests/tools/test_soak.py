"""The long run's measurements, short; `python -m tests.tools.soak` runs them in full."""

import pytest

from tests.tools import soak


def check(measured: soak.Measured) -> None:
    assert measured.kept, measured


def test_a_full_queue_says_when_to_come_again():
    check(soak.fill_the_queue(4))


def test_slow_senders_hold_up_nobody():
    check(soak.hold_slow_sockets(8))


@pytest.mark.parametrize("command", [soak.PLAIN, soak.BARE], ids=["python -m api", "uvicorn"])
def test_a_stop_under_load_breaks_no_accepted_request(command):
    check(soak.stop_under_load(3, command))


@pytest.mark.parametrize(
    "name", ["JSON", "read JSON of integers with another key", "v2 JSON of long numbers", ".npy", "text to diagnose"]
)
def test_the_largest_bodies_leave_memory_bounded(name):
    check(soak.measure_peak(name, turns=2))


def test_of_a_crowd_of_the_largest_bodies_some_are_answered():
    check(soak.measure_peak("JSON", senders=8))


def test_over_two_minutes_nothing_grows():
    check(soak.soak(120))


def test_a_killed_child_is_replaced():
    check(soak.kill_the_child(1))


def test_it_is_ready_soon():
    check(soak.time_starts(3))


def test_a_record_gets_the_same_answer_in_any_batch():
    check(soak.compare_batches())
