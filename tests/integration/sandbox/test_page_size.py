"""Lists that Jira cuts smaller than it was asked to: the platform's say so in `maxResults`, JSM's only in `size`."""

import pytest

from tests.integration.sandbox.conftest import World

OPT_IN = {"X-ExperimentalApi": "opt-in"}


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("/rest/api/3/group/member?groupname=jira-software-users&includeInactiveUsers=true", "startAt"),
        ("/rest/servicedeskapi/organization/1/user", "start"),
        ("/rest/servicedeskapi/servicedesk/1/customer", "start"),
    ],
)
async def test_list_in_small_pages_holds_everybody(world: World, path: str, start: str) -> None:
    site, other = world.sites
    browser, client, other_client = await world.browser(site), await world.client(site), await world.client(other)
    headers = OPT_IN if "servicedeskapi" in path else {}

    async def page(at: int) -> dict[str, object]:
        joined = f"{path}{'&' if '?' in path else '?'}{start}={at}"
        found: dict[str, object] = (await client.get(joined, headers=headers)).json()
        return found

    async def ids(at: int) -> list[str]:
        values = (await page(at))["values"]
        assert isinstance(values, list)
        return [each["accountId"] for each in values]

    site.faults.short_pages = False
    whole = await ids(0)
    assert len(whole) > 2
    assert (await browser.patch("/sandbox/faults", json={"pageSize": 2})).json()["pageSize"] == 2
    first = await page(0)
    assert (first.get("maxResults", first.get("size")), first.get("isLast", first.get("isLastPage"))) == (2, False)
    assert [each for at in range(0, len(whole), 2) for each in await ids(at)] == whole
    answer = await other_client.get(path, headers=headers)
    assert len(answer.json()["values"]) > 2
