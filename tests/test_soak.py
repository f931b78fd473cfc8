"""The long run's measurements, short; `python -m tests.soak` runs them in full."""

import pytest

from tests import soak


def test_a_full_queue_says_when_to_come_again():
    measured = soak.fill_the_queue(4)
    assert measured.kept, measured


def test_slow_senders_hold_up_nobody():
    measured = soak.hold_slow_sockets(8)
    assert measured.kept, measured


@pytest.mark.parametrize("command", [soak.PLAIN, soak.BARE], ids=["python -m api", "uvicorn"])
def test_a_stop_under_load_breaks_no_accepted_request(command):
    measured = soak.stop_under_load(3, command)
    assert measured.kept, measured


@pytest.mark.parametrize(
    "name", ["JSON", "read JSON of integers with another key", "v2 JSON of long numbers", ".npy", "text to diagnose"]
)
def test_the_largest_bodies_leave_memory_bounded(name):
    measured = soak.measure_peak(name, turns=2)
    assert measured.kept, measured


def test_of_a_crowd_of_the_largest_bodies_some_are_answered():
    measured = soak.measure_peak("JSON", senders=8)
    assert measured.kept, measured


def test_over_two_minutes_nothing_grows():
    measured = soak.soak(120)
    assert measured.kept, measured


def test_a_killed_child_is_replaced():
    measured = soak.kill_the_child(1)
    assert measured.kept, measured


def test_it_is_ready_soon():
    measured = soak.time_starts(3)
    assert measured.kept, measured


def test_a_record_gets_the_same_answer_in_any_batch():
    measured = soak.compare_batches()
    assert measured.kept, measured
