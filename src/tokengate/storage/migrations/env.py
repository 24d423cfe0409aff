"""Alembic's entry point: runs the revisions on the connection that `upgrade` passes, inside its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
