"""Log lines wait in a bounded queue for a thread that writes them.

A write to a pipe blocks while its other end is not read. On the event loop that would stop every request, and at
exit it would keep the process alive.
"""

import atexit
import logging
import os
import sys
from collections.abc import Callable
from functools import cache
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue
from select import PIPE_BUF
from time import monotonic

MOST_WAITING = 64  # records, each of which may be a batch of lines
EXIT_TIMEOUT = 1.0  # s for what waits in all queues to be written when the process ends
STDOUT, STDERR = 1, 2  # file descriptors
LOGGERS = ("", "uvicorn", "uvicorn.access", "uvicorn.error", "fastapi")  # "" is the root: asyncio's errors get there


class DescriptorWriter:
    """Writes records to a file descriptor.

    QueueListener asks no more of a handler. A logging.Handler would hold its lock and its stream's while a write
    blocks, and the interpreter waits for both when it ends.
    """

    def __init__(self, descriptor: int, count_dropped: Callable[[int], None]) -> None:
        self.descriptor = descriptor
        self.count_dropped = count_dropped

    def handle(self, record: logging.LogRecord) -> None:
        data = f"{record.getMessage()}\n".encode(errors="backslashreplace")
        try:
            while data:
                # Writes of this size are not torn apart by another process that writes to the same pipe.
                end = data.rfind(b"\n", 0, PIPE_BUF) + 1 or PIPE_BUF
                data = data[os.write(self.descriptor, data[:end]) :]
        except OSError:  # the disk is full or the pipe is closed: requests are answered all the same
            self.count_dropped(data.count(b"\n"))


class LogQueue:
    """The lines that wait for one file descriptor, and the thread that writes them."""

    def __init__(self, descriptor: int, count_dropped: Callable[[int], None]) -> None:
        """count_dropped gets the lines of each record beyond MOST_WAITING, and those that could not be written."""
        self.queue: Queue[logging.LogRecord] = Queue(MOST_WAITING)
        self.count_dropped = count_dropped
        writer = DescriptorWriter(descriptor, count_dropped)
        QueueListener(self.queue, writer).start()  # in a daemon thread: it cannot hold the exit

    def write(self, text: str, lines: int) -> None:
        """Put a text of so many lines into the queue, or drop it."""
        self.put(logging.makeLogRecord({"msg": text, "lines": lines}))

    def put(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except Full:
            self.count_dropped(getattr(record, "lines", 1))

    def wait(self, seconds: float) -> None:
        """Wait so long at most until everything is written. QueueListener.stop() would wait without an end."""
        with self.queue.all_tasks_done:
            self.queue.all_tasks_done.wait_for(lambda: not self.queue.unfinished_tasks, seconds)


class BoundedQueueHandler(QueueHandler):
    """Formats records and puts them into a LogQueue."""

    def __init__(self, log_queue: LogQueue, formatter: logging.Formatter | None) -> None:
        super().__init__(log_queue.queue)
        self.log_queue = log_queue
        self.setFormatter(formatter)

    def enqueue(self, record: logging.LogRecord) -> None:
        self.log_queue.put(record)


opened: list[LogQueue] = []


@cache
def open_queue(descriptor: int, count_dropped: Callable[[int], None]) -> LogQueue:
    """Return the queue of a file descriptor, always the same; it is waited for when the process ends."""
    opened.append(LogQueue(descriptor, count_dropped))
    return opened[-1]


@atexit.register
def wait_for_opened() -> None:
    """Wait until everything is written, for EXIT_TIMEOUT at most for all queues together."""
    deadline = monotonic() + EXIT_TIMEOUT
    for queue in opened:
        queue.wait(max(deadline - monotonic(), 0))


def queue_server_logs(count_dropped: Callable[[int], None]) -> None:
    """Let the loggers of the server and of asyncio write through queues, in the format that they have."""
    for logger in map(logging.getLogger, LOGGERS):
        for handler in list(logger.handlers):
            if type(handler) is logging.StreamHandler and handler.stream in (sys.stdout, sys.stderr):
                descriptor = STDOUT if handler.stream is sys.stdout else STDERR
                logger.removeHandler(handler)
                logger.addHandler(BoundedQueueHandler(open_queue(descriptor, count_dropped), handler.formatter))
    if not logging.getLogger().handlers:  # logging's last resort would write to stderr at once
        handler = BoundedQueueHandler(open_queue(STDERR, count_dropped), None)
        handler.setLevel(logging.WARNING)
        logging.getLogger().addHandler(handler)
