"""Stores on both databases. PostgreSQL is Debian's, started here on loopback; where it is not, its tests skip."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
import yaml
from sqlalchemy import create_engine, text

from api.machine.database import open_engine
from api.machine.reading import list_alarms, read_point, read_trend
from api.machine.store import Store, Taken
from model.machine.indicators import measure
from model.machine.thresholds import Thresholds
from model.recording.recording import Recording
from model.thresholds import read_thresholds
from tests.api.machine import sending
from tests.conftest import ROOT

HOUR = 3_600.0
POINT = {"bearing": "6205-2RS", "sampling_rate": 12_000.0, "rpm": 1_750.0, "channel": "", "unit": "g"}
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="session")
def limits():
    return read_thresholds(Thresholds, yaml.safe_load((ROOT / "params.yaml").read_text())["machine"])


@pytest.fixture(scope="session")
def postgresql():
    """Return the URL of a PostgreSQL server of the tests' own."""
    if not PROGRAMS:
        pytest.skip("POSTGRESQL SKIPPED: there is none in /usr/lib/postgresql; apt-get install postgresql")
    home = Path(mkdtemp(prefix="postgresql-"))  # a folder of its own: pytest's are closed to other users
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    user = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(home, "postgres")
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    control = [*user, PROGRAMS[-1] / "pg_ctl", "-D", home / "data"]
    run = {"check": True, "capture_output": True, "cwd": home}
    subprocess.run([*user, PROGRAMS[-1] / "initdb", "-D", home / "data", "-U", "postgres", "-A", "trust"], **run)
    options = f"-h 127.0.0.1 -p {port} -k {home}"
    subprocess.run([*control, "-o", options, "-l", home / "log", "-w", "start"], **run)
    yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], **run)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.processes)])
def url(request, tmp_path):
    """Return the URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/machines.sqlite"
    server = request.getfixturevalue("postgresql")
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    name = f"test_{abs(hash(request.node.nodeid)) % 10**12}"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.removesuffix("postgres") + name


@pytest.fixture
def store(url, limits):
    store = Store(open_engine(url), limits)
    store.put_point("pump", "drive-end", **POINT)
    yield store
    store.engine.dispose()


@pytest.fixture(scope="session")
def life() -> list[Taken]:
    """Return a healthy machine's recordings of 0.2 s, hour by hour, on which something begins to knock."""
    noise = np.random.default_rng(0)
    taken = []
    for hour in range(60):
        signal = noise.standard_normal(2_400)
        if hour >= 40:
            signal[:: 2_400 // 21] += min(hour - 38, 12) * 6.0
        indicators = measure(Recording(signal, 12_000, 1_750.0), "g")
        taken.append(Taken(1_000_000 + hour * HOUR, hour.to_bytes(32), indicators))
    return taken


def fill(store, recordings) -> None:
    for each in recordings:
        store.add_recording("pump", "drive-end", each)


def snapshot(store):
    """Return all that the store says of the point, but for the numbers of its rows."""
    point = read_point(store, "pump", "drive-end")
    alarms = [(each.level, each.since, each.raised_at, each.cleared_at, each.reason, each.acknowledged_by)
              for each in list_alarms(store, "pump", "drive-end")]  # fmt: skip
    state = point.level, point.since, point.reason, point.severity, point.last_taken_at, point.watch, point.recent
    return state, alarms, read_trend(store, "pump", "drive-end", 10_000)


@pytest.fixture
def point(client):
    """The path of a point over HTTP."""
    assert client.put(sending.HOME, json=sending.POINT).status_code == 201
    yield sending.HOME
    client.delete("/machines/pump")
