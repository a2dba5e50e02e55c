"""A call for issues ends while a page is read that tells of the same ones: one waits for the other, and none is broken off."""

import asyncio
from datetime import timedelta

import pytest

from addon.storage import issue_state
from addon.sync.work import Work
from sandbox.person import Person
from tests.integration.storage.site import Site
from tests.support import labels
from tests.support.world import Tenant


@pytest.fixture
async def ann(acme: Tenant, globex: Tenant) -> Person:
    return await labels.a_reporter(acme, globex)


async def test_catching_up_waits_for_a_call_that_ends(acme: Tenant, globex: Tenant, ann: Person) -> None:
    world = acme.world
    issue, other = acme.site.create_issue(ann.account_id), globex.site.create_issue(ann.account_id)
    await labels.hear_all(world)
    world.clock.advance(timedelta(hours=1))
    scan = world.jobs().handlers()["issue-scan"]
    async with world.database.tenant(acme.tenant_id) as scope:
        # As the end of a call does it: the issues first, then what was spent on them.
        await scope.fetch_all(
            "SELECT 1 FROM issue_company WHERE tenant_id = :tenant_id ORDER BY issue_id FOR NO KEY UPDATE"
        )
        scanning = asyncio.ensure_future(scan(Work(kind="issue-scan", tenant_id=acme.tenant_id, number=0)))
        await Site(database=world.database, tenant_id=acme.tenant_id, queue=[]).somebody_waits()
        await issue_state.charge(scope, 1, is_backlog=False, now=world.clock())
    await scanning
    async with world.database.tenant(acme.tenant_id) as scope:
        standing = await issue_state.read(scope)
    assert standing.caught_up_to == world.clock()
    assert (labels.name_on(acme, issue), labels.name_on(globex, other)) == ("Acme", None)
