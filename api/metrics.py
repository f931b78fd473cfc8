"""What `GET /metrics` tells Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from model.drift import log_roughness

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
PATHS = ("/batch_predict/", "/diagnose/", "/v2/", "/model/", "/metrics", "/health/live", "/health/ready")
WATCHED = 8  # records of a request whose roughness is looked at: enough, and it takes microseconds
MEMORY = 1_000  # records over which the drift is averaged


class Metrics:
    """Counters and times; every method may be called from any thread."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("requests", "Requests answered", ["path", "method", "status"], registry=registry)
        self.seconds = Histogram(
            "request_seconds",
            "From the first byte to the finished answer",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self.stages = Histogram(
            "stage_seconds",
            "Of a request: read (until its body was whole), queue (until it was taken up); of a batch of requests: "
            "parse, network",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self.batch = Histogram("batch_records", "Records computed together", buckets=RECORDS, registry=registry)
        self.predictions = Counter(
            "predictions", "Windows (/batch_predict/, /v2/) and recordings (/diagnose/) by what they were called",
            ["path", "label"], registry=registry,
        )  # fmt: skip
        self.buffered = Gauge("buffered_bytes", "Bytes of requests that have come in and wait", registry=registry)
        self.queued = Gauge("queued_requests", "Whole requests without an answer", registry=registry)
        self.drift = Gauge(
            "input_drift",
            "How far the last records' roughness lies from the training windows', in their standard deviations: "
            "beyond 1 the sensor, its mounting, the sampling rate or the machine is another one",
            registry=registry,
        )
        self.reference: dict[str, float] | None = None
        self.mean_roughness = 0.0

    def watch(self, records: np.ndarray) -> None:
        """Take some of a request's records (records, samples) into the drift."""
        if self.reference is None:
            return
        deviation = (log_roughness(records[:WATCHED]) - self.reference["mean"]) / self.reference["deviation"]
        weight = min(len(deviation) / MEMORY, 1)
        self.mean_roughness += weight * (float(deviation.mean()) - self.mean_roughness)
        self.drift.set(abs(self.mean_roughness))

    def count(self, path: str, labels: list[str], best: np.ndarray) -> None:
        """Count predictions; best (records,) are indices of labels."""
        for label, number in zip(labels, np.bincount(best, minlength=len(labels)).tolist(), strict=True):
            if number:
                self.predictions.labels(path, label).inc(number)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.stages.labels(stage).observe(perf_counter() - start)

    def note(self, path: str, method: str, status: int, seconds: float) -> None:
        known = next((each for each in PATHS if path.startswith(each)), "other")
        self.requests.labels(known, method, status).inc()
        self.seconds.labels(known).observe(seconds)

    def show(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)
