"""What Prometheus is told of machines."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from api.machine.database import for_reading
from api.machine.tables import LEVELS, Change, Delivery, Point

REPLAY_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


class MachineMetrics:
    """Counters that the store moves, and gauges that `refresh` reads from it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Of several processes on one store, the one that read it last tells.
        gauge = partial(Gauge, registry=registry, multiprocess_mode="livemostrecent")
        self.points = gauge("machine_points", "Points by the level they are at", ["level"])
        self.waiting = gauge("alarm_deliveries_waiting", "Changes that a receiver has yet to take", ["receiver"])
        self.failing = gauge(
            "alarm_deliveries_failing", "Of these, those that it did not take at least once", ["receiver"]
        )
        self.recordings = Counter("machine_recordings", "Recordings stored", registry=registry)
        self.changes = gauge("alarm_changes", "Changes of alarms in the history", ["kind", "level"])
        self.replays = Histogram("machine_replay_seconds", "Replays of a point's recordings", buckets=REPLAY_SECONDS,
                                 registry=registry)  # fmt: skip

    def refresh(self, engine: Engine, receivers: tuple[str, ...]) -> None:
        """Read how many points are at each level, what became of alarms, and what waits in the outbox."""
        with Session(for_reading(engine)) as session:
            levels = dict(session.execute(select(Point.level, func.count()).group_by(Point.level)).tuples().all())
            waits = select(Delivery.receiver, func.count(), func.count().filter(Delivery.tries > 0))
            waiting = session.execute(waits.group_by(Delivery.receiver)).all()
            happened = select(Change.kind, Change.level, func.count()).group_by(Change.kind, Change.level)
            changes = session.execute(happened).all()
        for kind, level, count in changes:
            self.changes.labels(kind, level).set(count)
        for level in LEVELS:
            self.points.labels(level).set(levels.get(level, 0))
        known = {name: (count, failed) for name, count, failed in waiting}
        for name in receivers:
            count, failed = known.get(name, (0, 0))
            self.waiting.labels(name).set(count)
            self.failing.labels(name).set(failed)
