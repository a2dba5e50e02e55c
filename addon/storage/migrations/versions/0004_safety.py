"""Filters, previews, undo, and a person's word about what needs attention."""

from addon.storage.migrations import script

revision = "0004"
down_revision = "0003"

COLUMNS = """
-- Whom the sync is about (D11), as `addon.sync.filters` writes it.
ALTER TABLE sync_setting ADD COLUMN filters jsonb NOT NULL DEFAULT '{}';

-- Whether the account was within the filters when it was last read. One that is linked and is not leaves with its run.
ALTER TABLE account ADD COLUMN in_scope boolean NOT NULL DEFAULT true;

-- The version that the sync wrote last: another one means that a person edited the contact since (D17).
ALTER TABLE contact ADD COLUMN synced_version integer;

-- What a person said: not to be shown while it is about the same contacts or accounts; to be carried out.
ALTER TABLE attention ADD COLUMN dismissed_for text, ADD COLUMN confirmed_at timestamptz;
"""

TABLES = """
-- What turning the sync on would do (D12); one for each tenant, the newest.
CREATE TABLE preview (
    tenant_id uuid PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    number bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    cursor jsonb NOT NULL DEFAULT 'null',
    failures integer NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);

CREATE TABLE preview_account (
    tenant_id uuid NOT NULL REFERENCES preview ON DELETE CASCADE,
    account_id text NOT NULL COLLATE "C",
    kind text NOT NULL CHECK (kind IN ('user', 'customer')),
    active boolean NOT NULL,
    display_name text NOT NULL,
    email text,
    email_key text COLLATE "C",
    email_state text NOT NULL CHECK (email_state IN ('visible', 'hidden', 'unavailable')),
    email_checked_at timestamptz,
    -- What would become of it; unknown until all are read.
    outcome text CHECK (outcome IN ('link', 'create', 'held', 'noEmail', 'excluded')),
    contact_id bigint,
    PRIMARY KEY (tenant_id, account_id)
);
CREATE INDEX preview_account_by_email ON preview_account (tenant_id, (coalesce(email_key, '')), account_id);
CREATE INDEX preview_account_by_outcome ON preview_account (tenant_id, outcome, account_id);

-- How far the undoing of a run has come (D17): its changes are taken back from the newest to the oldest. One for each
-- tenant, the newest.
CREATE TABLE undo (
    tenant_id uuid PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    run_id bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    -- Changes with smaller ids are still to be taken back.
    before_change_id bigint NOT NULL,
    requested_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, run_id) REFERENCES sync_run ON DELETE CASCADE
);
"""


def upgrade() -> None:
    script.run(COLUMNS)
    script.run(TABLES)
    script.isolate("preview", "preview_account", "undo")
