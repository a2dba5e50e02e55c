"""What waits for a person's decision now (C2, D2, D4, D9), and between what can they choose?

What is settled by itself (the ambiguity or the collision is gone, the accounts are back) is not shown, and is deleted.
Carrying out a decision is `addon.storage.choice`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from addon.crm.company import CompanyId, CompanyRef
from addon.crm.contact import Contact, ContactId
from addon.errors import NotFound
from addon.storage import contacts, keyset
from addon.storage.database import Row, TenantScope
from lifecycle.tenant import AccountId

# Of the links, those that an implausible run would have dropped: not met by it and not since, or outside the filters.
LIST = "attention"

DEPARTING = "d.contact_id IS NOT NULL AND (d.seen_in_run IS NULL OR d.seen_in_run < n.run_id OR NOT d.in_scope)"

ITEMS = f"""
    SELECT n.tenant_id, n.attention_id, n.kind, n.account_id, n.contact_id, n.run_id, n.since, n.dismissed_for,
        n.confirmed_at, tie.ids AS company_ids, tie.names AS company_names,
        coalesce(candidate.ids, array_remove(ARRAY[n.contact_id], NULL)) AS candidates,
        coalesce(departing.digest, array_to_string(tie.ids, ','), array_to_string(candidate.ids, ','), '') AS about,
        CASE n.kind
            WHEN 'ambiguous-email' THEN coalesce(a.held AND cardinality(candidate.ids) > 1, false)
            WHEN 'email-collision' THEN coalesce(a.contact_id IS NOT NULL AND cardinality(candidate.ids) > 0, false)
            WHEN 'mass-unlink' THEN departing.digest IS NOT NULL
            WHEN 'company-tie' THEN coalesce(cardinality(tie.ids) > 1, false)
            ELSE true
        END AS is_open,
        coalesce(departing.accounts, 0) AS departing,
        a.display_name, a.email, a.kind AS account_kind, a.active, a.email_state, a.linked_by, a.linked_at, a.checked_at
    FROM attention n
    LEFT JOIN account a ON a.tenant_id = n.tenant_id AND a.account_id = n.account_id
    LEFT JOIN LATERAL (
        SELECT array_agg(c.contact_id ORDER BY c.contact_id) AS ids FROM contact c
        WHERE c.tenant_id = n.tenant_id AND c.email_key = a.email_key AND c.contact_id IS DISTINCT FROM a.contact_id
    ) candidate ON true
    LEFT JOIN LATERAL (
        SELECT md5(string_agg(d.account_id, ',' ORDER BY d.account_id)) AS digest, count(*) AS accounts FROM account d
        WHERE n.kind = 'mass-unlink' AND d.tenant_id = n.tenant_id AND {DEPARTING}
    ) departing ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(f.company_id ORDER BY f.company_id) AS ids, array_agg(f.name ORDER BY f.company_id) AS names
        FROM contact c JOIN company f ON f.tenant_id = c.tenant_id AND f.company_id = ANY(n.company_ids)
        WHERE n.kind = 'company-tie' AND c.tenant_id = n.tenant_id AND c.contact_id = n.contact_id
            AND c.company_id IS NULL AND c.company_by IS NULL
    ) tie ON true
    WHERE n.tenant_id = :tenant_id
"""  # noqa: S608 - a constant of this module
SHOWN = """
    is_open AND confirmed_at IS NULL AND dismissed_for IS DISTINCT FROM about
    -- While the sync is off, nothing is decided; what is still undecided waits for it.
    AND EXISTS (SELECT FROM sync_setting s WHERE s.tenant_id = :tenant_id AND s.enabled)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The account that a decision is about, linked or not."""

    account_id: AccountId
    display_name: str
    email: str | None
    kind: Literal["user", "customer"]
    active: bool
    email_state: Literal["visible", "hidden", "unavailable"]
    linked_by: Literal["email", "account", "person"] | None
    linked_at: datetime | None
    checked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One decision to make. `candidates`: the contacts that the account may be linked to, by id. `departing`: how many
    accounts an implausible run would have unlinked (D9). `companies`: those that the contact may belong to, by id (C2);
    the contact is the one candidate then.

    `about` says what exactly was asked, so that an answer counts only as long as the question stays the same.
    `is_dismissed`: a person did not want to be asked that.
    """

    attention_id: int
    kind: str
    run_id: int | None
    account: Subject | None
    candidates: Sequence[ContactId]
    departing: int
    about: str
    since: datetime
    contact_id: ContactId | None = None
    companies: Sequence[CompanyRef] = ()
    is_dismissed: bool = False


async def page(scope: TenantScope, *, cursor: str | None, limit: int) -> keyset.Page[Item]:
    """The oldest first. Raises Invalid for a cursor of another list."""
    after = 0 if cursor is None else keyset.read_id_cursor(LIST, cursor)
    # Who decides at this moment may be asking anew what seems settled; then it is left to the next look.
    is_still = await contacts.try_lock_links(scope)
    rows = await scope.fetch_all(
        f"""
        -- Looking for who is departing reads every link of a large site, so it is done once.
        WITH item AS MATERIALIZED ({ITEMS}), settled AS (
            DELETE FROM attention USING item
            WHERE attention.tenant_id = :tenant_id AND attention.attention_id = item.attention_id
                AND NOT item.is_open AND :is_still
        )
        SELECT * FROM item WHERE tenant_id = :tenant_id AND {SHOWN} AND attention_id > CAST(:after AS bigint)
        ORDER BY attention_id LIMIT CAST(:limit AS bigint)
        """,  # noqa: S608 - constants of this module
        after=after,
        limit=limit + 1,
        is_still=is_still,
    )
    shown = [_item(row) for row in rows[:limit]]
    is_last = len(rows) <= limit
    return keyset.Page(
        items=shown, next_cursor=None if is_last else keyset.write_id_cursor(LIST, shown[-1].attention_id)
    )


async def candidates(scope: TenantScope, items: Sequence[Item]) -> dict[ContactId, Contact]:
    """The contacts that these items name, by id."""
    wanted = {contact_id for item in items for contact_id in item.candidates}
    if not wanted:
        return {}
    return {found.contact_id: found for found in await contacts.fetch_some(scope, sorted(wanted))}


async def departing(scope: TenantScope, item: Item, *, limit: int) -> Sequence[str]:
    """The names of some accounts that an implausible run would have unlinked."""
    rows = await scope.fetch_all(
        f"""
        SELECT d.display_name FROM account d JOIN attention n ON n.tenant_id = d.tenant_id
        WHERE d.tenant_id = :tenant_id AND n.attention_id = CAST(:attention_id AS bigint) AND {DEPARTING}
        ORDER BY d.account_id LIMIT CAST(:limit AS bigint)
        """,  # noqa: S608 - a constant of this module
        attention_id=item.attention_id,
        limit=limit,
    )
    return [row["display_name"] for row in rows]


async def find(scope: TenantScope, attention_id: int) -> Item:
    """One item, shown or dismissed. Raises NotFound for one that is settled."""
    row = await scope.fetch_one(
        f"""
        SELECT * FROM ({ITEMS}) item
        WHERE tenant_id = :tenant_id AND is_open AND attention_id = CAST(:attention_id AS bigint)
        """,  # noqa: S608 - constant
        attention_id=attention_id,
    )
    if row is None:
        raise NotFound("This is settled; nothing is left to decide.")
    return _item(row)


async def count(scope: TenantScope) -> int:
    """How many decisions wait."""
    found: int = await scope.fetch_val(
        f"SELECT count(*) FROM ({ITEMS}) item WHERE tenant_id = :tenant_id AND {SHOWN}"  # noqa: S608 - constant
    )
    return found


async def dismiss(scope: TenantScope, item: Item) -> None:
    """Not to be shown again as long as the same is asked."""
    await scope.execute(
        """
        UPDATE attention SET dismissed_for = :about
        WHERE tenant_id = :tenant_id AND attention_id = :attention_id
        """,
        attention_id=item.attention_id,
        about=item.about,
    )


async def confirm(scope: TenantScope, item: Item, *, now: datetime) -> None:
    """To be carried out; it is deleted when that is done."""
    await scope.execute(
        "UPDATE attention SET confirmed_at = :now WHERE tenant_id = :tenant_id AND attention_id = :attention_id",
        attention_id=item.attention_id,
        now=now,
    )


async def close(scope: TenantScope, attention_id: int) -> None:
    """It is decided and carried out."""
    await scope.execute(
        "DELETE FROM attention WHERE tenant_id = :tenant_id AND attention_id = :attention_id", attention_id=attention_id
    )


def _item(row: Row) -> Item:
    subject = None
    if row["display_name"] is not None:
        subject = Subject(
            account_id=row["account_id"],
            display_name=row["display_name"],
            email=row["email"],
            kind=row["account_kind"],
            active=row["active"],
            email_state=row["email_state"],
            linked_by=row["linked_by"],
            linked_at=row["linked_at"],
            checked_at=row["checked_at"],
        )
    return Item(
        attention_id=row["attention_id"],
        kind=row["kind"],
        run_id=row["run_id"],
        account=subject,
        candidates=row["candidates"],
        departing=row["departing"],
        about=row["about"],
        since=row["since"],
        contact_id=row["contact_id"],
        companies=_companies(row),
        is_dismissed=row["dismissed_for"] == row["about"],
    )


def _companies(row: Row) -> Sequence[CompanyRef]:
    pairs = zip(row["company_ids"] or (), row["company_names"] or (), strict=True)
    return [CompanyRef(company_id=CompanyId(company_id), name=name) for company_id, name in pairs]
