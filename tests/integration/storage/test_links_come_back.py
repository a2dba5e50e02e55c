"""Whom do the rules look at again when a remembered link comes back (D10): nobody after a pause, and whoever left meanwhile."""

from addon.storage import places
from addon.sync.order import ListKey, Stretch
from lifecycle.tenant import AccountId
from tests.integration.storage.site import NOW, Site, a_site
from tests.unit.sync.builders import a_sighting

ONE = ListKey(phase="organizations", container="1")
MEMBERS = Stretch(start=0, slots=1, account_ids=[AccountId("member")])


async def leave(site: Site) -> None:
    """All links become memories."""
    await site.do(
        """
        UPDATE account SET contact_id = NULL, linked_by = NULL, remembered_contact_id = contact_id, remembered_by = linked_by
        WHERE tenant_id = :tenant_id
        """
    )
    assert await marked(site) == []


async def come_back(site: Site, *, to: int | None = None) -> None:
    await site.do(
        """
        UPDATE account SET contact_id = coalesce(CAST(:to AS bigint), remembered_contact_id), linked_by = remembered_by,
            remembered_contact_id = NULL, remembered_by = NULL
        WHERE tenant_id = :tenant_id
        """,
        to=to,
    )


async def marked(site: Site) -> list[str]:
    """The names of the contacts that are marked; no contact is any more."""
    rows = await site.rows(
        """
        SELECT name FROM company_due d JOIN contact c USING (tenant_id, contact_id)
        WHERE d.tenant_id = :tenant_id ORDER BY name
        """
    )
    await site.do("DELETE FROM company_due WHERE tenant_id = :tenant_id")
    return [row["name"] for row in rows]


async def linked(site: Site) -> None:
    sighted = [a_sighting(name, display_name=name, email=f"{name}@x.example") for name in ("member", "other")]
    await site.scan(await site.turn_on(), sighted)
    assert await marked(site) == ["member", "other"]


async def read(site: Site, run_id: int, *pages: tuple[ListKey, Stretch]) -> None:
    async with site.database.tenant(site.tenant_id) as scope:
        await places.write(scope, run_id, pages)
        await places.adopt(scope, run_id)


async def test_link_that_comes_back_after_a_pause_marks_nobody(acme: Site) -> None:
    beside = await a_site(acme.database)
    for site in (acme, beside):
        await linked(site)
        await leave(site)
    # Of another site the lists are known, which says nothing of this one.
    await read(beside, 1, (ONE, MEMBERS))
    await come_back(acme)
    assert await marked(acme) == []
    await leave(acme)
    stranger = await acme.a_contact("Stranger", None)
    await marked(acme)
    await come_back(acme, to=stranger)
    assert await marked(acme) == ["Stranger"], "this is no memory"
    assert await marked(beside) == []


async def test_link_that_comes_back_while_lists_are_known_marks_its_contact(acme: Site) -> None:
    await linked(acme)
    await read(acme, 1, (ONE, MEMBERS))
    await leave(acme)
    await come_back(acme)
    assert await marked(acme) == ["member", "other"]


async def test_first_scan_after_a_pause_marks_who_is_not_where_the_company_came_from(acme: Site) -> None:
    await linked(acme)
    await acme.do(
        """
        INSERT INTO company (tenant_id, name, name_key, organization_id, created_at, updated_at)
        VALUES (:tenant_id, 'One', 'one', '1', :now, :now)
        """,
        now=NOW,
    )
    await acme.do(
        """
        UPDATE contact SET company_id = company.company_id, company_by = 'organization' FROM company
        WHERE contact.tenant_id = :tenant_id AND company.tenant_id = :tenant_id
        """
    )
    await acme.a_contact("without a company", None)
    await marked(acme)
    await read(acme, 1, (ONE, MEMBERS))
    assert await marked(acme) == ["other"]
