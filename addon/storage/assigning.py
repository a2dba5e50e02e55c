"""How do the rules give contacts their companies (C2)? Reads what the rules look at, and writes what they decide.

Set-based, under the tenant's switch: whatever marks a contact takes the same lock, so that no mark is lost. Decides
nothing: that is `addon.crm.assignment`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from addon.crm import assignment, domains
from addon.crm.assignment import Assigned, AssignedBy, Decision, Facts, Kept, Tie
from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.storage import company_rules, duties, sync_state
from addon.storage.database import TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync.filters import ORGANIZATIONS
from addon.sync.people import AttentionKind, Cause
from lifecycle.tenant import AccountId

CONTACTS_AT_ONCE = 1000
# Some 200 ms, in which nobody else of the tenant can edit contacts. Each part reads the members of all organizations once.

CAUSES: Mapping[AssignedBy | None, Cause] = {
    "organization": Cause.BY_ORGANIZATION,
    "domain": Cause.BY_DOMAIN,
    # A person gave the decision back to the rules.
    None: Cause.CHOSEN,
}

# The order of the newest whole scan: what a scan that is going has read so far says nothing yet.
MEMBERS = """
    SELECT member.account_id, p.container AS organization_id
    FROM account_list l
    JOIN account_place p ON p.tenant_id = l.tenant_id AND p.run_id = l.run_id
        AND p.phase = l.phase AND p.container = l.container,
    LATERAL unnest(p.account_ids) AS member (account_id)
    WHERE l.tenant_id = $1 AND l.phase = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a contact has, of companies. `company_id` and `company_by` as in `addon.crm.contact.Contact`."""

    company_id: CompanyId | None
    company_by: AssignedBy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one contact. `cause`: why, for the history."""

    contact_id: ContactId
    before: Held
    after: Held
    cause: Cause


async def carry_on(scope: TenantScope, turn: int, *, enqueue: Enqueue, now: datetime) -> bool:
    """Look at some marked contacts; whether there may be more. While rules cannot be asked, marks wait."""
    await sync_state.lock_switch(scope)
    if await duties.failures(scope, "companies", turn) is None:
        return False
    marked = await _marked(scope) if await company_rules.is_ready(scope) else ()
    if not marked:
        await duties.rest(scope, "companies")
        return False
    decisions = await decide(scope, marked)
    changes = [
        change
        for contact_id, (held, decision) in decisions.items()
        if (change := changed(contact_id, held, decision)) is not None
    ]
    await write(scope, changes, now=now)
    await note_ties(scope, {contact_id: decision for contact_id, (_, decision) in decisions.items()}, now=now)
    # Last, since writing may have marked them anew.
    await unmark(scope, marked)
    await duties.call(scope, "issues", enqueue=enqueue)
    return True


async def _marked(scope: TenantScope) -> Sequence[ContactId]:
    rows = await scope.fetch_all(
        "SELECT contact_id FROM company_due WHERE tenant_id = :tenant_id ORDER BY contact_id LIMIT :limit",
        limit=CONTACTS_AT_ONCE,
    )
    return [row["contact_id"] for row in rows]


async def mark(scope: TenantScope, contact_ids: Sequence[ContactId]) -> None:
    """Have the rules look at these, as far as they exist. The caller holds the switch."""
    await scope.raw.execute(
        """
        INSERT INTO company_due (tenant_id, contact_id)
        SELECT tenant_id, contact_id FROM contact WHERE tenant_id = $1 AND contact_id = ANY($2) ON CONFLICT DO NOTHING
        """,
        scope.tenant_id,
        contact_ids,
    )


async def unmark(scope: TenantScope, contact_ids: Sequence[ContactId]) -> None:
    """These are as they are to be. The caller holds the switch."""
    await scope.raw.execute(
        "DELETE FROM company_due WHERE tenant_id = $1 AND contact_id = ANY($2)", scope.tenant_id, contact_ids
    )


async def decide(scope: TenantScope, contact_ids: Sequence[ContactId]) -> Mapping[ContactId, tuple[Held, Decision]]:
    """What the rules say of these contacts, as far as they exist, and what they have now."""
    rules = await company_rules.read(scope)
    facts = await _read_facts(scope, contact_ids)
    return {
        contact_id: (
            Held(company_id=known.company_id, company_by=known.assigned_by),
            assignment.decide(known, rules),
        )
        for contact_id, known in facts.items()
    }


def changed(contact_id: ContactId, before: Held, decision: Decision) -> Change | None:
    """None where the contact has what was decided."""
    match decision:
        case Kept():
            return None
        case Assigned(company_id=company_id, rule=rule):
            after = Held(company_id=company_id, company_by=rule)
            cause = CAUSES[rule]
        case _:
            after = Held(company_id=None, company_by=None)
            # What its rule has given, the same rule takes.
            cause = CAUSES.get(before.company_by, Cause.CHOSEN)
    return None if after == before else Change(contact_id=contact_id, before=before, after=after, cause=cause)


async def _read_facts(scope: TenantScope, contact_ids: Sequence[ContactId]) -> Mapping[ContactId, Facts]:
    rows = await scope.raw.fetch(
        """
        SELECT c.contact_id, c.email, c.company_id, c.company_by AS assigned_by,
            company.organization_id IS NULL OR EXISTS (
                SELECT FROM account_list l
                WHERE l.tenant_id = $1 AND l.phase = $3 AND l.container = company.organization_id
                    -- D8: somebody whom Jira did not name may be this one, ...
                    AND NOT EXISTS (SELECT FROM account_place p WHERE p.tenant_id = $1 AND p.run_id = l.run_id
                        AND p.phase = $3 AND p.container = l.container AND p.slots > cardinality(p.account_ids))
                    -- ... and that all organizations have lost all of their members is not believed.
                    AND EXISTS (SELECT FROM account_list o WHERE o.tenant_id = $1 AND o.phase = $3 AND o.length > 0)
            ) AS is_company_listed
        FROM contact c LEFT JOIN company ON company.tenant_id = c.tenant_id AND company.company_id = c.company_id
        WHERE c.tenant_id = $1 AND c.contact_id = ANY($2)
        """,
        scope.tenant_id,
        contact_ids,
        ORGANIZATIONS,
    )
    accounts = await scope.raw.fetch(
        """
        SELECT linked.* FROM unnest($2::bigint[]) AS wanted (contact_id), LATERAL (
            SELECT a.account_id, a.contact_id FROM account a WHERE a.tenant_id = $1 AND a.contact_id = wanted.contact_id
            -- One contact at a time, by its index, however old the statistics are (as in plan_rows).
            OFFSET 0) AS linked
        """,
        scope.tenant_id,
        contact_ids,
    )
    of_account = await _companies_of_accounts(scope, [row["account_id"] for row in accounts])
    of_contact: dict[ContactId, set[CompanyId]] = defaultdict(set)
    for row in accounts:
        of_contact[row["contact_id"]] |= of_account.get(row["account_id"], frozenset())
    of_hosts = await _companies_of_hosts(scope, [row["email"] for row in rows])
    return {
        row["contact_id"]: Facts(
            **{name: value for name, value in row.items() if name != "contact_id"},
            is_linked=row["contact_id"] in of_contact,
            of_organizations=of_contact.get(row["contact_id"], ()),
            of_hosts=of_hosts,
        )
        for row in rows
    }


async def _companies_of_accounts(
    scope: TenantScope, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, set[CompanyId]]:
    """Of the organizations that list each."""
    found: dict[AccountId, set[CompanyId]] = defaultdict(set)
    # PostgreSQL 18 compares each member with a hash of the accounts only in a plan made for these, which takes a thirtieth.
    await scope.raw.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    if account_ids:
        for row in await scope.raw.fetch(
            f"""
            SELECT m.account_id, company.company_id FROM ({MEMBERS} AND member.account_id = ANY($3)) m
            JOIN company ON company.tenant_id = $1 AND company.organization_id = m.organization_id
            """,  # noqa: S608 - a constant
            scope.tenant_id,
            ORGANIZATIONS,
            account_ids,
        ):
            found[row["account_id"]].add(row["company_id"])
    return found


async def _companies_of_hosts(scope: TenantScope, emails: Sequence[str | None]) -> Mapping[str, set[CompanyId]]:
    """That name one of the hosts of these addresses."""
    found: dict[str, set[CompanyId]] = defaultdict(set)
    for row in await scope.raw.fetch(
        "SELECT domain, company_id FROM company_domain WHERE tenant_id = $1 AND domain = ANY($2)",
        scope.tenant_id,
        sorted({host for email in emails for host in domains.hosts_of(email)}),
    ):
        found[row["domain"]].add(row["company_id"])
    return found


async def write(scope: TenantScope, changes: Sequence[Change], *, now: datetime) -> None:
    """Give contacts what was decided, with a line in the history where the company is another. The caller holds the
    switch, and has read what they had `before` under it.
    """
    moved = [change for change in changes if change.before.company_id != change.after.company_id]
    await scope.raw.execute(
        """
        INSERT INTO change (tenant_id, contact_id, field, old, new, cause, at)
        SELECT $1, wanted.contact_id, 'company', old.name, new.name, wanted.cause, $2
        FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
            WITH ORDINALITY AS wanted (contact_id, old_id, new_id, cause, place)
        LEFT JOIN company old ON old.tenant_id = $1 AND old.company_id = wanted.old_id
        LEFT JOIN company new ON new.tenant_id = $1 AND new.company_id = wanted.new_id
        ORDER BY wanted.place
        """,
        scope.tenant_id,
        now,
        [change.contact_id for change in moved],
        [change.before.company_id for change in moved],
        [change.after.company_id for change in moved],
        [change.cause for change in moved],
    )
    await scope.raw.execute(
        """
        UPDATE contact SET company_id = new.company_id, company_by = new.company_by,
            version = version + new.step,
            -- Who had edited it has edited it still; the rules are no edit.
            synced_version = CASE WHEN synced_version = version THEN version + new.step ELSE synced_version END,
            updated_at = CASE WHEN new.step > 0 THEN $2 ELSE updated_at END
        FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::integer[]) AS new (contact_id, company_id, company_by, step)
        WHERE contact.tenant_id = $1 AND contact.contact_id = new.contact_id
        """,
        scope.tenant_id,
        now,
        [change.contact_id for change in changes],
        [change.after.company_id for change in changes],
        [change.after.company_by for change in changes],
        [int(change.before.company_id != change.after.company_id) for change in changes],
    )


async def note_ties(scope: TenantScope, decisions: Mapping[ContactId, Decision], *, now: datetime) -> None:
    """Ask a person about contacts that several companies may mean; whatever was asked of the others is settled."""
    ties = {contact_id: decision for contact_id, decision in decisions.items() if isinstance(decision, Tie)}
    await scope.raw.execute(
        "DELETE FROM attention WHERE tenant_id = $1 AND kind = $2 AND contact_id = ANY($3)",
        scope.tenant_id,
        AttentionKind.COMPANY_TIE,
        [contact_id for contact_id in decisions if contact_id not in ties],
    )
    await scope.raw.execute(
        """
        INSERT INTO attention (tenant_id, kind, account_id, since, contact_id, company_ids)
        SELECT $1, $2, '', $3, new.contact_id, string_to_array(new.company_ids, ',')::bigint[]
        FROM unnest($4::bigint[], $5::text[]) AS new (contact_id, company_ids)
        ON CONFLICT (tenant_id, kind, account_id, contact_id) DO UPDATE SET company_ids = EXCLUDED.company_ids
        """,
        scope.tenant_id,
        AttentionKind.COMPANY_TIE,
        now,
        list(ties),
        [",".join(str(company_id) for company_id in tie.companies) for tie in ties.values()],
    )


async def mark_ties(scope: TenantScope, company_id: CompanyId) -> None:
    """The company is another, or goes: look again at contacts about which a person was asked whether they belong to it.
    The caller holds the links or the switch.
    """
    await scope.execute(
        """
        INSERT INTO company_due (tenant_id, contact_id)
        SELECT tenant_id, contact_id FROM attention
        WHERE tenant_id = :tenant_id AND kind = :kind AND CAST(:company_id AS bigint) = ANY(company_ids)
        ON CONFLICT DO NOTHING
        """,
        kind=AttentionKind.COMPANY_TIE,
        company_id=company_id,
    )
