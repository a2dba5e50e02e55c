"""Hints: the accounts that Jira, or an opened contact list, asks us to read again; and where their reading stands."""

from addon.storage.migrations import script

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE webhook_delivery (
    tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    delivery_id text NOT NULL COLLATE "C",
    event text NOT NULL,
    account_id text NOT NULL COLLATE "C",
    received_at timestamptz NOT NULL,
    -- When the account was read again, or given up. Such rows stay for a while, so that a repeated delivery is known.
    done_at timestamptz,
    PRIMARY KEY (tenant_id, delivery_id, account_id)
);
CREATE INDEX webhook_delivery_open ON webhook_delivery (tenant_id, received_at, account_id) WHERE done_at IS NULL;
CREATE INDEX webhook_delivery_by_account ON webhook_delivery (tenant_id, account_id);
CREATE INDEX webhook_delivery_done ON webhook_delivery (tenant_id, done_at) WHERE done_at IS NOT NULL;

CREATE TABLE webhook_state (
    tenant_id uuid PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    -- The number of the job that reads hints; the next one's, from the moment that it found none left.
    turn bigint NOT NULL DEFAULT 0,
    -- Attempts of it in a row that got nowhere.
    failures integer NOT NULL DEFAULT 0,
    -- Jira's list of failed deliveries was read up to here, and when.
    failed_after timestamptz,
    drained_at timestamptz
);
"""


def upgrade() -> None:
    script.run(TABLES)
    script.isolate("webhook_delivery", "webhook_state")
