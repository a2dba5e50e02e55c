from typing import Any

import pytest

from sandbox import person, viewer
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import a_descriptor

CHECK = "/rest/api/3/permissions/check"
OWN = "/rest/api/3/mypermissions?permissions=USER_PICKER,ADMINISTER,BROWSE_PROJECTS"


async def test_apps_own_permissions_follow_scope_and_faults(world: World) -> None:
    site, other = world.sites

    async def own(of_site: Any) -> dict[str, bool]:
        answer = (await (await world.client(of_site)).get(OWN)).json()["permissions"]
        return {key: each["havePermission"] for key, each in answer.items()}

    assert await own(site) == {"USER_PICKER": True, "ADMINISTER": True, "BROWSE_PROJECTS": False}
    site.faults.no_browse_permission = True
    assert await own(site) == {"USER_PICKER": False, "ADMINISTER": True, "BROWSE_PROJECTS": False}
    assert (await own(other))["USER_PICKER"]


async def test_app_without_the_admin_scope_does_not_administer(bare_world: World) -> None:
    bare_world.app.descriptor = a_descriptor(scopes=["READ"])
    site = bare_world.sites[0]
    await bare_world.install(site)
    answer = await (await bare_world.client(site)).get(OWN)
    assert not answer.json()["permissions"]["ADMINISTER"]["havePermission"]


async def test_app_learns_who_administers(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)

        async def granted(account_id: str) -> list[str]:
            body = {"accountId": account_id, "globalPermissions": ["ADMINISTER", "USER_PICKER"]}
            answer = (await client.post(CHECK, json=body)).json()  # noqa: B023 - used within this turn of the loop
            return sorted(answer["globalPermissions"])

        assert await granted(site.admin_id) == ["ADMINISTER", "USER_PICKER"]
        assert await granted(site.member_id) == ["USER_PICKER"]
        assert await granted("nobody") == []
        site.deactivate_person(site.admin_id)
        assert await granted(site.admin_id) == []


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        '{"globalPermissions": "ADMINISTER"}',
        '{"globalPermissions": ["NO_SUCH"]}',
        '{"projectPermissions": {}}',
        '{"projectPermissions": [1]}',
        '{"projectPermissions": [{"issues": [1]}]}',
        '{"projectPermissions": [{"issues": [1], "permissions": ["NO_SUCH"]}]}',
        '{"projectPermissions": [{"issues": ["1"], "permissions": ["EDIT_ISSUES"]}]}',
        f'{{"projectPermissions": [{{"issues": {list(range(1001))}, "permissions": ["EDIT_ISSUES"]}}]}}',
    ],
)
async def test_bad_check_is_refused(world: World, body: str) -> None:
    client = await world.client(world.sites[0], checks_requests=False)
    answer = await client.post(CHECK, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


async def test_member_may_not_ask_about_others(world: World) -> None:
    site = world.sites[0]
    browser = await world.browser(site)
    body = {"accountId": site.admin_id, "globalPermissions": ["ADMINISTER"]}
    browser.cookies.set(viewer.cookie_name(site), "member")
    assert (await browser.post(CHECK, json=body)).status_code == 403
    assert (await browser.post(CHECK, json={"globalPermissions": ["ADMINISTER"]})).json()["globalPermissions"] == []
    browser.cookies.set(viewer.cookie_name(site), "admin")
    assert (await browser.post(CHECK, json={**body, "accountId": site.member_id})).status_code == 200


async def test_portal_customer_sees_nobody(world: World) -> None:
    site = world.sites[0]
    browser = await world.browser(site)
    browser.cookies.set(viewer.cookie_name(site), "customer")
    assert (await browser.get("/rest/api/3/user/search?query=a")).json() == []


async def test_app_learns_who_sees_and_edits_an_issue(world: World) -> None:
    site = world.sites[0]
    number = site.create_issue(site.member_id).number
    wanted = ["BROWSE_PROJECTS", "EDIT_ISSUES", "ADMINISTER_PROJECTS"]
    client = await world.client(site)

    async def granted(account_id: str) -> dict[str, list[int]]:
        asked = [{"permissions": wanted, "issues": [number, number + 1]}]
        answer = (await client.post(CHECK, json={"accountId": account_id, "projectPermissions": asked})).json()
        return {each["permission"]: each["issues"] for each in answer["projectPermissions"]}

    assert await granted(site.member_id) == {
        "BROWSE_PROJECTS": [number],
        "EDIT_ISSUES": [number],
        "ADMINISTER_PROJECTS": [],
    }
    assert (await granted(site.admin_id))["ADMINISTER_PROJECTS"] == [number]
    customer = next(each for each in site.people.values() if each.kind is person.PersonKind.CUSTOMER)
    for nobody in (customer.account_id, "nobody"):
        assert not any((await granted(nobody)).values())
    own = site.installations["stand-in"].account_id
    assert await granted(own) == {"BROWSE_PROJECTS": [number], "EDIT_ISSUES": [number], "ADMINISTER_PROJECTS": []}
    site.locked_projects.add("SD1")
    assert (await granted(own))["EDIT_ISSUES"] == []
    site.hidden_projects.add("SD1")
    assert (await granted(own))["BROWSE_PROJECTS"] == []
