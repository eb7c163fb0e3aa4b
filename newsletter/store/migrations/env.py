"""Alembic's entry: runs on the connection that store.migrate hands over, over both metadatas."""

from alembic import context

from newsletter.store.schema import metadata
from subscribers import metadata as people

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[metadata, people],
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
