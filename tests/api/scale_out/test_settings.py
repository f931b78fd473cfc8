import subprocess
import sys

import pytest
from pydantic import ValidationError

from api.scale_out.settings import ScaleSettings
from tests.conftest import ROOT, environment


def test_a_wrong_value_ends_the_process_without_a_traceback():
    command = [sys.executable, "-c", "import api.scale_out.settings"]
    variables = environment(REPLICAS_MIN="abc", CPUS="0")
    answer = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.startswith("the settings cannot be used:\nREPLICAS_MIN: Input should be a valid integer")
    assert "CPUS: Input should be greater than 0, '0' came" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_fewer_replicas_at_most_than_at_least_are_refused(monkeypatch):
    monkeypatch.setenv("REPLICAS_MIN", "4")
    monkeypatch.setenv("REPLICAS_MAX", "2")
    with pytest.raises(ValidationError, match="expected 4 at least"):
        ScaleSettings()


def test_a_replica_gets_the_services_settings_but_not_where_the_proxy_listens(monkeypatch):
    for name, value in {"API_KEYS": "a-key-for-the-tests", "PORT": "8123", "CPUS": "3"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WORKERS", raising=False)
    variables = ScaleSettings().replica_environment
    assert (variables["API_KEYS"], variables["WORKERS"], variables.get("PORT")) == ("a-key-for-the-tests", "3", None)


def test_replicas_watch_machines_only_in_a_store_that_is_named(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert ScaleSettings().replica_environment["DATABASE_URL"] == "none"
    monkeypatch.setenv("DATABASE_URL", "postgresql://user@host/name")
    assert ScaleSettings().replica_environment["DATABASE_URL"] == "postgresql://user@host/name"
