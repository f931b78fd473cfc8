"""What Prometheus is told of machines."""

from prometheus_client import CollectorRegistry

from api.machine.metrics import MachineMetrics
from tests.api.machine.conftest import POINT, fill


def test_levels_recordings_changes_replays_and_deliveries_are_told(store, life):
    registry = CollectorRegistry()
    store.metrics, store.receivers = MachineMetrics(registry), ("webhook",)
    store.put_point("mill", "drive-end", **POINT)
    fill(store, [*life[1:], life[0]])
    store.metrics.refresh(store.engine, store.receivers)
    told = registry.get_sample_value
    assert told("machine_points", {"level": "alarm"}) == 1
    assert told("machine_points", {"level": "learning"}) == 1
    assert told("machine_points", {"level": "sensor"}) == 0
    assert told("machine_recordings_total") == len(life)
    assert told("machine_replay_seconds_count") == 1
    assert told("alarm_changes", {"kind": "raised", "level": "alarm"}) == 1
    assert told("alarm_deliveries_waiting", {"receiver": "webhook"}) >= 3
    assert told("alarm_deliveries_failing", {"receiver": "webhook"}) == 0


def test_the_metrics_are_shown_with_the_others(client):
    assert "machine_points" in client.get("/metrics").text
