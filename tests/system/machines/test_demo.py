"""The demonstration fleet: a machine's past with a fault, a repair and what people said of it."""

from datetime import UTC, datetime

import pytest
import requests

from pipeline import params
from tests.conftest import running
from tests.tools import demo


@pytest.fixture
def url(tmp_path):
    with running(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/machines.sqlite") as url:
        yield url


def test_a_fault_is_alarmed_acknowledged_and_repaired(url, monkeypatch):
    monkeypatch.setattr(demo, "TURNS", 160)
    number = [plan.name for plan in demo.FLEET].index("exhaust-fan-1")
    sent = []
    population = params.load("simulate")["population"]
    demo.fill(url, number, end=datetime(2026, 6, 1, tzinfo=UTC), population=population, advance=lambda: sent.append(1))
    home = f"{url}/machines/exhaust-fan-1/points/drive-end"
    told = requests.get(home, timeout=10).json()
    assert len(sent) == 160
    assert told["state"]["level"] == "normal"
    assert told["last_recording"] == "2026-06-01T00:00:00Z"
    alarms = requests.get(f"{home}/alarms", timeout=10).json()
    assert {alarm["acknowledged_by"] for alarm in alarms} == {"early shift"}
    assert all(alarm["cleared_at"] <= told["learned_from"] for alarm in alarms)
    assert "BPFO" in alarms[0]["reason"]
    assert [note["by"] for note in requests.get(f"{home}/notes", timeout=10).json()] == ["workshop", "workshop"]
