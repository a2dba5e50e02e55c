import uuid
from typing import Any

import httpx
import pytest

from addon.jira import errors
from addon.jira.client import JiraClient
from addon.jira.names import JiraNames
from addon.sync.filters import Named
from lifecycle.tenant import TenantId
from tests.unit.jira.site import Jira, a_desk_page

PICKER = "/rest/api/3/groups/picker"
DESKS = "/rest/servicedeskapi/servicedesk"
ORGANIZATIONS = "/rest/servicedeskapi/organization"
TENANT = TenantId(uuid.UUID(int=7))


def names(answers: dict[str, Any]) -> tuple[JiraNames, Jira]:
    jira = Jira(answers)

    async def client_of(_: TenantId) -> JiraClient:
        return jira.client()

    return JiraNames(client_of), jira


async def test_groups_are_searched_in_any_case() -> None:
    found = {"header": "", "total": 25, "groups": [{"groupId": "g1", "name": "Sales"}, {"name": "without an id"}]}
    asked, jira = names({PICKER: found})
    page = await asked.search_groups(TENANT, "sal")
    assert (page.groups, page.total) == ([Named(id="g1", name="Sales")], 25)
    assert dict(jira.asked(PICKER)[0]) == {"query": "sal", "maxResults": "20", "caseInsensitive": "true"}


async def test_lists_are_read_page_by_page() -> None:
    desks = a_desk_page([{"id": "1", "projectName": "Help"}, {"id": "2", "projectName": " \0 "}], is_last=False)
    asked, jira = names({DESKS: desks, ORGANIZATIONS: a_desk_page([{"id": "5", "name": "Acme"}], start=40)})
    page = await asked.page(TENANT, "projects", 0)
    assert list(page.names) == [Named(id="1", name="Help"), Named(id="2", name="2")]
    assert page.next_start == 2
    last = await asked.page(TENANT, "organizations", 40)
    assert (list(last.names), last.next_start) == ([Named(id="5", name="Acme")], None)
    assert not last.is_refused
    assert jira.asked(ORGANIZATIONS)[0]["start"] == "40"


@pytest.mark.parametrize("status", [403, 404, 412])
async def test_site_without_service_management_has_no_lists(status: int) -> None:
    asked, _ = names({DESKS: httpx.Response(status)})
    page = await asked.page(TENANT, "projects", 0)
    assert (list(page.names), page.next_start, page.is_refused) == ([], None, True)


async def test_outage_is_no_empty_list() -> None:
    asked, _ = names({DESKS: httpx.Response(503)})
    with pytest.raises(errors.Troubled):
        await asked.page(TENANT, "projects", 0)
