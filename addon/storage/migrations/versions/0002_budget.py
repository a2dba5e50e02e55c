"""The API points of each hour, the pauses that Jira asked for, and what a run waits for."""

from addon.storage.migrations import script

revision = "0002"
down_revision = "0001"

TABLES = """
-- Shared by all tenants, since Jira's quota is: no row-level security. Neither table holds anything of a site's data.
CREATE TABLE api_budget (
    hour timestamptz NOT NULL,
    tenant_id uuid NOT NULL,
    -- Points lent out, less what came back: a worker that died has spent all of its loan.
    taken bigint NOT NULL DEFAULT 0,
    -- Of these, by work that nobody waits for.
    background bigint NOT NULL DEFAULT 0,
    -- When such work last needed more.
    wanted_at timestamptz,
    PRIMARY KEY (hour, tenant_id)
);

CREATE TABLE api_pause (
    -- NULL: every tenant.
    tenant_id uuid,
    -- '': every call.
    endpoint text NOT NULL,
    until timestamptz NOT NULL,
    reason text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (tenant_id, endpoint)
);

ALTER TABLE sync_run ADD COLUMN waiting_for text, ADD COLUMN waiting_until timestamptz;

GRANT SELECT, INSERT, UPDATE, DELETE ON api_budget, api_pause TO crm_sync_app;
"""


def upgrade() -> None:
    script.run(TABLES)
