"""A preview of more accounts than are planned at once, and what ends one."""

from collections.abc import Sequence

import pytest

from addon.storage import preview
from addon.storage.preview_store import PLANNED_AT_ONCE, PreviewStore
from addon.sync import ports
from addon.sync.cursor import Cursor
from tests.integration.storage.site import NOW, Site, a_site

TWINS = 7
# Accounts of one email. They must be planned together, wherever a part ends.


async def begun(site: Site) -> PreviewStore:
    async with site.database.tenant(site.tenant_id) as scope:
        await preview.begin(scope, enqueue=site.enqueue, now=NOW)
    return PreviewStore(
        database=site.database, tenant_id=site.tenant_id, number=site.queue[-1].number, clock=lambda: NOW
    )


async def put(site: Site, emails: Sequence[str | None]) -> None:
    """Accounts that were read, one for each email."""
    async with site.database.tenant(site.tenant_id) as scope:
        await scope.raw.execute(
            """
            INSERT INTO preview_account (tenant_id, account_id, kind, active, display_name, email, email_key, email_state)
            SELECT $1, 'a' || place, 'user', true, 'Somebody', email, email, 'visible'
            FROM unnest($2::text[]) WITH ORDINALITY AS read (email, place)
            """,
            site.tenant_id,
            emails,
        )


@pytest.mark.parametrize("before", [PLANNED_AT_ONCE - TWINS // 2, PLANNED_AT_ONCE, 2 * PLANNED_AT_ONCE + 1, 0])
async def test_accounts_of_one_email_are_planned_together(acme: Site, before: int) -> None:
    other = await begun(await a_site(acme.database))
    store = await begun(acme)
    hidden = [None] * (before // 2)
    earlier = [f"a{number:06}@example.com" for number in range(before - len(hidden))]
    later = [f"z{number:06}@example.com" for number in range(PLANNED_AT_ONCE)]
    await put(acme, [*hidden, *earlier, *["m@example.com"] * TWINS, *later])
    await store.finish(is_patchy=False)
    async with acme.database.tenant(acme.tenant_id) as scope:
        made = await preview.read(scope, now=NOW)
    expected = {"noEmail": len(hidden), "create": len(earlier) + len(later) + 1, "link": TWINS - 1}
    assert (made.state, made.counts) == ("done", {outcome: count for outcome, count in expected.items() if count})
    assert await other.standing() is not None


async def test_preview_that_was_erased_or_replaced_ends(acme: Site) -> None:
    store = await begun(acme)
    await store.fail()
    assert await store.standing() is None
    with pytest.raises(ports.RunEnded):
        await store.move(Cursor(phase="users"), points=0)
    with pytest.raises(ports.RunEnded):
        await store.finish(is_patchy=False)
    async with acme.database.tenant(acme.tenant_id) as scope:
        assert (await preview.read(scope, now=NOW)).state == "failed"


async def test_preview_goes_on_where_it_stood(acme: Site) -> None:
    store = await begun(acme)
    await store.note_failure()
    standing = await store.standing()
    assert standing is not None
    assert (standing.cursor, standing.failures) == (None, 1)
    cursor = Cursor(phase="customers")
    await store.move(cursor, points=0)
    standing = await store.standing()
    assert standing is not None
    assert (standing.cursor, standing.failures) == (cursor, 0)
    again = await begun(acme)
    assert again.number == store.number
