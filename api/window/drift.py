"""The drift of the input: how far the roughness of recent records lies from that of the training windows."""

from time import perf_counter

import numpy as np
from prometheus_client import CollectorRegistry, Gauge

from model.window.drift import log_roughness

SAMPLED = 8  # records of a request that are looked at: enough for the mean, and they take microseconds
INTERVAL = 0.05  # s between two requests that are looked at
MEMORY = 1_000  # records over which the mean is taken


class Drift:
    """A gauge in Prometheus' registry, moved by the records that are answered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.gauge = Gauge(
            "input_drift",
            "Distance of the recent records' mean roughness from that of the training windows, in the training "
            "windows' standard deviations; docs/service.md says how to read it",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.reference: dict[str, float] | None = None  # mean and deviation over the training windows, of the graph
        self.mean = 0.0
        self.seen = 0  # records that the mean is of
        self.next_look = 0.0

    def watch(self, records: np.ndarray) -> None:
        """Take some of a request's records, (records, samples), into the mean, at most once in INTERVAL."""
        now = perf_counter()
        if self.reference is None or now < self.next_look:
            return
        self.next_look = now + INTERVAL
        deviations = (log_roughness(records[:SAMPLED]) - self.reference["mean"]) / self.reference["deviation"]
        self.seen += len(deviations)
        weight = len(deviations) / min(self.seen, MEMORY)  # the first MEMORY records make a plain mean
        self.mean += weight * (float(deviations.mean()) - self.mean)
        self.gauge.set(abs(self.mean))
