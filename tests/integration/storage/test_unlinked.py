"""The contacts that no account is linked to are known at every moment, whoever wrote what."""

import random

from addon.storage.database import Database, TenantScope
from tests.integration.storage.site import NOW, Site, a_site, people

KNOWN = "SELECT contact_id FROM contact_unlinked WHERE tenant_id = :tenant_id"
TRUE = """
    SELECT contact_id FROM contact c WHERE tenant_id = :tenant_id
    AND NOT EXISTS (SELECT 1 FROM account a WHERE a.tenant_id = c.tenant_id AND a.contact_id = c.contact_id)
"""


async def assert_known(site: Site) -> set[int]:
    known: set[int] = {row["contact_id"] for row in await site.rows(KNOWN)}
    assert known == {row["contact_id"] for row in await site.rows(TRUE)}
    return known


async def test_unlinked_contacts_are_known_through_a_runs_life(acme: Site) -> None:
    free = await acme.a_contact("Ana", "user-0@x.example")
    lonely = await acme.a_contact("Bo", None)
    assert await assert_known(acme) == {free, lonely}
    await acme.switch(enabled=True)
    await acme.whole_run(people(30))
    assert await assert_known(acme) == {lonely}
    await acme.whole_run(people(20))
    assert len(await assert_known(acme)) == 11
    await acme.do("DELETE FROM contact WHERE tenant_id = :tenant_id AND contact_id = :id", id=lonely)
    assert len(await assert_known(acme)) == 10
    await acme.switch(enabled=False)
    while await acme.clear():
        await assert_known(acme)
    assert len(await assert_known(acme)) == 30
    await acme.switch(enabled=True)
    await acme.whole_run(people(20))
    assert len(await assert_known(acme)) == 10


async def test_unlinked_contacts_are_known_whatever_happens_to_links(database: Database) -> None:
    sites = [await a_site(database), await a_site(database)]
    drawn = random.Random(7)
    for site in sites:
        for number in range(6):
            await site.a_contact(f"Contact {number}", None)
    for _ in range(60):
        site = drawn.choice(sites)
        async with database.tenant(site.tenant_id) as scope:
            ids = [row["contact_id"] for row in await scope.fetch_all(TRUE.partition("AND NOT")[0])]
            await _change(scope, drawn, [*ids, None])
        for each in sites:
            await assert_known(each)


async def _change(scope: TenantScope, drawn: random.Random, contact_ids: list[int | None]) -> None:
    """One statement that touches some accounts at once."""
    account_ids = [f"account {drawn.randrange(5)}" for _ in range(drawn.randrange(1, 4))]
    match drawn.randrange(4):
        case 0:
            await scope.execute(
                "DELETE FROM account WHERE tenant_id = :tenant_id AND account_id = ANY(CAST(:ids AS text[]))",
                ids=account_ids,
            )
        case 1:
            await scope.execute(
                "DELETE FROM contact WHERE tenant_id = :tenant_id AND contact_id = CAST(:id AS bigint) AND :is_rare",
                id=drawn.choice(contact_ids),
                is_rare=drawn.random() < 0.2,
            )
        case _:
            await scope.execute(
                """
                INSERT INTO account (tenant_id, account_id, kind, active, display_name, email_state, checked_at,
                                     contact_id, linked_by, linked_at)
                SELECT :tenant_id, account_id, 'user', true, 'x', 'visible', :now, contact_id, 'email', :now
                FROM unnest(CAST(:account_ids AS text[]), CAST(:contact_ids AS bigint[])) AS new (account_id, contact_id)
                ON CONFLICT (tenant_id, account_id) DO UPDATE SET contact_id = EXCLUDED.contact_id
                """,
                account_ids=list(dict.fromkeys(account_ids)),
                contact_ids=[drawn.choice(contact_ids) for _ in dict.fromkeys(account_ids)],
                now=NOW,
            )
