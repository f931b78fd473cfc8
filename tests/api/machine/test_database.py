import json
from dataclasses import replace

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from api.machine import database
from api.machine.database import MIGRATIONS, newest_version, open_engine
from api.machine.reading import list_alarms, list_changes, read_point, read_recording, read_trend
from api.machine.store import Store
from api.machine.tables import Base
from model.machine.snapshot import write_watch
from model.machine.watch import Watch
from tests.api.machine.conftest import POINT, fill, snapshot

DAY = 86_400


def test_the_migrations_make_the_tables_that_the_code_names(url):
    engine = open_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_a_store_is_opened_again_as_it_is(url):
    for _ in range(2):
        engine = open_engine(url)
        assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
        engine.dispose()


def test_the_files_of_the_migrations_are_named_by_their_numbers():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == newest_version()


@pytest.fixture
def older(url, limits, life, monkeypatch):
    """Return the URL of a database as the first version left it, and what that version had stored there."""
    monkeypatch.setattr(database, "migrate", lambda engine: migrate_to(engine, "0001"))
    engine = open_engine(url)
    monkeypatch.undo()
    watch, diagnosis = Watch(None, limits), json.dumps({"prediction": "Normal", "windows": [1] * 100})
    with engine.begin() as connection:
        columns = ("machine", "name", *POINT, "level", "reason", "severity", "last_taken_at", "watch")
        add(connection, "points", dict(zip(columns, ("pump", "drive-end", *POINT.values(), "alarm", "", 2.0, 0.0, b""),
            strict=True)))  # fmt: skip
        for number, each in enumerate(life, start=1):
            state = watch.advance(each.taken_at, each.indicators)
            row = {"point_id": 1, "taken_at": each.taken_at, "sha256": each.sha256, "rms": each.indicators.rms}
            row |= {"indicators": each.indicators.to_bytes(), "level": state.level, "severity": state.severity}
            row |= {"parts": json.dumps(state.parts), "diagnosis": diagnosis if number == 7 else None}
            add(connection, "recordings", row)
        row = {"point_id": 1, "level": "alarm", "since": 1.0, "raised_at": 2.0, "reason": "lines grew"}
        add(connection, "alarms", row | {"acknowledged_by": "the shift", "acknowledged_at": 3.0})
        last = {"last": life[-1].taken_at, "watch": write_watch(watch)}
        connection.execute(text("UPDATE points SET last_taken_at = :last, watch = :watch"), last)
    engine.dispose()
    return url


def migrate_to(engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def add(connection, table: str, row: dict) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)  # noqa: S608 - names typed above


def test_an_older_database_keeps_all_that_was_stored(older, limits, life):
    store = Store(open_engine(older), limits)
    assert read_point(store, "pump", "drive-end").last_taken_at == life[-1].taken_at
    trend = read_trend(store, "pump", "drive-end", 10_000)
    assert [row["rms_low"] for row in trend] == pytest.approx([each.indicators.rms for each in life])
    assert max(row["parts"]["level"] for row in trend) > 0
    seventh = read_recording(store, "pump", "drive-end", 7)
    assert seventh.prediction == "Normal"
    assert json.loads(seventh.diagnosis)["windows"] == [1] * 100
    assert [alarm.reason for alarm in list_alarms(store, "pump", "drive-end")] == ["lines grew"]
    changes = list_changes(store, "pump", "drive-end")
    assert [(each.kind, each.by) for each in changes] == [("acknowledged", "the shift"), ("raised", None)]
    store.engine.dispose()


def test_an_older_database_is_watched_on_as_a_new_one_is(older, limits, life):
    store = Store(open_engine(older), limits)
    number = read_trend(store, "pump", "drive-end", 1)[0]["recordings"]
    assert number == len(life)
    store.put_point("pump", "drive-end", **POINT | {"bearing": "11, 0.21, 1, 8"})  # all of it is judged anew
    migrated = snapshot(store)
    store.delete_machine("pump")
    store.put_point("pump", "drive-end", **POINT | {"bearing": "11, 0.21, 1, 8"})
    fill(store, life)
    assert migrated == snapshot(store)
    store.engine.dispose()


@pytest.mark.processes
def test_a_store_that_is_divided_by_month_goes_on_as_it_was(postgresql, limits, life):
    url = f"{postgresql.removesuffix('postgres')}divided"
    engine = create_engine(postgresql.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE divided"))
    engine.dispose()
    store = Store(open_engine(url), limits)
    monthly = [replace(each, taken_at=1.6e9 + 20 * DAY * number) for number, each in enumerate(life)]
    store.put_point("pump", "drive-end", **POINT)
    fill(store, monthly[:50])
    whole = snapshot(store)
    for _ in range(2):  # the second time it has nothing to do
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((MIGRATIONS / "partition.sql").read_text())
        assert snapshot(store) == whole
    fill(store, monthly[51:] + monthly[50:51])  # the last one late
    divided = snapshot(store)
    store.delete_machine("pump")
    store.put_point("pump", "drive-end", **POINT)
    fill(store, monthly)
    assert snapshot(store) == divided
    with store.engine.connect() as connection:
        months = connection.execute(text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'recordings'::regclass"))
        assert months.scalar_one() > 60
        others = connection.execute(text("SELECT count(*) FROM recordings_others"))
        assert others.scalar_one() == 0
        plan = connection.execute(text("EXPLAIN SELECT rms FROM recordings WHERE point_id = 1 AND taken_at = 1.6e9"))
        assert "recordings_2020_09" in "\n".join(plan.scalars())
    store.engine.dispose()
