"""How does a migration run plain SQL of many statements? asyncpg's simple protocol takes them at once; Alembic's does not."""

from alembic import op


def run(sql: str) -> None:
    """Execute `sql` (any number of statements, no parameters) in the migration's transaction."""
    op.get_bind().connection.dbapi_connection.run_async(lambda connection: connection.execute(sql))  # type: ignore[union-attr]  # SQLAlchemy types the driver connection loosely
