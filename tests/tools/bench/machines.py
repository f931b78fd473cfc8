"""The store of machines: `python -m tests.tools.bench.machines POSTGRESQL_URL [RECORDINGS]`.

Fills a point with so many recordings (100,000 unless given), replays them, and asks a service on one core from another
for trends, lists and the storing of recordings of a second. Writes assets/bench_machines_RECORDINGS.md.
"""

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil
import requests
import yaml
from sqlalchemy import insert, text
from sqlalchemy.orm import Session
from tqdm import tqdm

from api.machine.database import open_engine
from api.machine.state import replay
from api.machine.store import Store
from api.machine.tables import Point, Record
from model.machine.indicators import measure
from model.machine.thresholds import Thresholds
from model.recording.recording import Recording
from model.thresholds import read_thresholds
from tests.conftest import ROOT, running

RATE, RPM = 12_000, 1_750.0
POINT = {"bearing": "6205-2RS", "sampling_rate": float(RATE), "rpm": RPM, "channel": "", "unit": "g"}
DIFFERENT = 500  # recordings; the others repeat them
AT_ONCE = 5_000
MACHINES = 1_000
TURNS, SENT = 40, 150
HOME = "/machines/big/points/drive-end"


def main() -> None:
    if len(sys.argv) < 2 or not sys.argv[1].startswith("postgresql://"):
        sys.exit("expected the URL of an empty database, as postgresql://postgres@127.0.0.1/bench")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite": f"sqlite:///{folder}/machines.sqlite", "PostgreSQL": sys.argv[1]}
        columns = {name: measure_store(url, count, Path(folder)) for name, url in urls.items()}
    rows = list(next(iter(columns.values())))
    lines = [f"| {count:,} recordings of a point | {' | '.join(columns)} |", "| --- |" + " --- |" * len(columns)]
    lines += [f"| {row} | {' | '.join(column[row] for column in columns.values())} |" for row in rows]
    report = "\n".join(lines) + "\n"
    (ROOT / "assets" / f"bench_machines_{count}.md").write_text(report)
    print(report)


def measure_store(url: str, count: int, folder: Path) -> dict[str, str]:
    """Return what was measured of a store, row by row."""
    limits = read_thresholds(Thresholds, yaml.safe_load((ROOT / "params.yaml").read_text())["machine"])
    store = Store(open_engine(url), limits)
    before = size_of(store, url)
    seconds = fill(store, count)
    each = (size_of(store, url) - before) / count
    found = {
        "replay of all of them": f"{seconds:.1f} s",
        "bytes a recording, with indexes": f"{each:,.0f}",
        "a year of 10,000 points, a recording an hour (calculated)": f"{each * 10_000 * 24 * 365 / 1e9:,.0f} GB",
    }
    for number in range(MACHINES):
        store.put_point(f"fan-{number:04d}", "drive-end", **POINT)
    store.engine.dispose()
    os.sched_setaffinity(0, {0})  # the service inherits it
    with running(folder, DATABASE_URL=url) as service:
        os.sched_setaffinity(0, {min(1, (os.cpu_count() or 1) - 1)})
        found |= measure_service(service)
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    return found


def fill(store: Store, count: int) -> float:
    """Insert recordings hour by hour and return how long their replay takes, s."""
    noise = np.random.default_rng(0)
    kept = [measure(Recording(noise.standard_normal(RATE), RATE, RPM), "g")
            for _ in tqdm(range(DIFFERENT), desc="measuring", disable=None)]  # fmt: skip
    rows = [(each.to_bytes(), each.rms) for each in kept]
    point, _ = store.put_point("big", "drive-end", **POINT)
    with Session(store.engine) as session, session.begin():
        for start in tqdm(range(0, count, AT_ONCE), desc="inserting", disable=None):
            session.execute(insert(Record), [
                {"point_id": point.id, "taken_at": 1e9 + 3_600.0 * number, "sha256": number.to_bytes(32),
                 "indicators": rows[number % DIFFERENT][0], "rms": rows[number % DIFFERENT][1]}
                for number in range(start, min(start + AT_ONCE, count))
            ])  # fmt: skip
    start = time.perf_counter()
    with store.session() as session, session.begin():
        replay(session, session.get_one(Point, point.id), store.limits)
    return time.perf_counter() - start


def size_of(store: Store, url: str) -> int:
    """Return how many bytes a database takes, without the log and the replaced rows that filling it at once leaves."""
    store.engine.dispose()  # SQLite writes its log into the file when the last connection closes
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM FULL"))
        return connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()


def measure_service(url: str) -> dict[str, str]:
    with requests.Session() as session:

        def get(path: str) -> Callable[[], None]:
            return lambda: session.get(url + path, timeout=60).raise_for_status()

        found = {
            "trend of all of them, 500 stretches": quantiles(get(f"{HOME}/trend?points=500")),
            "combs of all of them, 150 columns": quantiles(get(f"{HOME}/waterfall?columns=150")),
            f"list of {MACHINES:,} points": quantiles(get("/machines/?limit=1000")),
            "recordings of 1 s stored, not diagnosed": f"{store_rate(session, url, 'trended', 'false'):.0f} /s",
            "recordings of 1 s stored and diagnosed": f"{store_rate(session, url, 'diagnosed', 'true'):.0f} /s",
        }
    return found | {"memory of service and recording worker": f"{memory_of(url):.0f} MB"}


def quantiles(call: Callable[[], None]) -> str:
    """Return median and 95th percentile of a call's time in words."""
    times = []
    for _ in range(TURNS):
        start = time.perf_counter()
        call()
        times.append(1_000 * (time.perf_counter() - start))
    return f"{np.median(times):.0f} ms, p95 {np.quantile(times, 0.95):.0f} ms"


def store_rate(session: requests.Session, url: str, name: str, diagnose: str) -> float:
    """Return how many recordings a second are stored, sent one after the other."""
    home, noise = f"{url}/machines/{name}/points/drive-end", np.random.default_rng(1)
    session.put(home, json=POINT, timeout=60).raise_for_status()
    files = []
    for _ in range(SENT):
        file = io.BytesIO()
        turns = np.arange(RATE) / RATE * RPM / 60
        np.save(file, (noise.standard_normal(RATE) + 3 * np.sin(2 * np.pi * turns)).astype(np.float32))
        files.append(file.getvalue())
    begin, start = datetime(2026, 1, 1, tzinfo=UTC), time.perf_counter()
    for hour, content in enumerate(files):
        form = {"taken_at": (begin + timedelta(hours=hour)).isoformat(), "diagnose": diagnose}
        session.post(
            f"{home}/recordings", data=form, files={"file": ("a.npy", content)}, timeout=60
        ).raise_for_status()  # fmt: skip
    return SENT / (time.perf_counter() - start)


def memory_of(url: str) -> float:
    """Return the memory of a service and its children, MB; what they share is counted once."""
    port = int(url.rpartition(":")[2])
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    (service,) = {each.pid for each in listening if each.laddr.port == port}
    process = psutil.Process(service)
    return sum(each.memory_full_info().pss for each in (process, *process.children())) / 1e6


if __name__ == "__main__":
    main()
