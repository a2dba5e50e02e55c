"""How are all the contacts of a search read, however many? A part at a time, each in a transaction of its own.

What changes while somebody downloads may or may not be in the file; a contact that moves in the order meanwhile may be
missed or met twice, as in a list that is paged through.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from addon.crm.contact import Contact
from addon.storage import searching
from addon.storage.database import TenantScope

PART = 1000
MAX_ATTRIBUTE_COLUMNS = 200


async def attribute_names(scope: TenantScope) -> Sequence[str]:
    """The names that get columns of their own: the first MAX_ATTRIBUTE_COLUMNS of those that contacts have."""
    rows = await scope.fetch_all(
        """
        SELECT DISTINCT own.key COLLATE "C" AS key FROM contact c, jsonb_object_keys(c.attributes) AS own (key)
        WHERE c.tenant_id = :tenant_id AND c.attributes <> '{}' ORDER BY 1 LIMIT :limit
        """,
        limit=MAX_ATTRIBUTE_COLUMNS,
    )
    return [row["key"] for row in rows]


async def parts(
    tenant: Callable[[], AbstractAsyncContextManager[TenantScope]], wanted: searching.Search
) -> AsyncIterator[Sequence[Contact]]:
    """The contacts of the search in its order. `tenant` opens a transaction."""
    cursor: str | None = None
    while True:
        async with tenant() as scope:
            found = await searching.search(scope, replace(wanted, cursor=cursor, limit=PART))
        yield found.items
        cursor = found.next_cursor
        if cursor is None:
            return
