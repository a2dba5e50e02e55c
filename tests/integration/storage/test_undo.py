"""A run with more changes than are taken back at once, and contacts that were edited in between."""

from addon.storage import undo
from addon.storage.undo import TAKEN_BACK_AT_ONCE
from tests.integration.storage.site import NOW, Site, people

MANY = TAKEN_BACK_AT_ONCE * 2 + 1


async def taken_back(site: Site, run_id: int) -> int:
    """Carry the undoing to its end; in how many parts."""
    async with site.database.tenant(site.tenant_id) as scope:
        await undo.begin(scope, run_id, enqueue=site.enqueue, now=NOW)
    assert [work.number for work in site.queue if work.kind == "undo"] == [run_id]
    parts, has_more = 0, True
    while has_more:
        parts += 1
        async with site.database.tenant(site.tenant_id) as scope:
            has_more = await undo.carry_on(scope, run_id, now=NOW)
    return parts


async def test_long_run_is_taken_back_part_by_part(acme: Site) -> None:
    typed = await acme.a_contact("Typed", "user-7@x.example", phone="1")
    await acme.switch(enabled=True)
    run = await acme.whole_run(people(MANY))
    assert run.created == MANY - 1
    await acme.do(
        "UPDATE contact SET version = version + 1 WHERE tenant_id = :tenant_id AND email = 'user-9@x.example'"
    )
    assert await taken_back(acme, run.id) == 3
    left = await acme.rows("SELECT contact_id, email FROM contact WHERE tenant_id = :tenant_id ORDER BY contact_id")
    assert [row["email"] for row in left] == ["user-7@x.example", "user-9@x.example"]
    assert left[0]["contact_id"] == typed
    links = await acme.links()
    assert set(links) == {"user-009"}
    causes = await acme.rows(
        """
        SELECT cause, count(*) AS lines FROM change WHERE tenant_id = :tenant_id AND cause LIKE 'und%'
        GROUP BY cause ORDER BY cause
        """
    )
    # Of the contact typed by hand, the link and the name that it took over are taken back.
    assert [(row["cause"], row["lines"]) for row in causes] == [("undo-left", 1), ("undone", MANY - 2 + 2)]


async def test_undo_that_was_cut_short_goes_on_where_it_stood(acme: Site) -> None:
    await acme.switch(enabled=True)
    run = await acme.whole_run(people(TAKEN_BACK_AT_ONCE + 1))
    async with acme.database.tenant(acme.tenant_id) as scope:
        await undo.begin(scope, run.id, enqueue=acme.enqueue, now=NOW)
    async with acme.database.tenant(acme.tenant_id) as scope:
        assert await undo.carry_on(scope, run.id, now=NOW)
    assert await acme.rows("SELECT count(*) AS left FROM contact WHERE tenant_id = :tenant_id") == [{"left": 1}]
    async with acme.database.tenant(acme.tenant_id) as scope:
        assert not await undo.carry_on(scope, run.id, now=NOW)
        assert not await undo.carry_on(scope, run.id, now=NOW)
    assert await acme.rows("SELECT count(*) AS left FROM contact WHERE tenant_id = :tenant_id") == [{"left": 0}]
