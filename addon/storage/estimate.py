"""How many people would a choice of filters leave (D11)? Counted from what is known already, without asking Jira.

While the sync is off that is the preview, which knows everybody whom it read; while it is on, the accounts that it keeps
and the lists as its last whole scan read them. Whom neither has read is not counted, and the estimate says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from addon.storage import preview
from addon.storage.database import TenantScope
from addon.sync import filters as sync_filters
from addon.sync.filters import PHASES, Filters, PlaceKind
from addon.sync.scope import Scope

KNOWN = {
    "preview": """
        known AS (
            SELECT tenant_id, account_id, kind, active, email_key, false AS is_linked FROM preview_account
            WHERE tenant_id = :tenant_id
        ), listed AS (
            SELECT tenant_id, phase, container, account_ids FROM preview_place WHERE tenant_id = :tenant_id
        )""",
    "sync": """
        known AS (
            SELECT tenant_id, account_id, kind, active, email_key, contact_id IS NOT NULL AS is_linked FROM account
            WHERE tenant_id = :tenant_id
        ), listed AS (
            SELECT place.tenant_id, place.phase, place.container, place.account_ids FROM account_place place
            JOIN account_list list ON list.tenant_id = place.tenant_id AND list.run_id = place.run_id
                AND list.phase = place.phase AND list.container = place.container
            WHERE place.tenant_id = :tenant_id
        )""",
}

Source = Literal["preview", "sync"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """`people`: of the `known` users and customers, those who would be synced. `as_of`: when they were read.

    `unread`: named groups, projects and organizations whose people nobody has read. `is_narrow`: people were left out
    already when the known ones were read, so that more may be meant.
    """

    people: int
    known: int
    users: int
    customers: int
    source: Source
    as_of: datetime
    unread: Mapping[PlaceKind, Sequence[str]]
    is_narrow: bool

    @property
    def is_exact(self) -> bool:
        """As exact as a run that reads the same people now."""
        return not self.is_narrow and not any(self.unread.values())


async def count(scope: TenantScope, wanted: Scope, present: Scope, *, is_on: bool, now: datetime) -> Estimate | None:
    """None where nobody has been read yet. `present`: the settings as they are."""
    if is_on:
        as_of = await scope.fetch_val(
            "SELECT finished_at FROM sync_run WHERE tenant_id = :tenant_id AND state = 'done' ORDER BY run_id DESC LIMIT 1"
        )
        return None if as_of is None else await _count(scope, wanted, source="sync", read_by=present, as_of=as_of)
    made = await preview.read(scope, now=now)
    if made.state != "done" or made.scope is None or made.finished_at is None:
        return None
    return await _count(scope, wanted, source="preview", read_by=made.scope, as_of=made.finished_at)


async def sizes(scope: TenantScope, kind: PlaceKind) -> Mapping[str, int]:
    """How many people each group, project or organization has, as far as they were read."""
    is_on = await scope.fetch_val("SELECT enabled FROM sync_setting WHERE tenant_id = :tenant_id")
    source: Source = "sync" if is_on else "preview"
    rows = await scope.fetch_all(
        f"""
        WITH {KNOWN[source]}
        SELECT container, sum(cardinality(account_ids)) AS people FROM listed
        WHERE tenant_id = :tenant_id AND phase = :phase GROUP BY container
        """,  # noqa: S608 - constants of this module
        phase=PHASES[kind],
    )
    return {row["container"]: int(row["people"]) for row in rows}


async def _count(scope: TenantScope, wanted: Scope, *, source: Source, read_by: Scope, as_of: datetime) -> Estimate:
    filters = wanted.filters
    row = await scope.fetch_one(
        f"""
        WITH {KNOWN[source]}, member AS (
            SELECT DISTINCT unnest(account_ids) AS account_id,
                CASE phase WHEN :users THEN 'user' ELSE 'customer' END AS kind
            FROM listed
            WHERE (phase = :users AND container = ANY(CAST(:groups AS text[])))
                OR (phase = :customers AND container = ANY(CAST(:projects AS text[])))
                OR (phase = :members AND container = ANY(CAST(:organizations AS text[])))
        )
        SELECT count(*) AS known, count(*) FILTER (WHERE kind = 'user') AS users,
            count(*) FILTER (WHERE kind = 'customer') AS customers, count(*) FILTER (WHERE
            (active OR CAST(:include_inactive AS boolean) OR is_linked)
            AND (cardinality(CAST(:kinds AS text[])) = 0 OR kind = ANY(CAST(:kinds AS text[])))
            AND (cardinality(CAST(:domains AS text[])) = 0
                OR split_part(email_key, '@', -1) = ANY(CAST(:domains AS text[])))
            AND (NOT CASE kind WHEN 'user' THEN CAST(:by_group AS boolean) ELSE CAST(:by_list AS boolean) END
                OR EXISTS (SELECT FROM member WHERE member.account_id = known.account_id AND member.kind = known.kind))
        ) AS people
        FROM known WHERE tenant_id = :tenant_id
        """,  # noqa: S608 - constants of this module
        users=PHASES["groups"],
        customers=PHASES["projects"],
        members=PHASES["organizations"],
        groups=list(filters.groups),
        projects=list(filters.projects),
        organizations=list(filters.organizations),
        include_inactive=wanted.include_inactive,
        kinds=list(filters.kinds),
        domains=[spelling for domain in filters.email_domains for spelling in sync_filters.spellings(domain)],
        by_group=filters.is_by_list("user"),
        by_list=filters.is_by_list("customer"),
    )
    if row is None:
        raise LookupError("a query of counts gave no row")
    return Estimate(
        **row,
        source=source,
        as_of=as_of,
        unread=await _unread(scope, filters),
        is_narrow=is_narrower(read_by, wanted, source),
    )


def is_narrower(read_by: Scope, wanted: Scope, source: Source) -> bool:
    """Whether people whom `wanted` means were left out when people were read by `read_by`."""
    read, meant = read_by.filters, wanted.filters
    if any(getattr(read, name) and not getattr(meant, name) for name in ("groups", "projects", "organizations")):
        return True
    if source == "preview":
        # It reads inactive people and all kinds and domains, but lists only where customers are meant.
        return False
    return (
        (wanted.include_inactive and not read_by.include_inactive)
        or bool(read.kinds and set(meant.kinds or ("user", "customer")) - set(read.kinds))
        or bool(read.email_domains and (not meant.email_domains or set(meant.email_domains) - set(read.email_domains)))
    )


async def _unread(scope: TenantScope, filters: Filters) -> Mapping[PlaceKind, Sequence[str]]:
    named: Mapping[PlaceKind, Sequence[str]] = {
        "groups": filters.groups,
        "projects": filters.projects,
        "organizations": filters.organizations,
    }
    unread: dict[PlaceKind, Sequence[str]] = {}
    for kind, places in named.items():
        read = await sizes(scope, kind) if places else {}
        unread[kind] = [place for place in places if place not in read]
    return unread
