"""What probes compare Jira's lists with: who stood where at the last whole scan, and when each list was looked at."""

from addon.storage.migrations import script

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE probe_state (
    tenant_id uuid PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    probed_at timestamptz,
    -- When a probe last found somebody of whom no event had told.
    found_at timestamptz NOT NULL,
    interval_s integer NOT NULL,
    -- How many rounds it takes until every list was looked at once.
    rounds integer NOT NULL
);

-- A list of people that Jira shows (a group, a desk, an organization), as the run `run_id` read it.
CREATE TABLE account_list (
    tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    phase text NOT NULL,
    container text NOT NULL,
    run_id bigint NOT NULL,
    length integer NOT NULL,
    -- False when what Jira shows no longer matches the order remembered: only a whole scan mends that.
    fits boolean NOT NULL DEFAULT true,
    probed_at timestamptz,
    changed_at timestamptz,
    PRIMARY KEY (tenant_id, phase, container)
);

-- The order of a list, cut into the pages in which a run read it. While a run reads, the order of the one before it stays.
CREATE TABLE account_place (
    tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    run_id bigint NOT NULL,
    phase text NOT NULL,
    container text NOT NULL,
    start integer NOT NULL,
    -- How many places of the list the page covers; more than it has accounts where Jira hid some.
    slots integer NOT NULL,
    account_ids text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, run_id, phase, container, start)
);
"""


def upgrade() -> None:
    script.run(TABLES)
    script.isolate("probe_state", "account_list", "account_place")
