"""Who may make calls to a site at the moment: the slots that all processes share."""

from addon.storage.migrations import script

revision = "0009"
down_revision = "0008"

TABLES = """
-- Leases of seconds, which a crash may forget; they say nothing of a site's data. No row-level security, as with api_budget.
CREATE UNLOGGED TABLE call_slot (
    tenant_id uuid NOT NULL,
    slot smallint NOT NULL,
    -- A process that makes calls; its lease ends by itself if it dies.
    holder uuid NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, slot)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON call_slot TO crm_sync_app;
"""


def upgrade() -> None:
    script.run(TABLES)
