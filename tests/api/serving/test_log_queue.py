import logging
import os

from api.__main__ import GRACE
from api.serving import log_queue, shutdown
from api.serving.log_queue import EXIT_TIMEOUT, MOST_WAITING, BoundedQueueHandler, LogQueue


def test_lines_are_written_in_order():
    reader, writer = os.pipe()
    queue = LogQueue(writer, lambda _: None)
    for number in range(10):
        queue.write(f"line {number}", 1)
    queue.wait(10)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read().splitlines() == [f"line {number}" for number in range(10)]


def test_lines_beyond_the_bound_are_dropped_and_counted():
    reader, writer = os.pipe()
    dropped = []
    queue = LogQueue(writer, dropped.append)
    for _ in range(MOST_WAITING + 5):
        queue.write("x" * 100_000, 3)  # more than a pipe holds: the first write blocks
    assert sum(dropped) >= 3 * 4
    assert set(dropped) == {3}
    os.close(reader)  # every write fails from now on, and what waits is gone
    queue.wait(10)
    os.close(writer)


def test_a_record_keeps_its_format_and_its_traceback():
    reader, writer = os.pipe()
    queue = LogQueue(writer, lambda _: None)
    logger = logging.Logger("alone")
    logger.addHandler(BoundedQueueHandler(queue, logging.Formatter("%(levelname)s: %(message)s")))
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("request %s", 17)
    queue.wait(10)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    assert text.startswith("ERROR: request 17\nTraceback")
    assert text.endswith("ValueError: broken\n")


def test_lines_that_cannot_be_written_are_counted():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    dropped = []
    queue = LogQueue(writer, dropped.append)
    queue.write("\n".join(["first", "x" * 1_000_000, "third"]), 3)  # more than a pipe holds
    queue.wait(10)
    assert dropped == [2]
    os.close(reader)
    queue.write("one\ntwo", 2)
    queue.wait(10)
    assert dropped == [2, 2]
    os.close(writer)


def test_all_queues_together_get_one_time_at_exit(monkeypatch):
    now, waits = [100.0], []

    class Stuck:
        def wait(self, seconds):
            waits.append(seconds)
            now[0] += seconds

    monkeypatch.setattr(log_queue, "monotonic", lambda: now[0])
    monkeypatch.setattr(log_queue, "opened", [Stuck(), Stuck()])
    log_queue.wait_for_opened()
    assert waits == [EXIT_TIMEOUT, 0]


def test_the_process_ends_within_ten_seconds_of_a_sigterm():
    before = shutdown.NOTICE + shutdown.MOST_CHECKS * shutdown.INTERVAL
    assert before + GRACE + EXIT_TIMEOUT < 10
