"""Where are contacts kept, who may change them now, and in which order are they listed?

Every function runs inside the caller's transaction. Hand edits only: what the sync writes is `addon.storage.sync_state`'s
and its neighbours'. A contact counts as synced while the sync is on and an account is linked to it.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from addon.crm import contact
from addon.crm.company import CompanyId, CompanyRef
from addon.crm.contact import Contact, ContactId, LinkedAccount
from addon.crm.draft import ContactEdit, Reading
from addon.errors import ContactSynced, FieldProblem, Invalid, NotFound, ReadOnlyAttribute, StaleVersion
from addon.storage import keyset
from addon.storage.database import Row, TenantScope

CONTACTS = """
    SELECT c.contact_id, c.name, c.name_key, c.email, c.phone, c.job_title, c.attributes, c.company_id,
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

# In a CASE, so that it is asked row by row from an index and the list can stop at its limit; as a join, PostgreSQL
# would first find every linked contact of the tenant.
IS_LINKED = """
    CASE WHEN (SELECT enabled FROM sync_setting WHERE tenant_id = :tenant_id)
         THEN EXISTS (SELECT 1 FROM account a WHERE a.tenant_id = c.tenant_id AND a.contact_id = c.contact_id)
         ELSE false END
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which contacts, in which order. `query`: part of the name or email; None and "" find all."""

    query: str | None = None
    linked: bool | None = None
    company_id: CompanyId | None = None
    sort: keyset.Sort = keyset.BY_NAME
    cursor: str | None = None
    limit: int = keyset.DEFAULT_LIMIT


async def lock_links(scope: TenantScope) -> bool:
    """Whether the sync is on, held still until the transaction ends.

    The sync's writer takes the same row FOR UPDATE, so that no contact becomes synced between our check and our write
    (S8, S9), and none with a new email appears between its look-up by email and its linking (S4).
    """
    await scope.execute("INSERT INTO sync_setting (tenant_id) VALUES (:tenant_id) ON CONFLICT DO NOTHING")
    return bool(await scope.fetch_val("SELECT enabled FROM sync_setting WHERE tenant_id = :tenant_id FOR SHARE"))


async def fetch(scope: TenantScope, contact_id: ContactId) -> Contact:
    """Raises NotFound."""
    sql = CONTACTS.format(conditions="c.contact_id = CAST(:contact_id AS bigint)")
    row = await scope.fetch_one(sql, contact_id=contact_id)
    if row is None:
        raise NotFound("There is no such contact.")
    (found,) = await _with_links(scope, [row])
    return found


async def fetch_some(scope: TenantScope, contact_ids: Sequence[ContactId]) -> Sequence[Contact]:
    """Those of `contact_ids` that exist."""
    sql = CONTACTS.format(conditions="c.contact_id = ANY(CAST(:contact_ids AS bigint[]))")
    return await _with_links(scope, await scope.fetch_all(sql, contact_ids=list(contact_ids)))


async def search(scope: TenantScope, wanted: Search) -> keyset.Page[Contact]:
    """One page of the contacts that fit. Raises Invalid for a cursor of another list."""
    conditions, values = _conditions(wanted)
    sort = wanted.sort
    sql = CONTACTS.format(conditions=" AND ".join(conditions))
    sql += f" ORDER BY c.{sort.column} {sort.direction}, c.contact_id {sort.direction} LIMIT CAST(:limit AS bigint)"
    rows = await scope.fetch_all(sql, limit=wanted.limit + 1, **values)
    shown = rows[: wanted.limit]
    next_cursor = None
    if len(rows) > wanted.limit:
        last = keyset.Position(key=shown[-1][sort.column], row_id=shown[-1]["contact_id"])
        next_cursor = keyset.write_cursor(sort, last)
    return keyset.Page(items=await _with_links(scope, shown), next_cursor=next_cursor)


async def create(scope: TenantScope, reading: Reading[ContactEdit], *, now: datetime) -> Contact:
    """Raises Invalid."""
    await lock_links(scope)
    await _check(scope, reading)
    edit = reading.edit
    contact_id = await scope.fetch_val(
        """
        INSERT INTO contact (tenant_id, name, name_key, email, email_key, phone, job_title, attributes, company_id,
                             origin, created_at, updated_at)
        VALUES (:tenant_id, :name, :name_key, :email, :email_key, :phone, :job_title, CAST(:attributes AS jsonb),
                :company_id, 'manual', :now, :now)
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
        now=now,
    )
    return await fetch(scope, ContactId(contact_id))


async def edit(scope: TenantScope, contact_id: ContactId, reading: Reading[ContactEdit], *, now: datetime) -> Contact:
    """Raises NotFound, Invalid, StaleVersion, ReadOnlyAttribute (S8)."""
    await lock_links(scope)
    # The company before the contact, as when a company is deleted: two writers never wait for each other.
    await _check(scope, reading)
    present = await _lock(scope, contact_id)
    if present.version != reading.version:
        raise StaleVersion("The contact was changed after you read it. Load it again, then repeat your change.")
    wanted = reading.edit
    _refuse_read_only(present, wanted)
    email = wanted.get("email", present.email)
    await scope.execute(
        """
        UPDATE contact SET name = :name, name_key = :name_key, email = :email, email_key = :email_key, phone = :phone,
               job_title = :job_title, attributes = CAST(:attributes AS jsonb), company_id = :company_id,
               version = version + 1, updated_at = :now
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
        company_id=wanted.get("company_id", present.company.company_id if present.company else None),
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


async def _check(scope: TenantScope, reading: Reading[ContactEdit]) -> None:
    """Raises Invalid with every problem of the body, the company that does not exist included."""
    problems = list(reading.problems)
    company_id = reading.edit.get("company_id")
    if company_id is not None:
        known = await scope.fetch_val(
            "SELECT 1 FROM company WHERE tenant_id = :tenant_id AND company_id = :company_id FOR KEY SHARE",
            company_id=company_id,
        )
        if known is None:
            problems.append(FieldProblem(field="company", problem="does not exist"))
    if problems:
        raise Invalid(problems)


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


def _conditions(wanted: Search) -> tuple[list[str], dict[str, object]]:
    conditions = ["true"]
    values: dict[str, object] = {}
    if wanted.query and wanted.query.strip():
        conditions.append("(c.name_key LIKE :name_pattern OR c.email_key LIKE :email_pattern)")
        values["name_pattern"] = pattern(contact.name_key(wanted.query))
        values["email_pattern"] = pattern(contact.email_key(wanted.query))
    if wanted.linked is not None:
        conditions.append(IS_LINKED if wanted.linked else f"NOT {IS_LINKED}")
    if wanted.company_id is not None:
        conditions.append("c.company_id = CAST(:company_id AS bigint)")
        values["company_id"] = wanted.company_id
    if wanted.cursor is not None:
        position = keyset.read_cursor(wanted.cursor, wanted.sort)
        conditions.append(f"(c.{wanted.sort.column}, c.contact_id) {wanted.sort.comparison} (:after_key, :after_id)")
        values |= {"after_key": position.key, "after_id": position.row_id}
    return conditions, values


def pattern(part: str) -> str:
    """What LIKE must find for a text that holds `part` literally."""
    escaped = part.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


async def _with_links(scope: TenantScope, rows: Sequence[Row]) -> list[Contact]:
    links: dict[int, list[LinkedAccount]] = defaultdict(list)
    if rows:
        for link in await scope.fetch_all(LINKS, contact_ids=[row["contact_id"] for row in rows]):
            columns: dict[str, Any] = dict(link)
            links[columns.pop("contact_id")].append(LinkedAccount(**columns))
    return [_contact(row, links[row["contact_id"]]) for row in rows]


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
        origin=row["origin"],
        accounts=tuple(links),
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _email_key(email: str | None) -> contact.EmailKey | None:
    return None if email is None else contact.email_key(email)
