"""What a run does where Jira refuses a list of people (D8): it reads the others, and nobody loses anything by it."""

import httpx
import pytest

from addon.storage.run_store import PATCHY
from sandbox.faults import Faults, Interruption
from tests.support import firms
from tests.support.meanwhile import Meanwhile
from tests.support.world import Tenant

JSM = "/rest/servicedeskapi"


def close(tenant: Tenant, path: str, status: int, *, after: int = 0) -> None:
    fault = Interruption(path_prefix=f"{JSM}{path}", status=status, times=None, after=after)
    tenant.site.faults.interruptions.append(fault)


async def linked(tenant: Tenant) -> set[str]:
    return {contact["name"] for contact in await tenant.contacts() if contact["linkedAccounts"]}


@pytest.mark.parametrize("status", [403, 404])
async def test_closed_desk_is_left_out_and_told_of(acme: Tenant, globex: Tenant, status: int) -> None:
    closed, other = list(acme.site.desks)[:2]
    for tenant in (acme, globex):
        for desk, name in ((closed, "Cleo Closed"), (other, "Otto Open")):
            person = tenant.a_customer(name, f"{name.split()[0]}@x.example")
            tenant.site.desk_customers.drop(person.account_id)
            tenant.site.desk_customers.add(desk, person.account_id)
    close(acme, f"/servicedesk/{closed}/customer", status)
    run, elsewhere = await acme.turn_on(), await globex.turn_on()
    assert (run.state, run.error) == ("done", PATCHY)
    assert (elsewhere.state, elsewhere.error) == ("done", None)
    assert {"Otto Open", "Cleo Closed"} & await linked(acme) == {"Otto Open"}
    assert {"Otto Open", "Cleo Closed"} <= await linked(globex)
    history = await acme.call("GET", "/api/fragments/sync/history")
    assert "Jira refused some lists of people." in history.text
    acme.site.faults = Faults()
    run = await acme.run()
    assert (run.state, run.error) == ("done", None)
    assert "Cleo Closed" in await linked(acme)


@pytest.mark.parametrize("status", [403, 404])
async def test_site_without_service_management_is_read(acme: Tenant, globex: Tenant, status: int) -> None:
    await globex.turn_on()
    close(acme, "", status)
    run = await acme.turn_on()
    assert (run.state, run.error) == ("done", None)
    assert acme.site.admin.display_name in await linked(acme)
    assert await linked(globex) > set()


async def test_desk_that_closes_takes_nobody_away(acme: Tenant) -> None:
    await acme.turn_on()
    before = await linked(acme)
    close(acme, "/servicedesk/", 403)
    run = await acme.run()
    assert (run.state, run.error, run.unlinked, await linked(acme)) == ("done", PATCHY, 0, before)


async def test_organization_that_closes_half_way_keeps_its_company(acme: Tenant, globex: Tenant) -> None:
    """Its first page is read, and the second refused: who stands on the second has not left."""
    for tenant in (acme, globex):
        organization = firms.an_organization(tenant, "Hooli")
        for number in range(60):
            firms.a_member(tenant, f"Member {number}", f"m{number}@x.example", organization)
        await tenant.turn_on()
    before = await firms.decided(acme)
    assert set(before.values()) >= {("Hooli", "organization")}
    acme.site.faults.page_size = 20
    close(acme, f"/organization/{organization}/user", 403, after=1)
    run = await acme.run()
    assert (run.state, run.error) == ("done", PATCHY)
    assert await firms.decided(acme) == before


@pytest.mark.parametrize("path", ["/organization/{}/user", "/organization"])
async def test_organization_that_closes_decides_nothing(acme: Tenant, globex: Tenant, path: str) -> None:
    """Ana is in two organizations, so nobody can tell her company. That one of them cannot be read makes it no clearer."""
    for tenant in (acme, globex):
        first, second = (firms.an_organization(tenant, name) for name in ("Hooli", "Initech"))
        firms.a_member(tenant, "Ana", "ana@x.example", first, second)
        firms.a_member(tenant, "Ben", "ben@x.example", first)
        await tenant.turn_on()
    before, questions = await firms.decided(acme), await acme.attention()
    elsewhere = await firms.decided(globex)
    assert (before["Ana"], before["Ben"]) == ((None, None), ("Hooli", "organization"))
    assert [kind for kind, _ in questions] == ["company-tie"]
    close(acme, path.format(first), 403)
    assert (await acme.run()).state == "done"
    assert (await firms.decided(acme), await acme.attention()) == (before, questions)
    acme.site.faults = Faults()
    firms.move(acme, next(p for p in acme.site.people.values() if p.display_name == "Ana"), out_of=first)
    await acme.run()
    assert (await firms.decided(acme))["Ana"] == ("Initech", "organization")
    assert await acme.attention() == []
    assert (await firms.decided(globex), await globex.attention()) == (elsewhere, questions)


async def test_desk_that_a_filter_names_fails_the_run_and_nobody_leaves(acme: Tenant, globex: Tenant) -> None:
    """Who is not on its list would leave: a list that cannot be read must not decide that."""
    await acme.turn_on()
    await globex.turn_on()
    before, elsewhere = await linked(acme), await linked(globex)
    named = next(iter(acme.site.desks))
    close(acme, f"/servicedesk/{named}/customer", 403)
    answer = await acme.call("PUT", "/api/sync", body={"filters": {"projects": [named]}})
    assert answer.status_code == 200, answer.text
    await acme.world.work()
    assert (await acme.status()).state == "failing"
    assert (await linked(acme), await linked(globex)) == (before, elsewhere)


async def a_group(tenant: Tenant, *names: str) -> str:
    """A group of people who are in no other; who is in it is a user of Jira Software."""
    people = [tenant.a_user(name, f"{name.split()[0]}@x.example").account_id for name in names]
    for account_id in people:
        tenant.site.group_members.drop(account_id)
    told = {"name": "guests", "products": ["jira-software"], "members": people}
    answer = await by_hand(tenant, "POST", "", told)
    made: str = answer.json()["id"]
    return made


async def by_hand(tenant: Tenant, method: str, path: str, body: object = None) -> httpx.Response:
    async with httpx.AsyncClient(transport=tenant.world.way) as hand:
        answer = await hand.request(method, f"{tenant.site.base_url}/sandbox/groups{path}", json=body)
    return answer.raise_for_status()


async def test_group_that_goes_while_a_run_reads_takes_nobody_away(acme: Tenant, globex: Tenant) -> None:
    groups = {tenant.site.base_url: await a_group(tenant, "Gwen Guest", "Gil Guest") for tenant in (acme, globex)}
    await acme.turn_on()
    await globex.turn_on()
    before, elsewhere = await linked(acme), await linked(globex)
    assert {"Gwen Guest", "Gil Guest"} <= before & elsewhere
    gone = groups[acme.site.base_url]
    member = f"/rest/api/3/group/member?groupId={gone}&"
    world = acme.world
    world.way.target = meanwhile = Meanwhile(
        world.way.target, acme.site.base_url, member, lambda: by_hand(acme, "DELETE", f"/{gone}")
    )
    acme.a_user("Nora New", "nora@x.example")
    run, other = await acme.run(), await globex.run()
    assert meanwhile.has_happened
    assert (run.state, run.error, run.unlinked) == ("done", PATCHY, 0)
    assert await linked(acme) == {*before, "Nora New"}
    assert (other.state, other.error, await linked(globex)) == ("done", None, elsewhere)
    run = await acme.run()
    assert (run.state, run.error, run.unlinked, await linked(acme)) == ("done", None, 0, {*before, "Nora New"})


async def test_group_that_a_filter_names_and_is_gone_fails_the_run_and_nobody_leaves(
    acme: Tenant, globex: Tenant
) -> None:
    groups = [await a_group(tenant, "Gwen Guest") for tenant in (acme, globex)]
    for tenant, group in zip((acme, globex), groups, strict=True):
        await tenant.call("PUT", "/api/sync", body={"filters": {"groups": [group]}})
        await tenant.turn_on()
    before, elsewhere = await linked(acme), await linked(globex)
    assert "Gwen Guest" in before & elsewhere
    await by_hand(acme, "DELETE", f"/{groups[0]}")
    run, other = await acme.run(), await globex.run()
    assert (run.state, (await acme.status()).state, other.state) == ("failed", "failing", "done")
    assert (await linked(acme), await linked(globex)) == (before, elsewhere)
