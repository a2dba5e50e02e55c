"""Contacts whose links come back after the sync was off: what the rules look at is as it was, so nobody is marked (C3)."""

from addon.storage.migrations import script

revision = "0013"
down_revision = "0012"

# As in 0010, except for who is linked again to the contact that was remembered: while the sync stays on, lists may have told
# of another organization meanwhile. After it was off no list is known, and `addon.storage.places` looks when one is.
MARKS = """
CREATE OR REPLACE FUNCTION mark_contacts_of_changed_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO company_due (tenant_id, contact_id)
    SELECT DISTINCT tenant_id, contact_id FROM (
        SELECT tenant_id, account_id, contact_id FROM new_rows WHERE contact_id IS NOT NULL
        EXCEPT SELECT o.tenant_id, o.account_id, coalesce(o.contact_id, CASE WHEN NOT EXISTS (
            SELECT FROM account_list l WHERE l.tenant_id = o.tenant_id) THEN o.remembered_contact_id END) FROM old_rows o
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
"""


def upgrade() -> None:
    script.run(MARKS)
