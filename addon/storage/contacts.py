"""Where are contacts kept, and who may change them now? Which of them a list shows is `addon.storage.searching`'s.

Every function runs inside the caller's transaction. Hand edits only: what the sync writes is `addon.storage.sync_state`'s
and its neighbours'. A contact counts as synced while the sync is on and an account is linked to it.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from addon.crm import contact, draft
from addon.crm.company import CompanyId, CompanyRef
from addon.crm.contact import Contact, ContactId, LinkedAccount
from addon.crm.draft import ContactEdit, Reading
from addon.errors import ContactSynced, FieldProblem, Invalid, NotFound, ReadOnlyAttribute, StaleVersion
from addon.storage.database import Row, TenantScope

CONTACTS = """
    SELECT c.contact_id, c.name, c.name_key, c.email, c.phone, c.job_title, c.attributes, c.company_id, c.company_by,
           company.name AS company_name, c.origin, c.version, c.created_at, c.updated_at
    FROM contact c LEFT JOIN company ON company.tenant_id = c.tenant_id AND company.company_id = c.company_id
    WHERE c.tenant_id = :tenant_id AND {conditions}
"""

LINKS = """
    SELECT a.contact_id, a.account_id, a.display_name, a.kind, a.active, a.email_state, a.linked_by, a.linked_at,
           a.checked_at
    FROM account a JOIN sync_setting s ON s.tenant_id = a.tenant_id AND s.enabled
    WHERE a.tenant_id = :tenant_id AND a.contact_id = ANY(CAST(:contact_ids AS bigint[]))
    ORDER BY a.active DESC, a.kind = 'user' DESC, a.linked_at, a.account_id
"""  # the order is D3: the first link is the primary one


async def lock_links(scope: TenantScope) -> bool:
    """Whether the sync is on, held still until the transaction ends.

    The sync's writer takes the same row FOR UPDATE, so that no contact becomes synced between our check and our write
    (S8, S9), and none with a new email appears between its look-up by email and its linking (S4).
    """
    await scope.execute("INSERT INTO sync_setting (tenant_id) VALUES (:tenant_id) ON CONFLICT DO NOTHING")
    return bool(await scope.fetch_val("SELECT enabled FROM sync_setting WHERE tenant_id = :tenant_id FOR SHARE"))


async def try_lock_links(scope: TenantScope) -> bool:
    """Hold still what `lock_links` does, without waiting; False while the sync writes, and before it was ever on."""
    return bool(
        await scope.fetch_val("SELECT true FROM sync_setting WHERE tenant_id = :tenant_id FOR SHARE SKIP LOCKED")
    )


async def fetch(scope: TenantScope, contact_id: ContactId) -> Contact:
    """Raises NotFound."""
    sql = CONTACTS.format(conditions="c.contact_id = CAST(:contact_id AS bigint)")
    row = await scope.fetch_one(sql, contact_id=contact_id)
    if row is None:
        raise NotFound("There is no such contact.")
    (found,) = await with_links(scope, [row])
    return found


async def fetch_some(scope: TenantScope, contact_ids: Sequence[ContactId]) -> Sequence[Contact]:
    """Those of `contact_ids` that exist."""
    return await with_links(scope, await fetch_rows(scope, contact_ids))


async def fetch_rows(scope: TenantScope, contact_ids: Sequence[ContactId]) -> Sequence[Row]:
    """Those of `contact_ids` that exist, in no order: what `with_links` makes contacts of, and the keys of sort orders."""
    sql = CONTACTS.format(conditions="c.contact_id = ANY(CAST(:contact_ids AS bigint[]))")
    return await scope.fetch_all(sql, contact_ids=list(contact_ids))


async def with_links(scope: TenantScope, rows: Sequence[Row]) -> list[Contact]:
    """The contacts of rows, with the accounts that count now."""
    links: dict[int, list[LinkedAccount]] = defaultdict(list)
    if rows:
        for link in await scope.fetch_all(LINKS, contact_ids=[row["contact_id"] for row in rows]):
            columns: dict[str, Any] = dict(link)
            links[columns.pop("contact_id")].append(LinkedAccount(**columns))
    return [_contact(row, links[row["contact_id"]]) for row in rows]


async def create(scope: TenantScope, reading: Reading[ContactEdit], *, now: datetime) -> Contact:
    """Raises Invalid."""
    await lock_links(scope)
    _refuse(*reading.problems, *await _problems_of_company(scope, reading.edit.get("company_id")))
    edit = reading.edit
    contact_id = await scope.fetch_val(
        """
        INSERT INTO contact (tenant_id, name, name_key, email, email_key, phone, job_title, attributes, company_id,
                             company_by, origin, created_at, updated_at)
        VALUES (:tenant_id, :name, :name_key, :email, :email_key, :phone, :job_title, CAST(:attributes AS jsonb),
                :company_id, :company_by, 'manual', :now, :now)
        RETURNING contact_id
        """,
        name=edit["name"],
        name_key=contact.name_key(edit["name"]),
        email=edit.get("email"),
        email_key=_email_key(edit.get("email")),
        phone=edit.get("phone"),
        job_title=edit.get("job_title"),
        attributes=json.dumps(edit.get("attributes", {})),
        company_id=edit.get("company_id"),
        company_by=None if edit.get("company_id") is None else "person",
        now=now,
    )
    return await fetch(scope, ContactId(contact_id))


async def edit(scope: TenantScope, contact_id: ContactId, reading: Reading[ContactEdit], *, now: datetime) -> Contact:
    """Raises NotFound, Invalid, StaleVersion, ReadOnlyAttribute (S8)."""
    await lock_links(scope)
    # The company before the contact, as when a company is deleted: two writers never wait for each other.
    problems = await _problems_of_company(scope, reading.edit.get("company_id"))
    present = await _lock(scope, contact_id)
    reading = draft.leave_out_same(reading, name=present.name, email=present.email)
    _refuse(*reading.problems, *problems)
    _refuse_stale(present, reading.version)
    wanted = reading.edit
    _refuse_read_only(present, wanted)
    email = wanted.get("email", present.email)
    own_company_id = present.company.company_id if present.company else None
    company_id = wanted.get("company_id", own_company_id)
    await scope.execute(
        """
        UPDATE contact SET name = :name, name_key = :name_key, email = :email, email_key = :email_key, phone = :phone,
               job_title = :job_title, attributes = CAST(:attributes AS jsonb), company_id = :company_id,
               company_by = :company_by, version = version + 1, updated_at = :now
        WHERE tenant_id = :tenant_id AND contact_id = :contact_id
        """,
        contact_id=contact_id,
        name=wanted.get("name", present.name),
        name_key=contact.name_key(wanted.get("name", present.name)),
        email=email,
        email_key=_email_key(email),
        phone=wanted.get("phone", present.phone),
        job_title=wanted.get("job_title", present.job_title),
        attributes=json.dumps(dict(wanted.get("attributes", present.attributes))),
        company_id=company_id,
        # Sending back what is there decides nothing.
        company_by=present.company_by if company_id == own_company_id else "person",
        now=now,
    )
    return await fetch(scope, contact_id)


async def set_company(
    scope: TenantScope, contact_id: ContactId, company_id: CompanyId | None, *, version: int, now: datetime
) -> Contact:
    """A person says to which company the contact belongs, or that it belongs to none: no rule changes that (C2).

    Raises NotFound, Invalid, StaleVersion.
    """
    await lock_links(scope)
    # The company before the contact, as above.
    _refuse(*await _problems_of_company(scope, company_id))
    _refuse_stale(await _lock(scope, contact_id), version)
    await scope.execute(
        """
        UPDATE contact SET company_id = :company_id, company_by = 'person', version = version + 1, updated_at = :now
        WHERE tenant_id = :tenant_id AND contact_id = :contact_id
        """,
        contact_id=contact_id,
        company_id=company_id,
        now=now,
    )
    return await fetch(scope, contact_id)


async def let_rules_choose(scope: TenantScope, contact_id: ContactId, *, version: int, now: datetime) -> Contact:
    """Take a person's word back: the rules find the company, which stays as it is until they have. Raises NotFound,
    StaleVersion.
    """
    await lock_links(scope)
    present = await _lock(scope, contact_id)
    _refuse_stale(present, version)
    if present.company_by == "person":
        await scope.execute(
            """
            UPDATE contact SET company_by = NULL, version = version + 1, updated_at = :now
            WHERE tenant_id = :tenant_id AND contact_id = :contact_id
            """,
            contact_id=contact_id,
            now=now,
        )
    return await fetch(scope, contact_id)


async def delete(scope: TenantScope, contact_id: ContactId) -> None:
    """Raises NotFound, ContactSynced (S9)."""
    await lock_links(scope)
    present = await _lock(scope, contact_id)
    if not present.deletable:
        raise ContactSynced("A contact cannot be deleted while it is synced with Jira.")
    await scope.execute(
        "DELETE FROM contact WHERE tenant_id = :tenant_id AND contact_id = :contact_id", contact_id=contact_id
    )


async def _lock(scope: TenantScope, contact_id: ContactId) -> Contact:
    await scope.execute(
        "SELECT 1 FROM contact WHERE tenant_id = :tenant_id AND contact_id = :contact_id FOR UPDATE",
        contact_id=contact_id,
    )
    return await fetch(scope, contact_id)


def _refuse(*problems: FieldProblem) -> None:
    """Raises Invalid with every problem, if there is one."""
    if problems:
        raise Invalid(problems)


async def _problems_of_company(scope: TenantScope, company_id: CompanyId | None) -> list[FieldProblem]:
    """Held until the transaction ends."""
    if company_id is None:
        return []
    known = await scope.fetch_val(
        "SELECT 1 FROM company WHERE tenant_id = :tenant_id AND company_id = :company_id FOR KEY SHARE",
        company_id=company_id,
    )
    return [] if known is not None else [FieldProblem(field="company", problem="does not exist")]


def _refuse_stale(present: Contact, version: int | None) -> None:
    if present.version != version:
        raise StaleVersion("The contact was changed after you read it. Load it again, then repeat your change.")


def _refuse_read_only(present: Contact, edit: ContactEdit) -> None:
    user = present.synced_jira_user
    wanted: dict[str, object] = {name: edit[name] for name in ("name", "email") if name in edit}
    if "synced_account_id" in edit:
        wanted["syncedJiraUser"] = edit["synced_account_id"]
    current = {
        "name": present.name,
        "email": present.email,
        "syncedJiraUser": None if user is None else user.account_id,
    }
    refused = contact.refused_edits(current, wanted, is_synced=present.is_synced)
    if refused:
        raise ReadOnlyAttribute(refused)
    if wanted.get("syncedJiraUser") is not None and not present.is_synced:
        raise Invalid([FieldProblem(field="syncedJiraUser", problem="is set by the sync alone")])


def _contact(row: Row, links: Sequence[LinkedAccount]) -> Contact:
    company = None
    if row["company_id"] is not None:
        company = CompanyRef(company_id=CompanyId(row["company_id"]), name=row["company_name"])
    return Contact(
        contact_id=ContactId(row["contact_id"]),
        name=row["name"],
        email=row["email"],
        phone=row["phone"],
        job_title=row["job_title"],
        attributes=json.loads(row["attributes"]),
        company=company,
        company_by=row["company_by"],
        origin=row["origin"],
        accounts=tuple(links),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _email_key(email: str | None) -> contact.EmailKey | None:
    return None if email is None else contact.email_key(email)
