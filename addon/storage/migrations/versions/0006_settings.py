"""What the settings page shows at once: who may see contacts, Jira's names, counts, how far a preview or an undo has come."""

from addon.storage.migrations import script

revision = "0006"
down_revision = "0005"

COLUMNS = """
-- The Jira groups whose members may use contacts and companies, besides Jira administrators (D13).
ALTER TABLE sync_setting ADD COLUMN crm_groups text[] NOT NULL DEFAULT '{}';

-- How many accounts were read, of how many as far as Jira says, and what became of them once all are read.
ALTER TABLE preview ADD COLUMN seen bigint NOT NULL DEFAULT 0, ADD COLUMN total bigint,
    ADD COLUMN counts jsonb NOT NULL DEFAULT '{}',
    -- The settings that it was begun with: {"filters": {...}, "includeInactive": ...}.
    ADD COLUMN made_for jsonb NOT NULL DEFAULT '{}';

-- What the undoing took back so far, and what it left.
ALTER TABLE undo ADD COLUMN undone bigint NOT NULL DEFAULT 0, ADD COLUMN left_alone bigint NOT NULL DEFAULT 0;
"""

TABLES = """
-- How many contacts there are, where counting takes long; and how long it took.
CREATE TABLE contact_count (
    tenant_id uuid PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    contacts bigint NOT NULL,
    linked bigint NOT NULL,
    took_ms integer NOT NULL,
    counted_at timestamptz NOT NULL
);

-- In which lists a preview met whom, so that the effect of a filter can be counted before it is set.
CREATE TABLE preview_place (
    tenant_id uuid NOT NULL REFERENCES preview ON DELETE CASCADE,
    phase text NOT NULL,
    container text NOT NULL,
    start integer NOT NULL,
    account_ids text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, phase, container, start)
);

-- What Jira calls its groups, service projects and organizations, as it said when it was last asked.
CREATE TABLE jira_place (
    tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('groups', 'projects', 'organizations')),
    place_id text NOT NULL COLLATE "C",
    name text NOT NULL,
    name_key text NOT NULL COLLATE "C",
    -- The reading of the whole list that met it; 0 for one that was met by itself.
    reading bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, kind, place_id)
);
CREATE INDEX jira_place_by_name ON jira_place (tenant_id, kind, name_key, place_id);

-- The newest reading of all service projects and organizations.
CREATE TABLE jira_reading (
    tenant_id uuid PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    number bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    -- The list that is being read, and where it goes on.
    kind text NOT NULL,
    next_start integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    script.run(COLUMNS)
    script.run(TABLES)
    script.isolate("contact_count", "preview_place", "jira_place", "jira_reading")
