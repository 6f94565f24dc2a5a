"""What Alembic runs for `migrate`: the revisions, on the connection and in the transaction of the caller."""

from alembic import context

from explorer.runs import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    version_table=schema.REVISION_TABLE,
)
context.run_migrations()
