from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from api.machine.database import open_engine
from api.machine.tables import Base


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
