"""What finds contacts fast: trigrams of names and emails, ordered indexes that a list reads alone, who is linked to nobody."""

from addon.storage.migrations import script

revision = "0007"
down_revision = "0006"

# Both are trusted: the owner of the database may create them. btree_gin puts the tenant into the same index, so that the
# contacts of all the others cost nothing.
EXTENSIONS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;
"""

INDEXES = """
-- What a text is searched in: every word of it stands behind a separator, the first one too.
CREATE FUNCTION search_text(name_key text, email_key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ' ' || name_key || ' ' || coalesce(email_key, '');

-- The tenant as text: a condition on that is one that these indexes alone can serve, so that a planner without statistics
-- does not prefer to read all of the tenant by its id.
CREATE INDEX contact_by_text ON contact USING gin ((tenant_id::text), search_text(name_key, email_key) gin_trgm_ops);
CREATE INDEX company_by_text ON company USING gin ((tenant_id::text), search_text(name_key, NULL) gin_trgm_ops);

-- What a search looks at stands in the index beside the order, so that rows which do not fit are passed over unread.
DROP INDEX contact_by_name, contact_by_change, contact_by_company;
CREATE INDEX contact_by_name ON contact (tenant_id, name_key, contact_id) INCLUDE (email_key, company_id);
CREATE INDEX contact_by_change ON contact (tenant_id, updated_at, contact_id) INCLUDE (name_key, email_key, company_id);
CREATE INDEX contact_by_company ON contact (tenant_id, company_id, name_key, contact_id) INCLUDE (email_key)
    WHERE company_id IS NOT NULL;
"""

# Under row-level security PostgreSQL uses no index for LIKE, which is not leakproof. So these functions run as a role that
# the policies let pass, and ask for the tenant themselves; without one they find nothing.
FUNCTIONS = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'crm_sync_search') THEN
        CREATE ROLE crm_sync_search NOLOGIN NOINHERIT;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL; -- as with crm_sync_app
END $$;
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'crm_sync_search',
            CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
        EXECUTE format('GRANT crm_sync_search TO %I', current_user);
    END IF;
END $$;

GRANT USAGE ON SCHEMA public TO crm_sync_search;
GRANT SELECT (tenant_id, contact_id, name_key, email_key, company_id, updated_at) ON contact TO crm_sync_search;
GRANT SELECT (tenant_id, company_id, name_key) ON company TO crm_sync_search;
CREATE POLICY searching ON contact FOR SELECT TO crm_sync_search USING (true);
CREATE POLICY searching ON company FOR SELECT TO crm_sync_search USING (true);

-- At most `most` companies whose name is like a pattern.
CREATE FUNCTION search_companies(patterns text[], most integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off
BEGIN ATOMIC
    SELECT company_id FROM public.company
    WHERE tenant_id::text = NULLIF(current_setting('app.tenant_id', true), '')::uuid::text
        AND public.search_text(name_key, NULL) LIKE ANY (patterns)
    LIMIT most;
END;

-- Contacts that are like a pattern themselves, or whose company is: all of them, or at least `most`.
CREATE FUNCTION search_contacts(patterns text[], most integer)
RETURNS TABLE (contact_id bigint, name_key text, email_key text, company_id bigint, updated_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off
BEGIN ATOMIC
    SELECT found.* FROM (
        (SELECT c.contact_id, c.name_key, c.email_key, c.company_id, c.updated_at FROM public.contact c
        WHERE c.tenant_id::text = NULLIF(current_setting('app.tenant_id', true), '')::uuid::text
            AND public.search_text(c.name_key, c.email_key) LIKE ANY (patterns)
        LIMIT most)
        UNION
        (SELECT employee.* FROM public.search_companies(patterns, most) AS matching (company_id),
            LATERAL (SELECT c.contact_id, c.name_key, c.email_key, c.company_id, c.updated_at FROM public.contact c
                     WHERE c.tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid
                         AND c.company_id = matching.company_id
                     OFFSET 0) AS employee
        LIMIT most)
    ) AS found;
END;

GRANT CREATE ON SCHEMA public TO crm_sync_search;
ALTER FUNCTION search_companies OWNER TO crm_sync_search;
ALTER FUNCTION search_contacts OWNER TO crm_sync_search;
REVOKE CREATE ON SCHEMA public FROM crm_sync_search;
REVOKE ALL ON FUNCTION search_companies, search_contacts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_companies, search_contacts TO crm_sync_app;
"""

# "Not synced" are few among many; to find them through the accounts, every contact would have to be asked.
UNLINKED = """
-- The contacts that no account is linked to, kept by the triggers below whoever writes. A contact that the sync makes gets
-- its account in the same transaction and never stands here before it loses it.
CREATE TABLE contact_unlinked (
    tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    contact_id bigint NOT NULL,
    PRIMARY KEY (tenant_id, contact_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contact ON DELETE CASCADE
);
ALTER TABLE contact_unlinked ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_unlinked FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON contact_unlinked USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_unlinked TO crm_sync_app;

CREATE FUNCTION note_contacts_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO contact_unlinked SELECT tenant_id, contact_id FROM made WHERE origin <> 'sync';
    RETURN NULL;
END $$;

CREATE FUNCTION note_accounts_made() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    DELETE FROM contact_unlinked u USING made
    WHERE u.tenant_id = made.tenant_id AND u.contact_id = made.contact_id;
    RETURN NULL;
END $$;

CREATE FUNCTION note_link_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.contact_id IS NOT NULL THEN
        DELETE FROM contact_unlinked WHERE tenant_id = NEW.tenant_id AND contact_id = NEW.contact_id;
    END IF;
    IF OLD.contact_id IS NOT NULL THEN
        -- Where the contact itself is being deleted there is none any more.
        INSERT INTO contact_unlinked SELECT c.tenant_id, c.contact_id FROM contact c
        WHERE c.tenant_id = OLD.tenant_id AND c.contact_id = OLD.contact_id AND NOT EXISTS (
            SELECT 1 FROM account a WHERE a.tenant_id = OLD.tenant_id AND a.contact_id = OLD.contact_id)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER contacts_made AFTER INSERT ON contact REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION note_contacts_made();
CREATE TRIGGER accounts_made AFTER INSERT ON account REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION note_accounts_made();
CREATE TRIGGER link_changed AFTER UPDATE OF contact_id ON account
    FOR EACH ROW WHEN (OLD.contact_id IS DISTINCT FROM NEW.contact_id) EXECUTE FUNCTION note_link_changed();
CREATE TRIGGER link_dropped AFTER DELETE ON account
    FOR EACH ROW WHEN (OLD.contact_id IS NOT NULL) EXECUTE FUNCTION note_link_changed();

-- The policy hides rows from the owner, too.
ALTER TABLE contact_unlinked NO FORCE ROW LEVEL SECURITY;
ALTER TABLE contact NO FORCE ROW LEVEL SECURITY;
ALTER TABLE account NO FORCE ROW LEVEL SECURITY;
INSERT INTO contact_unlinked SELECT tenant_id, contact_id FROM contact c
WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.tenant_id = c.tenant_id AND a.contact_id = c.contact_id);
ALTER TABLE contact_unlinked FORCE ROW LEVEL SECURITY;
ALTER TABLE contact FORCE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    script.run(EXTENSIONS)
    script.run(INDEXES)
    script.run(FUNCTIONS)
    script.run(UNLINKED)
