"""Alembic's entry: run the steps over the connection that :mod:`omni_gateway.store.migration` hands over."""

from alembic import context

from omni_gateway.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
