"""The connection to the store, and its tables as the newest migration leaves them."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
PATIENCE = 30  # seconds that a writer waits for another
LOCK = 7_231  # names the migrations among PostgreSQL's advisory locks


def open_engine(url: str) -> Engine:
    """Return an engine of a store whose tables are up to date.

    url: `sqlite:///PATH` or `postgresql://...`. Raises sqlalchemy.exc.SQLAlchemyError where the store cannot be had.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", begin)
    migrate(engine)
    return engine


def prepare_sqlite(connection: Any, _: Any) -> None:
    """Let readers read while one writes; what was committed survives a kill of the process and of the machine."""
    connection.isolation_level = None  # transactions begin where `begin` says
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={1000 * PATIENCE}"):
        connection.execute(f"PRAGMA {setting}")


def begin(connection: Any) -> None:
    """Take SQLite's lock for writing at once, unless the engine is `for_reading` only.

    Of two transactions that read first, one could not go on to write.
    """
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def for_reading(engine: Engine) -> Engine:
    """Return the engine for transactions that only read: no writer waits for them, nor they for a writer."""
    return engine.execution_options(reading=True)


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest migration; processes that start together do it one after the other."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        if read_version(connection) != newest_version():
            run_migrations(connection)


def read_version(connection: Connection) -> str | None:
    """Return the migration that the tables are at; None for a database without tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def newest_version() -> str:
    """Return the newest migration: the names of their files begin with their numbers."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("*.py")).partition("_")[0]


def run_migrations(connection: Connection) -> None:
    from alembic import command  # here: it takes 13 MB, which a store that is up to date does not need
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
