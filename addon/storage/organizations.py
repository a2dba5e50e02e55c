"""What are the organizations of Jira Service Management called, and which company stands for each (C2)?

They are read page by page by a job (`addon.assigning`), after each whole scan and now and then, and kept with the page that
was read. What a name means for companies is `addon.crm.organization`'s.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from addon.crm import contact, organization
from addon.crm.company import CompanyId
from addon.crm.organization import Create, Fate, Follow, Organization, Present
from addon.storage import assigning, company_rules, sync_state
from addon.storage.database import TenantScope
from addon.storage.sync_state import Enqueue
from addon.sync import slots
from addon.sync.filters import ORGANIZATIONS, Named
from addon.sync.work import Work

PERIOD = timedelta(hours=4)
PAGE = 50
MAX_PERIODS = 6
# A page of names may cost 51 points, whatever it tells, and a quiet hour is to cost 300 in all: a site is asked for a page in
# each period, but for all of them each day.


IS_GONE = """
    (company.organization_name IS NOT NULL AND NOT EXISTS (
        SELECT FROM organization o
        WHERE o.tenant_id = company.tenant_id AND o.organization_id = company.organization_id))
"""
# What a whole reading did not meet is forgotten. Of an organization that was never read, nobody knows.


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a reading goes on. `failures`: in a row."""

    start: int
    failures: int


async def tend(scope: TenantScope, *, enqueue: Enqueue, now: datetime) -> None:
    """Have the names read if that is due, or goes on. For tenants whose sync is on and has read everybody once."""
    row = await scope.fetch_one(
        """
        SELECT r.organizations_read_at, r.next_start IS NOT NULL AS is_going,
            (SELECT count(*) FROM organization o WHERE o.tenant_id = :tenant_id) AS organizations
        FROM probe_state p LEFT JOIN company_rule r USING (tenant_id) WHERE p.tenant_id = :tenant_id
        """
    )
    if row is None:
        return
    pages = max(math.ceil(row["organizations"] / PAGE), 1)
    periods = min(pages, MAX_PERIODS)
    read_at = row["organizations_read_at"]
    if row["is_going"] or read_at is None or read_at < slots.latest(scope.tenant_id, periods * PERIOD, now):
        await begin(scope, enqueue=enqueue, now=now)


async def begin(scope: TenantScope, *, enqueue: Enqueue, now: datetime) -> None:
    """Have the names read, unless that is going on; then its job is there, unless it was lost."""
    await scope.execute(
        """
        INSERT INTO company_rule (tenant_id, next_start, reading_since) VALUES (:tenant_id, 0, :now)
        ON CONFLICT (tenant_id) DO UPDATE SET next_start = 0, reading_since = EXCLUDED.reading_since, failures = 0
        WHERE company_rule.next_start IS NULL
        """,
        now=now,
    )
    await enqueue(scope, Work(kind="organizations", tenant_id=scope.tenant_id, number=0))


async def standing(scope: TenantScope) -> Standing | None:
    """None where nothing is being read, or the sync is off."""
    row = await scope.fetch_one(
        """
        SELECT r.next_start AS start, r.failures FROM company_rule r
        JOIN sync_setting s ON s.tenant_id = r.tenant_id AND s.enabled
        WHERE r.tenant_id = :tenant_id AND r.next_start IS NOT NULL
        """
    )
    return None if row is None else Standing(**row)


async def name_for(scope: TenantScope, company_id: CompanyId) -> str | None:
    """What the company's organization was last called, its id where it was never read; None where it follows none."""
    found: str | None = await scope.fetch_val(
        """
        SELECT coalesce(o.name, c.organization_name, c.organization_id) FROM company c
        LEFT JOIN organization o ON o.tenant_id = c.tenant_id AND o.organization_id = c.organization_id
        WHERE c.tenant_id = :tenant_id AND c.company_id = CAST(:company_id AS bigint)
        """,
        company_id=company_id,
    )
    return found


async def note_failure(scope: TenantScope, *, is_over: bool, now: datetime) -> None:
    """One more attempt in a row got nowhere. `is_over`: the next turn asks again; until then what is known counts."""
    await scope.execute(
        """
        UPDATE company_rule SET failures = failures + 1,
            next_start = CASE WHEN :is_over THEN NULL ELSE next_start END,
            organizations_read_at = CASE WHEN :is_over THEN :now ELSE organizations_read_at END
        WHERE tenant_id = :tenant_id AND next_start IS NOT NULL
        """,
        is_over=is_over,
        now=now,
    )


async def write(
    scope: TenantScope,
    before: Standing,
    names: Sequence[Named],
    next_start: int | None,
    *,
    is_refused: bool = False,
    now: datetime,
) -> bool:
    """Keep a page, let companies follow it, and move the reading on; whether there is more to read. A page that was read
    twice changes nothing. `is_refused`: Jira does not say what is left, and what is known of it stays (D8).
    """
    switch = await sync_state.lock_switch(scope)
    present = await standing(scope)
    if present is None or present.start != before.start:
        return False
    admitted = switch.filters.containers(ORGANIZATIONS)
    read = {name.id: organization.clean_name(name.name, name.id) for name in names}
    kept = await _keep(scope, read, now)
    # Of an organization that the filters do not mean, nobody becomes a contact (D11).
    meant = [each for each in kept if admitted is None or each.organization_id in admitted]
    rules = await company_rules.read(scope)
    fates = organization.settle(meant, await _present(scope, meant), may_begin=rules.by_organization)
    await _carry_out(scope, fates, now)
    await scope.execute(
        """
        UPDATE company_rule SET next_start = CAST(:next_start AS integer), failures = 0,
            organizations_read_at = CASE WHEN CAST(:next_start AS integer) IS NULL THEN :now ELSE organizations_read_at END
        WHERE tenant_id = :tenant_id
        """,
        next_start=next_start,
        now=now,
    )
    if next_start is None and not is_refused:
        await _forget_gone(scope)
    return next_start is not None


async def decline(scope: TenantScope, organization_id: str, name: str, *, now: datetime) -> None:
    """A person took the organization's company away: none is made for it again until a person names it."""
    await scope.execute(
        """
        INSERT INTO organization (tenant_id, organization_id, name, name_key, read_at, is_declined)
        VALUES (:tenant_id, :organization_id, :name, :name_key, :now, true)
        ON CONFLICT (tenant_id, organization_id) DO UPDATE SET is_declined = true
        """,
        organization_id=organization_id,
        name=name,
        name_key=contact.name_key(name),
        now=now,
    )


async def _keep(scope: TenantScope, names: dict[str, str], now: datetime) -> Sequence[Organization]:
    rows = await scope.raw.fetch(
        """
        INSERT INTO organization (tenant_id, organization_id, name, name_key, read_at)
        SELECT $1, new.*, $2 FROM unnest($3::text[], $4::text[], $5::text[]) AS new
        ON CONFLICT (tenant_id, organization_id)
            DO UPDATE SET name = EXCLUDED.name, name_key = EXCLUDED.name_key, read_at = EXCLUDED.read_at
        RETURNING organization_id, name, is_declined
        """,
        scope.tenant_id,
        now,
        list(names),
        list(names.values()),
        [contact.name_key(name) for name in names.values()],
    )
    return [Organization(**row) for row in rows]


async def _present(scope: TenantScope, organizations: Sequence[Organization]) -> Sequence[Present]:
    """The companies of these, and those that have the name of one."""
    rows = await scope.raw.fetch(
        f"""
        SELECT company_id, name, organization_id, organization_name, {IS_GONE} AS is_organization_gone FROM company
        WHERE tenant_id = $1 AND (organization_id = ANY($2) OR name_key = ANY($3)) ORDER BY company_id
        """,  # noqa: S608 - a constant
        scope.tenant_id,
        [each.organization_id for each in organizations],
        # Without accents, which the key of a company's name tells apart.
        [contact.name_key(each.name) for each in organizations],
    )
    return [Present(**row) for row in rows]


async def _carry_out(scope: TenantScope, fates: Sequence[Fate], now: datetime) -> None:
    begun: list[str] = []
    for fate in fates:
        match fate:
            case None:
                pass
            case Create():
                await _create(scope, fate.organization, now)
                begun.append(fate.organization.organization_id)
            case Follow():
                await _follow(scope, fate, now)
                if fate.is_new:
                    begun.append(fate.organization.organization_id)
            case _:
                assert_never(fate)
    if begun:
        await _mark_members(scope, begun)


async def _create(scope: TenantScope, made: Organization, now: datetime) -> None:
    await scope.execute(
        """
        INSERT INTO company (tenant_id, name, name_key, organization_id, organization_name, created_at, updated_at)
        VALUES (:tenant_id, :name, :name_key, :organization_id, :name, :now, :now)
        """,
        name=made.name,
        name_key=contact.name_key(made.name),
        organization_id=made.organization_id,
        now=now,
    )


async def _follow(scope: TenantScope, fate: Follow, now: datetime) -> None:
    await scope.execute(
        """
        UPDATE company SET organization_id = :organization_id, organization_name = :organization_name,
            name = :name, name_key = :name_key,
            version = version + CASE WHEN name <> :name OR :is_new THEN 1 ELSE 0 END,
            updated_at = CASE WHEN name <> :name OR :is_new THEN :now ELSE updated_at END
        WHERE tenant_id = :tenant_id AND company_id = :company_id
        """,
        company_id=fate.company_id,
        organization_id=fate.organization.organization_id,
        organization_name=fate.organization.name,
        name=fate.name,
        name_key=contact.name_key(fate.name),
        is_new=fate.is_new,
        now=now,
    )


async def _mark_members(scope: TenantScope, organization_ids: Sequence[str]) -> None:
    """The contacts of organizations that have a company only now."""
    await scope.raw.execute(
        f"""
        INSERT INTO company_due (tenant_id, contact_id)
        SELECT DISTINCT a.tenant_id, a.contact_id FROM ({assigning.MEMBERS} AND l.container = ANY($3)) m
        JOIN account a ON a.tenant_id = $1 AND a.account_id = m.account_id AND a.contact_id IS NOT NULL
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 - a constant
        scope.tenant_id,
        ORGANIZATIONS,
        organization_ids,
    )


async def _forget_gone(scope: TenantScope) -> None:
    """Whom the whole reading did not meet. The company stays, and so does a person's word about it."""
    await scope.execute(
        """
        DELETE FROM organization o USING company_rule r
        WHERE o.tenant_id = :tenant_id AND r.tenant_id = :tenant_id AND NOT o.is_declined AND o.read_at < r.reading_since
            -- D8: that there is none at all any more is not believed; who may see none gets an empty list.
            AND EXISTS (SELECT FROM organization met WHERE met.tenant_id = :tenant_id AND met.read_at >= r.reading_since)
        """
    )
