"""The settings page over a whole world: what its parts show is what the site and the sync really hold."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from addon.storage import estimate, sync_state
from addon.sync import filters as sync_filters
from addon.sync.scope import Scope
from sandbox.faults import Interruption
from tests.support.world import Tenant

ROOT = "/api/fragments/sync"


async def send(tenant: Tenant, method: str, path: str, form: list[tuple[str, str]] | None = None) -> httpx.Response:
    """As htmx sends a form."""
    return await tenant.submit(method, f"{ROOT}{path}", form or [])


async def shown(tenant: Tenant, path: str) -> str:
    answer = await tenant.call("GET", f"{ROOT}{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def choices(tenant: Tenant, field: str, query: str = "", picked: tuple[str, ...] = ()) -> list[tuple[str, bool]]:
    """The names of what may be picked, and whether it is."""
    parameters = urlencode([(f"search-{field}", query), *((field, each) for each in picked)])
    text = await shown(tenant, f"/choices/{field}?{parameters}")
    boxes = re.findall(r'<input type="checkbox"[^>]*?( checked)?>\s*<bdi>(.*?)</bdi>', text)
    return [(unescape(name), bool(checked)) for checked, name in boxes]


async def count(tenant: Tenant, **sent: Any) -> estimate.Estimate | None:
    reading = sync_filters.read({k: v for k, v in sent.items() if k != "inactive"})
    assert not reading.problems
    wanted = Scope(include_inactive=sent.get("inactive", False), filters=reading.filters)
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        status = await sync_state.read(scope)
        present = Scope(include_inactive=status.include_inactive, filters=status.filters)
        return await estimate.count(scope, wanted, present, is_on=status.enabled, now=tenant.world.clock())


async def test_groups_are_found_by_name_and_keep_it(acme: Tenant, globex: Tenant) -> None:
    sales = next(group for group in acme.site.groups.values() if group.name == "sales")
    assert ("sales", False) in await choices(acme, "groups")
    assert await choices(acme, "groups", "SAL") == [("sales", False)]
    assert await choices(acme, "groups", "zzz", (sales.group_id,)) == [("sales", True)]
    assert (await send(acme, "PUT", "/access", [("crmGroups", sales.group_id)])).status_code == 200
    assert (await acme.get("/api/sync"))["crmGroups"] == [sales.group_id]
    acme.site.groups.clear()
    assert await choices(acme, "crmGroups", "", (sales.group_id,)) == [("sales", True)]
    # Another site has not heard of it.
    assert await choices(globex, "groups", "zzz", (sales.group_id,)) == [(sales.group_id, True)]


async def test_service_projects_and_organizations_are_read_by_a_job(acme: Tenant, globex: Tenant) -> None:
    assert "Reading the names from Jira" in await shown(acme, "/choices/projects?search-projects=")
    await acme.world.work()
    desks = sorted(desk.project_name for desk in acme.site.desks.values())
    assert sorted(name for name, _ in await choices(acme, "projects")) == desks
    names = sorted(each.name for each in acme.site.organizations.values())
    assert sorted(name for name, _ in await choices(acme, "organizations")) == names
    assert [name for name, _ in await choices(acme, "organizations", names[0].upper())] == [names[0]]
    # They are fresh for some minutes, then read again; what is gone by then is offered no more.
    spent = acme.site.points_spent
    acme.site.organizations.popitem()
    await choices(acme, "organizations")
    await acme.world.work()
    assert acme.site.points_spent == spent
    acme.world.clock.advance(timedelta(minutes=11))
    await choices(acme, "organizations")
    await acme.world.work()
    assert len(await choices(acme, "organizations")) == len(names) - 1
    async with globex.world.database.tenant(globex.tenant_id) as scope:
        assert await scope.fetch_val("SELECT count(*) FROM jira_place WHERE tenant_id = :tenant_id") == 0


async def test_reading_of_names_outlasts_an_outage_and_ends_when_jira_refuses(acme: Tenant) -> None:
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/servicedeskapi", status=503, times=2))
    await choices(acme, "projects")
    await acme.world.work()
    assert len(await choices(acme, "projects")) == len(acme.site.desks)
    acme.world.clock.advance(timedelta(minutes=11))
    acme.site.faults.interruptions.append(Interruption(path_prefix="/rest/servicedeskapi", status=401, times=99))
    await choices(acme, "projects")
    await acme.world.work()
    assert "Jira did not tell all names" in await shown(acme, "/choices/projects?search-projects=")
    assert len(await choices(acme, "projects")) == len(acme.site.desks), "what is known stays"
    acme.site.faults.interruptions.clear()
    acme.world.clock.advance(timedelta(minutes=2))
    await choices(acme, "projects")
    await acme.world.work()
    assert "Jira did not tell all names" not in await shown(acme, "/choices/projects?search-projects=")


async def test_unknown_things_cannot_be_chosen(acme: Tenant) -> None:
    assert (await acme.call("GET", f"{ROOT}/choices/phones")).status_code == 404


async def test_estimate_after_a_preview_is_what_a_run_makes_true(acme: Tenant) -> None:
    acme.a_user("Una User", "una@größe.example")
    acme.a_user("Gone User", "gone@example.com", active=False)
    acme.a_customer("Carl Customer", "carl@example.org")
    assert await count(acme) is None
    assert "known after a preview" in await shown(acme, "/filters/estimate")
    await acme.call("POST", "/api/sync/preview")
    await acme.world.work()
    group = acme.site.licence_group_id("jira-software")
    organization = next(iter(acme.site.organizations))
    assert group is not None
    for sent in (
        {},
        {"kinds": ["user"]},
        {"kinds": ["customer"]},
        {"groups": [group]},
        {"organizations": [organization], "kinds": ["customer"]},
        {"emailDomains": ["größe.example"]},
    ):
        found = await count(acme, **sent)
        assert found is not None
        assert (found.source, found.is_exact) == ("preview", True), sent
        answer = await acme.call("PUT", "/api/sync", body={"filters": sent})
        assert answer.status_code == 200
        run = await acme.turn_on()
        made = run.linked + run.created + run.held
        linked = (await acme.status()).linked
        assert (found.people, made) == (made, found.people), sent
        assert linked <= found.people
        await acme.turn_off()
        await forget(acme)
        await acme.call("PUT", "/api/sync", body={"filters": {}})
        await acme.call("POST", "/api/sync/preview")
        await acme.world.work()


async def forget(tenant: Tenant) -> None:
    async with tenant.world.database.tenant(tenant.tenant_id) as scope:
        await scope.execute("DELETE FROM account WHERE tenant_id = :tenant_id")
        await scope.execute("DELETE FROM contact WHERE tenant_id = :tenant_id")


async def test_estimate_while_on_says_what_it_does_not_know(acme: Tenant) -> None:
    group = acme.site.licence_group_id("jira-software")
    assert group is not None
    await acme.turn_on()
    everybody = await count(acme)
    assert everybody is not None
    assert (everybody.source, everybody.is_exact, everybody.people) == ("sync", True, everybody.known)
    assert everybody.users + everybody.customers == everybody.known
    few = await count(acme, groups=[group])
    assert few is not None
    assert few.people < everybody.people
    unread = await count(acme, groups=["another"])
    assert unread is not None
    assert (unread.is_exact, unread.unread["groups"]) == (False, ["another"])
    more = await count(acme, inactive=True)
    assert more is not None
    assert not more.is_exact
    assert "It may be more" in await shown(acme, "/filters/estimate?includeInactive=on&kinds=all")


async def test_filters_are_set_by_the_form(acme: Tenant, globex: Tenant) -> None:
    group = acme.site.licence_group_id("jira-software")
    assert group is not None
    await acme.turn_on()
    form = [
        ("kinds", "user"),
        ("groups", group),
        ("emailDomains", "Example.com, größe.example\nexample.org"),
        ("includeInactive", "on"),
    ]
    answer = await send(acme, "PUT", "/filters", form)
    assert answer.status_code == 200, answer.text
    status = await acme.get("/api/sync")
    assert status["filters"] == {
        "kinds": ["user"],
        "groups": [group],
        "emailDomains": ["example.com", "example.org", "xn--gre-6ka8i.example"],
    }
    assert (status["includeInactive"], status["state"]) == (True, "running")
    refused = await send(acme, "PUT", "/filters", [("emailDomains", "nodomain"), ("projects", "../x")])
    assert refused.status_code == 422
    assert {problem["field"] for problem in refused.json()["errors"]} == {"emailDomains", "projects"}
    assert (await acme.get("/api/sync"))["filters"] == status["filters"]
    assert (await send(acme, "PUT", "/filters", [("kinds", "all")])).status_code == 200
    assert (await acme.get("/api/sync"))["filters"] == {}
    assert (await globex.get("/api/sync"))["state"] == "off"


async def test_preview_is_for_the_filters_that_it_began_with(acme: Tenant) -> None:
    await acme.call("POST", "/api/sync/preview")
    running = await shown(acme, "/preview")
    assert 'hx-trigger="every 1s"' in running
    await acme.world.work()
    done = await acme.call("GET", f"{ROOT}/preview")
    assert done.headers["hx-trigger"] == "crm:previewed"
    made = await acme.get("/api/sync/preview")
    assert f'id="preview-create">{made["create"]}</td>' in done.text
    assert "The filters were changed since" not in done.text
    await acme.call("PUT", "/api/sync", body={"filters": {"kinds": ["user"]}})
    assert "The filters were changed since" in await shown(acme, "/preview")


async def test_what_waits_for_a_decision_waits_while_the_sync_is_off(acme: Tenant) -> None:
    for name in ("Ann One", "Ann Two"):
        await acme.type_contact(name=name, email="ann@example.com")
    acme.a_user("Ann Example", "ann@example.com")
    await acme.turn_on()
    assert (await acme.get("/api/sync"))["attention"] == 1
    await acme.turn_off()
    assert (await acme.get("/api/sync"))["attention"] == 0
    assert (await acme.get("/api/attention"))["values"] == []
    await acme.turn_on()
    assert (await acme.get("/api/sync"))["attention"] == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_group_search_reaches_the_caller_as_busy_while_jira_is_down(acme: Tenant, method: str) -> None:
    await acme.get("/api/sync")  # who administers is remembered
    acme.site.faults.error_share = 1.0
    path = "/choices/groups" if method == "GET" else "/runs"
    answer = await acme.call(method, f"{ROOT}{path}")
    assert answer.status_code == (503 if method == "GET" else 422)
