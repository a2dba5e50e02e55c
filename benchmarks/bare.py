"""The physical limit: fetch the same pages as a first run does, as many at once, and COPY the raw rows. Nothing else."""

import asyncio
import json
from typing import Any

import asyncpg

from addon.jira.client import Params
from addon.jira.directory import GROUP_PAGE, PRODUCTS
from addon.sync import pages
from benchmarks.stage import Tenant

TABLE = "CREATE TABLE IF NOT EXISTS bare_row (account_id text, display_name text, email text, active boolean)"
COLUMNS = ("account_id", "display_name", "email", "active")


async def fetch_and_copy(tenant: Tenant, database_url: str) -> int:
    """How many rows were copied. The site must have users only."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(f"{TABLE}; TRUNCATE bare_row")
    copied = 0
    for group_id in await _groups(tenant):
        total, start = 1, 0
        while start < total:
            starts = range(start, max(total, start + 1), GROUP_PAGE)[: pages.AT_ONCE if start else 1]
            answers = await asyncio.gather(*(_page(tenant, group_id, first) for first in starts))
            rows = [
                (user["accountId"], user["displayName"], user.get("emailAddress"), user["active"])
                for page in answers
                for user in page["values"]
            ]
            await connection.copy_records_to_table("bare_row", records=rows, columns=COLUMNS)
            copied += len(rows)
            total, start = answers[-1]["total"], starts[-1] + GROUP_PAGE
    await connection.execute("DROP TABLE bare_row")
    await connection.close()
    return copied


async def _groups(tenant: Tenant) -> list[str]:
    found: dict[str, None] = {}
    for product in PRODUCTS:
        params: Params = {"accessType": "user", "applicationKey": product, "maxResults": GROUP_PAGE}
        answer = await tenant.client.get(f"{tenant.base_url}/rest/api/3/group/bulk", params=params, auth=tenant.auth)
        found.update({group["groupId"]: None for group in answer.json()["values"]})
    return list(found)


async def _page(tenant: Tenant, group_id: str, start: int) -> dict[str, Any]:
    params: Params = {"groupId": group_id, "includeInactiveUsers": "true", "startAt": start, "maxResults": GROUP_PAGE}
    answer = await tenant.client.get(f"{tenant.base_url}/rest/api/3/group/member", params=params, auth=tenant.auth)
    page: dict[str, Any] = json.loads(answer.content)
    return page
