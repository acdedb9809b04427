"""Runs the steps on the connection of the server, inside its transaction."""

from alembic import context

from app.state.database import VERSION_TABLE
from app.state.tables import STATE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=STATE,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
