"""What a page of a run costs the database: the page's own rows, however large the tenant and however old its statistics."""

from addon.crm.contact import email_key
from addon.storage import plan_rows
from lifecycle.tenant import AccountId
from tests.integration.storage.site import Site, people

# Sizes at which a planner that knows the keys, and nothing yet of the tables, prefers to read the whole tenant.
PAGE, PAGES = 400, 12

READ = """
    SELECT sum(seq_tup_read + idx_tup_fetch)::int AS rows, sum(seq_scan + (
        SELECT sum(pg_stat_get_xact_numscans(indexrelid)) FROM pg_index WHERE indrelid = relid))::int AS descents
    FROM pg_stat_xact_user_tables WHERE CAST(:tenant_id AS uuid) IS NOT NULL AND relname IN ('account', 'contact')
"""


async def test_page_reads_its_own_rows_on_tables_without_statistics(acme: Site) -> None:
    store = await acme.turn_on()
    everybody = people(PAGE * PAGES)
    for start in range(0, len(everybody), PAGE):
        await acme.scan(store, everybody[start : start + PAGE])
    page = everybody[PAGE : 2 * PAGE]
    ids = [AccountId(sighting.account_id) for sighting in page]
    keys = [email_key(sighting.email) for sighting in page if sighting.email]
    async with acme.database.tenant(acme.tenant_id) as scope:
        before = await scope.fetch_one(READ)
        known = await plan_rows.read_known(scope, ids, keys)
        after = await scope.fetch_one(READ)
    assert len(known.contacts) == PAGE
    # Each account by its id and by its contact, each contact by its id and by its address.
    assert before is not None
    assert after is not None
    assert (after["rows"] - before["rows"], after["descents"] - before["descents"]) == (4 * PAGE, 4 * PAGE)
