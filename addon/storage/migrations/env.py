"""What Alembic runs around our migrations: the caller's connection, one transaction, one migrator at a time."""

from alembic import context
from sqlalchemy import text

# Two processes that start together must not both create the schema.
MIGRATION_LOCK = 0x63726D  # "crm"

connection = context.config.attributes["connection"]
connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
