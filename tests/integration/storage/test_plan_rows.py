"""What a page of a run costs the database: the page's own rows, however large the tenant and however old its statistics."""

from addon.crm.contact import email_key
from addon.storage import plan_rows
from lifecycle.tenant import AccountId
from tests.integration.storage.site import Site, people

# Sizes at which a planner that knows the keys, and nothing yet of the tables, prefers to read the whole tenant.
PAGE, PAGES = 400, 12

READ = """
    SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::int AS tuples FROM pg_stat_xact_user_tables
    WHERE :tenant_id IS NOT NULL AND relname IN ('account', 'contact')
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
        known = await plan_rows.read_known(scope, ids, keys)
        read = await scope.fetch_val(READ)
    assert len(known.contacts) == PAGE
    # Each account by its id and by its contact, each contact by its id and by its address; an index counts some twice.
    assert read <= 8 * PAGE
