"""Alembic's entry: run the steps over the connection that :mod:`omni_gateway.store.migration` hands over."""

from alembic import context

from omni_gateway.store.tables import METADATA

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=METADATA,
    version_table=attributes.get("version_table", "alembic_version"),
)
with context.begin_transaction():
    context.run_migrations()
