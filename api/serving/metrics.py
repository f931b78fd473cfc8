"""What `GET /metrics` tells Prometheus."""

import os
from collections import Counter as Counted
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from api.settings import SHARED_METRICS

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")


class Times:
    """A histogram of seconds by one label, which sorts what it was given when it is told to settle.

    Prometheus' own takes a lock and looks for the bucket at each observation; this appends to a queue.
    """

    def __init__(self, name: str, documentation: str, label: str, registry: CollectorRegistry) -> None:
        self.histogram = Histogram(name, documentation, [label], buckets=SECONDS, registry=registry)
        self.waiting: deque[tuple[str, float]] = deque()
        self.lock = Lock()

    def observe(self, label: str, seconds: float) -> None:
        self.waiting.append((label, seconds))

    def settle(self) -> None:
        """Sort what waits into its buckets: a bucket holds what is not above its upper end."""
        with self.lock:
            found: dict[str, list[float]] = {}
            for _ in range(len(self.waiting)):
                label, seconds = self.waiting.popleft()
                found.setdefault(label, []).append(seconds)
            for label, times in found.items():
                child = self.histogram.labels(label)
                # The library has no public name for adding many observations at once (prometheus-client 0.26).
                for bucket, count in zip(child._buckets, count_times(times), strict=True):
                    if count:
                        bucket.inc(count)
                child._sum.inc(sum(times))


def count_times(times: list[float]) -> list[int]:
    """Return how many times (s) lie in each bucket, the last of which has no upper end."""
    return np.bincount(np.searchsorted(SECONDS, times), minlength=len(SECONDS) + 1).tolist()


class Metrics:
    """Counters and times; every method may be called from any thread."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("requests", "Requests answered", ["path", "method", "status"], registry=registry)
        self.seconds = Times("request_seconds", "From the first byte to the finished answer", "path", registry)
        self.stages = Times(
            "stage_seconds",
            "Of a request: read (until its body was whole), queue (until it was taken up); of a batch of requests to "
            "/batch_predict/, and of each to /v2/: parse, network; of each to /diagnose/: diagnose (the recording "
            "worker's part)",
            "stage",
            registry,
        )
        self.answered: deque[tuple[str, str, int]] = deque()  # path, method and status of responses to be counted
        self.batch = Histogram("batch_records", "Records computed together", buckets=RECORDS, registry=registry)
        self.predictions = Counter(
            "predictions", "Windows (/batch_predict/, /v2/) and recordings (/diagnose/, JSON) by what they were called",
            ["path", "label"], registry=registry,
        )  # fmt: skip
        self.buffered = Gauge("buffered_bytes", "Bytes of request bodies that are held in memory", registry=registry,
                              multiprocess_mode="livesum")  # fmt: skip
        self.queued = Gauge("queued_requests", "Complete requests without a response", registry=registry,
                            multiprocess_mode="livesum")  # fmt: skip
        self.followed: list[tuple[Gauge, Callable[[], float]]] = []  # gauges, and what tells their values
        self.dropped_lines = Counter(
            "log_lines_dropped",
            "Lines of the log that were dropped: it is not read, or a write failed",
            registry=registry,
        )
        self.paths: tuple[str, ...] = ()  # that are told apart, prefixes first; the app sets them from its routes
        self.children: dict[tuple, Any] = {}  # of metrics with labels; the library's own look-up takes longer

    def count(self, path: str, labels: list[str], best: np.ndarray) -> None:
        """Count predictions; best (records,) are indices of labels."""
        for label, number in zip(labels, np.bincount(best, minlength=len(labels)).tolist(), strict=True):
            if number:
                self.child(self.predictions, path, label).inc(number)

    def count_recording(self, path: str, label: str) -> None:
        self.child(self.predictions, path, label).inc()

    def time(self, stage: str, seconds: float) -> None:
        self.stages.observe(stage, seconds)

    def child(self, metric: Any, *labels: Any) -> Any:
        key = (metric, *labels)
        if key not in self.children:
            self.children[key] = metric.labels(*labels)
        return self.children[key]

    def count_request(self, path: str, method: str, status: int, seconds: float) -> None:
        """Count a response, under its path where the app serves that path, else as `other`."""
        known = path if path in self.paths else next((each for each in self.paths if path.startswith(each)), "other")
        self.answered.append((known, method if method in METHODS else "other", status))
        self.seconds.observe(known, seconds)

    def settle(self) -> None:
        """Count what has happened since the last time: many requests at once cost little more than one."""
        answered = Counted(self.answered.popleft() for _ in range(len(self.answered)))
        for labels, number in answered.items():
            self.child(self.requests, *labels).inc(number)
        self.seconds.settle()
        self.stages.settle()
        for gauge, tell in self.followed:
            gauge.set(tell())

    def show(self) -> bytes:
        """Return all of it in Prometheus' text format: of all processes, where there are several."""
        self.settle()
        if SHARED_METRICS not in os.environ:
            return generate_latest(self.registry)
        forget_ended(Path(os.environ[SHARED_METRICS]))
        every = CollectorRegistry()
        MultiProcessCollector(every)
        return generate_latest(every)


def forget_ended(folder: Path) -> None:
    """Delete the gauges of processes that have ended; what they counted stays."""
    for file in folder.glob("gauge_live*.db"):
        number = int(file.stem.rpartition("_")[2])
        with suppress(PermissionError):  # it lives, under another user
            try:
                os.kill(number, 0)
            except ProcessLookupError:
                mark_process_dead(number)


def list_paths(document: dict[str, Any], prefixes: Collection[str]) -> tuple[str, ...]:
    """Return the prefixes, and the document's paths that lie under none of them."""
    others = (path for path in document["paths"] if not path.startswith(tuple(prefixes)))
    return (*prefixes, *others)


router = APIRouter()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def show_metrics(request: Request) -> Response:
    """Tell Prometheus of requests, their stages, predictions, and the drift of the input."""
    return Response(request.app.state.metrics.show(), media_type="text/plain; version=0.0.4; charset=utf-8")
