"""How does a migration run plain SQL of many statements? asyncpg's simple protocol takes them at once; Alembic's does not."""

from alembic import op


def run(sql: str) -> None:
    """Execute `sql` (any number of statements, no parameters) in the migration's transaction."""
    op.get_bind().connection.dbapi_connection.run_async(lambda connection: connection.execute(sql))  # type: ignore[union-attr]  # SQLAlchemy types the driver connection loosely


def isolate(*tables: str) -> None:
    """Let the app use new tables of tenant data, and see one tenant's rows of them alone, whoever owns them."""
    for table in tables:
        run(
            f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
            CREATE POLICY one_tenant ON {table}
                USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
            GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO crm_sync_app;
            """
        )
