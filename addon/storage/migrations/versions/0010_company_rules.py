"""Which rule or person gave a contact its company, which contacts the rules must look at, and what applying them changes."""

from addon.storage.migrations import script

revision = "0010"
down_revision = "0009"

COLUMNS = """
-- What decided about the company: a rule (C2), or a person, who may also have decided that there is none.
ALTER TABLE contact ADD COLUMN company_by text CHECK (company_by IN ('organization', 'domain', 'person'));

-- What Jira called the company's organization when it was last read: a name that a person gave differs from it.
ALTER TABLE company ADD COLUMN organization_name text;

-- The contact that a question about companies is about, and the companies; the other kinds are about an account.
ALTER TABLE attention ADD COLUMN contact_id bigint, ADD COLUMN company_ids bigint[] NOT NULL DEFAULT '{}',
    ADD FOREIGN KEY (tenant_id, contact_id) REFERENCES contact ON DELETE CASCADE,
    DROP CONSTRAINT attention_tenant_id_kind_account_id_key,
    ADD UNIQUE NULLS NOT DISTINCT (tenant_id, kind, account_id, contact_id);
CREATE INDEX attention_by_contact ON attention (tenant_id, contact_id) WHERE contact_id IS NOT NULL;
"""

TABLES = """
-- Which rules may give contacts a company; no row: all.
CREATE TABLE company_rule (
    tenant_id uuid PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    by_organization boolean NOT NULL DEFAULT true,
    by_domain boolean NOT NULL DEFAULT true,
    -- When Jira's organizations were last read to their end.
    organizations_read_at timestamptz,
    -- Where a reading that goes on stands, and when it began; NULL where none does.
    next_start integer,
    reading_since timestamptz,
    failures integer NOT NULL DEFAULT 0
);

-- Organizations of Jira Service Management, as last read.
CREATE TABLE organization (
    tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    organization_id text NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL COLLATE "C",
    read_at timestamptz NOT NULL,
    -- A person took its company away: it gets no other by itself.
    is_declined boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, organization_id)
);

-- Work that marks wait for: `turn` keeps the job that is just ending apart from the next one.
CREATE TABLE duty (
    tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('companies', 'issues')),
    turn integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, kind)
);

-- Contacts whose company the rules have to find, or to find again.
CREATE TABLE company_due (
    tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    contact_id bigint NOT NULL,
    PRIMARY KEY (tenant_id, contact_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contact ON DELETE CASCADE
);

-- Rules applied to the contacts that are there already (C3): first what would change, then, at a person's word, the
-- change, and its undoing. One for each tenant, the newest.
CREATE TABLE rule_work (
    tenant_id uuid PRIMARY KEY REFERENCES tenant ON DELETE CASCADE,
    number bigint NOT NULL,
    state text NOT NULL CHECK (state IN
        ('previewing', 'ready', 'applying', 'applied', 'undoing', 'undone', 'failed')),
    -- Contacts up to this one are done with, in the state that it is in.
    after_contact_id bigint NOT NULL DEFAULT 0,
    checked bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    changes bigint NOT NULL DEFAULT 0,
    ties bigint NOT NULL DEFAULT 0,
    applied bigint NOT NULL DEFAULT 0,
    undone bigint NOT NULL DEFAULT 0,
    left_alone bigint NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);

CREATE TABLE rule_change (
    tenant_id uuid NOT NULL REFERENCES rule_work ON DELETE CASCADE,
    contact_id bigint NOT NULL,
    old_company_id bigint,
    old_by text,
    new_company_id bigint,
    new_by text,
    -- Several companies are possible: applying it asks a person.
    is_tie boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'applied', 'undone', 'left')),
    PRIMARY KEY (tenant_id, contact_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contact ON DELETE CASCADE
);
"""

# Marks are made by the database, since many ways lead to a contact: hand edits, imports, merges, runs, single readings,
# undo. Each statement marks what it changed; nothing is marked that no rule may touch. The plan is kept from the first
# statement, which may have changed one row of a small table, for one that changes ten thousand of a large one: so the old rows
# and the new are not joined (EXCEPT), and other tables are looked up row by row (LATERAL), which goes by their indexes.
MARKS = """
CREATE FUNCTION mark_new_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO company_due (tenant_id, contact_id)
    SELECT n.tenant_id, n.contact_id FROM new_rows n WHERE n.company_by IS DISTINCT FROM 'person'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION mark_changed_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO company_due (tenant_id, contact_id)
    SELECT tenant_id, contact_id FROM (
        SELECT tenant_id, contact_id, email_key, company_by IS NULL FROM new_rows WHERE company_by IS DISTINCT FROM 'person'
        EXCEPT SELECT tenant_id, contact_id, email_key, company_by IS NULL FROM old_rows
    ) AS changed
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION mark_contacts_of_new_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO company_due (tenant_id, contact_id)
    SELECT DISTINCT n.tenant_id, n.contact_id FROM new_rows n WHERE n.contact_id IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION mark_contacts_of_changed_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO company_due (tenant_id, contact_id)
    SELECT DISTINCT tenant_id, contact_id FROM (
        SELECT tenant_id, account_id, contact_id FROM new_rows WHERE contact_id IS NOT NULL
        EXCEPT SELECT tenant_id, account_id, contact_id FROM old_rows
    ) AS changed
    UNION
    -- Who lost one of several accounts may be in fewer organizations. Who lost the last keeps what is there (S12).
    SELECT tenant_id, contact_id FROM (
        SELECT tenant_id, account_id, contact_id FROM old_rows WHERE contact_id IS NOT NULL
        EXCEPT SELECT tenant_id, account_id, contact_id FROM new_rows
    ) AS changed, LATERAL (
        SELECT FROM account a WHERE a.tenant_id = changed.tenant_id AND a.contact_id = changed.contact_id LIMIT 1
    ) AS left_behind
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION mark_contacts_of_gone_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO company_due (tenant_id, contact_id)
    SELECT DISTINCT o.tenant_id, o.contact_id FROM old_rows o, LATERAL (
        -- As above; of a tenant that is erased, no account is left.
        SELECT FROM account a WHERE a.tenant_id = o.tenant_id AND a.contact_id = o.contact_id LIMIT 1
    ) AS left_behind
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER company_due_new AFTER INSERT ON contact
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_new_contacts();
CREATE TRIGGER company_due_changed AFTER UPDATE ON contact
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_changed_contacts();
CREATE TRIGGER company_due_new AFTER INSERT ON account
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_contacts_of_new_accounts();
CREATE TRIGGER company_due_changed AFTER UPDATE ON account
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION mark_contacts_of_changed_accounts();
CREATE TRIGGER company_due_gone AFTER DELETE ON account
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION mark_contacts_of_gone_accounts();
"""

# The owner of the table is bound by its policy as well, and may not be a superuser.
BEFORE_RULES = """
ALTER TABLE contact NO FORCE ROW LEVEL SECURITY;
UPDATE contact SET company_by = 'person' WHERE company_id IS NOT NULL;
INSERT INTO company_due (tenant_id, contact_id) SELECT tenant_id, contact_id FROM contact WHERE company_by IS NULL;
ALTER TABLE contact FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    script.run(COLUMNS)
    script.run(TABLES)
    script.run(BEFORE_RULES)
    script.run(MARKS)
    script.isolate("company_rule", "organization", "duty", "company_due", "rule_work", "rule_change")
