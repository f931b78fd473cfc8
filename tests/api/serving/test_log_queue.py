import logging
import os

from api.serving.log_queue import MOST_WAITING, BoundedQueueHandler, LogQueue


def test_lines_are_written_in_order():
    reader, writer = os.pipe()
    queue = LogQueue(writer, lambda _: None)
    for number in range(10):
        queue.write(f"line {number}", 1)
    queue.wait()
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
    queue.wait()
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
    queue.wait()
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    assert text.startswith("ERROR: request 17\nTraceback")
    assert text.endswith("ValueError: broken\n")
