"""What alembic runs: the migrations, on the connection that api.machine.database opened."""

from alembic import context

from api.machine.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
