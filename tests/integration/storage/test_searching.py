"""Every way of finding contacts finds what reading all of them finds, in the same order."""

import dataclasses
import itertools
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from addon.crm import contact as crm
from addon.crm.company import CompanyId
from addon.crm.contact import Contact, ContactId
from addon.storage import contacts, criteria, keyset, needle, searching
from addon.storage.database import Database, TenantScope
from addon.storage.searching import USUAL, Effort, Search
from tests.integration.storage.site import NOW, Site, a_site
from tests.support.likeness import is_like

NAMES = [
    "Ada Lovelace",
    "Zoë Müller-Lüdenscheidt",
    "Ann Lee",
    "ann lee",
    "O'Neil, Bo",
    "王伟",
    "محمد",
    "100%_sure",
    "\u0301",
]
DOMAINS = ["acme.example", "lovelace.org", "x-ray.example"]
COMPANIES = ["Acme Inc", "Lovelace & Söhne", "王 Ltd", "an_x"]
QUERIES = [
    None, "lovelace", "Ada L", "an", "a", "bo", "lee@", "müller", "MULLER", "e.x", "100%", "%", "_", "王", "王伟", "inc", "& s",
    "nobody", "\u0301", "x.y", "@acme", "ue",
]  # fmt: skip
# Each drives another way: gathering by a filter or by trigrams, walking a part or all of an index.
EFFORTS = [
    USUAL,
    Effort(few=0, some=0, sample=2, steps=4, many=1000),
    Effort(few=0, some=0, sample=2, steps=20, many=1),
    Effort(few=0, some=20, sample=1, steps=1, many=1),
]
# What the planner may do is its affair, and changes with the statistics: whatever it does, the order holds.
PLANNERS = [
    (),
    ("enable_nestloop", "enable_hashjoin"),
    ("enable_nestloop", "enable_mergejoin"),
    ("enable_indexscan", "enable_bitmapscan", "enable_nestloop", "enable_mergejoin"),
]


@pytest.fixture
async def crowd(database: Database) -> Site:
    """Some 60 contacts, most of them linked, some of them about to be decided; beside another tenant's like them."""
    other = await a_site(database)
    await _fill(other, seed=2)
    site = await a_site(database)
    await _fill(site, seed=1)
    # As requests have it: read from the database, which gives another kind of UUID than the standard library.
    (row,) = await site.rows("SELECT tenant_id FROM tenant WHERE tenant_id = :tenant_id")
    return dataclasses.replace(site, tenant_id=row["tenant_id"])


async def _fill(site: Site, *, seed: int) -> None:
    await site.switch(enabled=True)
    drawn = random.Random(seed)
    async with site.database.tenant(site.tenant_id) as scope:
        companies = [
            await scope.fetch_val(
                """
                INSERT INTO company (tenant_id, name, name_key, created_at, updated_at)
                VALUES (:tenant_id, :name, :name_key, :now, :now) RETURNING company_id
                """,
                name=name,
                name_key=crm.name_key(name),
                now=NOW,
            )
            for name in COMPANIES
        ]
        for number in range(60):
            name = drawn.choice(NAMES)
            email = f"{drawn.choice(['ada.lovelace', 'bo', 'Ü'])}{number % 7}@{drawn.choice(DOMAINS)}"
            email_or_none = drawn.choice([email, email, None])
            contact_id = await scope.fetch_val(
                """
                INSERT INTO contact (tenant_id, name, name_key, email, email_key, company_id, origin, created_at, updated_at)
                VALUES (:tenant_id, :name, :name_key, :email, :email_key, :company_id, 'manual', :now, :at)
                RETURNING contact_id
                """,
                name=name,
                name_key=crm.name_key(name),
                email=email_or_none,
                email_key=email_or_none and crm.email_key(email_or_none),
                company_id=drawn.choice([*companies, None, None]),
                now=NOW,
                at=NOW + timedelta(seconds=drawn.randrange(20)),
            )
            if drawn.random() < 0.7:
                await _link(scope, f"account {number}", contact_id, crm.email_key(email))
        for number in range(5):
            await _link(scope, f"held {number}", None, crm.email_key(f"bo{number}@acme.example"))


async def _link(scope: TenantScope, account_id: str, contact_id: int | None, email_key: str) -> None:
    await scope.execute(
        """
        INSERT INTO account (tenant_id, account_id, kind, active, display_name, email_key, email_state, checked_at,
                             contact_id, linked_by, linked_at, held)
        VALUES (:tenant_id, :account_id, 'user', true, 'x', :email_key, 'visible', :now, CAST(:contact_id AS bigint),
                'email', :now, CAST(:contact_id AS bigint) IS NULL)
        """,
        account_id=account_id,
        contact_id=contact_id,
        email_key=email_key,
        now=NOW,
    )
    await scope.execute(
        "INSERT INTO attention (tenant_id, kind, account_id, since) VALUES (:tenant_id, :kind, :account_id, :now)",
        kind="ambiguous-email" if contact_id is None else "email-collision",
        account_id=account_id,
        now=NOW,
    )


async def everybody(site: Site) -> tuple[list[Contact], frozenset[ContactId]]:
    """All contacts, and those that a shown decision names."""
    async with site.database.tenant(site.tenant_id) as scope:
        rows = await scope.fetch_all("SELECT contact_id FROM contact WHERE tenant_id = :tenant_id")
        found = await contacts.fetch_some(scope, [row["contact_id"] for row in rows])
        named = await scope.fetch_all(criteria.ATTENTION_IDS)
    return list(found), frozenset(row["contact_id"] for row in named)


def expected(found: Sequence[Contact], named: frozenset[ContactId], wanted: Search) -> list[ContactId]:
    text = needle.read(wanted.query)

    def fits(one: Contact) -> bool:
        keys = [
            f" {crm.name_key(one.name)}",
            f" {crm.email_key(one.email)}" if one.email else "",
            f" {crm.name_key(one.company.name)}" if one.company else "",
        ]
        return (
            (text is None or any(is_like(key, pattern) for key in keys for pattern in text.patterns))
            and wanted.linked in {None, one.is_synced}
            and (not wanted.attention or one.contact_id in named)
            and wanted.company_id in {None, one.company.company_id if one.company else None}
        )

    def key(one: Contact) -> tuple[object, int]:
        return (crm.name_key(one.name) if wanted.sort.column == "name_key" else one.updated_at), one.contact_id

    ordered = sorted(filter(fits, found), key=key, reverse=wanted.sort.descending)
    return [one.contact_id for one in ordered]


async def all_pages(site: Site, wanted: Search, effort: Effort, avoided: Sequence[str]) -> list[ContactId]:
    """`avoided`: the planner's settings that are off."""
    ids: list[ContactId] = []
    async with site.database.tenant(site.tenant_id) as scope:
        for setting in avoided:
            await scope.raw.execute(f"SET LOCAL {setting} = off")
        while True:
            page = await searching.search(scope, wanted, effort=effort)
            assert len(page.items) <= wanted.limit
            ids += [one.contact_id for one in page.items]
            if page.next_cursor is None:
                return ids
            wanted = dataclasses.replace(wanted, cursor=page.next_cursor)


@pytest.mark.parametrize("effort", EFFORTS)
async def test_every_search_in_every_order_finds_what_reading_all_finds(crowd: Site, effort: Effort) -> None:
    found, named = await everybody(crowd)
    assert 5 < len(named) < len(found)
    company_id = CompanyId(min(one.company.company_id for one in found if one.company))
    filters = itertools.product((None, True, False), (None, True), (None, company_id))
    searches = list(itertools.product(QUERIES, filters, keyset.SORTS.values()))
    drawn = random.Random(effort.few).sample(searches, 72)
    for (query, (linked, attention, firm), sort), avoided in zip(drawn, itertools.cycle(PLANNERS), strict=False):
        wanted = Search(
            query=query, linked=linked, attention=attention, company_id=firm, sort=sort, limit=5 + len(query or "") * 3
        )
        assert await all_pages(crowd, wanted, effort, avoided) == expected(found, named, wanted), (wanted, avoided)


@pytest.mark.parametrize("effort", EFFORTS)
async def test_count_is_right_where_it_says_so_and_never_too_high(crowd: Site, effort: Effort) -> None:
    found, named = await everybody(crowd)
    for query, linked in zip(QUERIES, itertools.cycle((None, True, False)), strict=False):
        wanted = Search(query=query, linked=linked, limit=5)
        async with crowd.database.tenant(crowd.tenant_id) as scope:
            _, count = await searching.search_and_count(scope, wanted, effort=effort)
        number = len(expected(found, named, wanted))
        assert count.number == number if count.is_exact else count.number <= number, wanted


async def test_while_the_sync_is_off_nobody_is_linked(crowd: Site) -> None:
    await crowd.switch(enabled=False)
    async with crowd.database.tenant(crowd.tenant_id) as scope:
        linked = await searching.search(scope, Search(linked=True))
        free = await searching.search(scope, Search(linked=False, limit=200))
    assert (len(linked.items), len(free.items)) == (0, 60)
