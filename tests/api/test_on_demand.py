import json
import subprocess
import sys

import pytest

from api.on_demand import are_watched
from api.settings import Settings
from tests.conftest import ROOT, environment

pytestmark = pytest.mark.processes
SCRIPT = """
import json, sys
from fastapi.testclient import TestClient
from api.api import app

def ask(path):
    answer = client.get(path)
    answer.raise_for_status()
    return answer.json()

told = {}
with TestClient(app) as client:
    example = open(sys.argv[1]).read()
    client.post("/batch_predict/", content=example, headers={"content-type": "application/json"}).raise_for_status()
    client.get("/metrics").raise_for_status()
    client.get("/machines.html").raise_for_status()
    told["before"] = "sqlalchemy" in sys.modules
    told["first"] = ask(sys.argv[2])
    told["after"] = "sqlalchemy" in sys.modules
    told["metrics"] = "machine_points" in client.get("/metrics").text
    told["again"] = ask("/machines/")
print(json.dumps(told))
"""


def run_in(folder, first: str) -> dict:
    """Start a service in a folder without settings, ask it for windows, then for a first path of machines."""
    variables = {name: value for name, value in environment(PYTHONPATH=str(ROOT)).items() if name != "DATABASE_URL"}
    command = [sys.executable, "-c", SCRIPT, str(ROOT / "assets" / "example.json"), first]
    answer = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def test_machines_are_loaded_when_they_are_first_asked_for(tmp_path):
    told = run_in(tmp_path, "/machines/")
    assert (told["before"], told["after"], told["metrics"]) == (False, True, True)
    assert (told["first"], told["again"]) == ([], [])
    assert (tmp_path / "machines.sqlite").is_file()
    assert run_in(tmp_path, "/machines/")["before"]  # from now on there is a store, whose alarms somebody waits for


def test_the_document_tells_of_machines_though_none_was_asked_for(tmp_path):
    assert "/machines/{machine}/points/{point}" in run_in(tmp_path, "/openapi.json")["first"]["paths"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DATABASE_URL", "postgresql://host/name"), ("KEEP_DAYS", "30"), ("ALARM_MQTT", "mqtt://host/x")],
)
def test_whoever_sets_something_of_machines_watches_some(monkeypatch, tmp_path, variable, value):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    assert not are_watched(Settings())
    monkeypatch.setenv(variable, value)
    assert are_watched(Settings())
