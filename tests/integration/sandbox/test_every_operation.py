"""Each operation that the sandbox serves is called as documented; the checked transport looks at request and answer."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sandbox import app, operations, rest
from sandbox.site import Site
from tests.integration.sandbox.conftest import World
from tests.integration.sandbox.standin import AppAuth

PROPERTY = "/rest/atlassian-connect/1/addons/stand-in/properties/colour"
ISSUE = "/rest/api/3/issue/10000"
JSM = "/rest/servicedeskapi"
DYNAMIC = "/rest/atlassian-connect/1/app/module/dynamic"
OPT_IN = {"X-ExperimentalApi": "opt-in"}

Request = tuple[str, str, dict[str, Any]]

CALLS: dict[str, Callable[[Site], Request]] = {
    "getServerInfo": lambda _: ("GET", "/rest/api/3/serverInfo", {}),
    "bulkGetGroups": lambda _: ("GET", "/rest/api/3/group/bulk?accessType=user&applicationKey=jira-core", {}),
    "getUsersFromGroup": lambda _: (
        "GET",
        "/rest/api/3/group/member?groupname=jira-software-users&includeInactiveUsers=true&maxResults=20",
        {},
    ),
    "findGroups": lambda _: ("GET", "/rest/api/3/groups/picker?query=JIRA&caseInsensitive=true", {}),
    "getUserGroups": lambda site: ("GET", f"/rest/api/3/user/groups?accountId={site.admin_id}", {}),
    "getUser": lambda site: (
        "GET",
        f"/rest/api/3/user?accountId={site.agent_id}&expand=groups,applicationRoles",
        {},
    ),
    "getCurrentUser": lambda _: ("GET", "/rest/api/3/myself?expand=groups", {}),
    "bulkGetUsers": lambda site: (
        "GET",
        f"/rest/api/3/user/bulk?accountId={site.agent_id}&accountId={site.member_id}&maxResults=200",
        {},
    ),
    "findUsers": lambda _: ("GET", "/rest/api/3/user/search?query=a&maxResults=1000", {}),
    "getUserEmail": lambda site: ("GET", f"/rest/api/3/user/email?accountId={site.admin_id}", {}),
    "getUserEmailBulk": lambda site: (
        "GET",
        f"/rest/api/3/user/email/bulk?accountId={site.admin_id}&accountId={site.agent_id}",
        {},
    ),
    "getMyPermissions": lambda _: ("GET", "/rest/api/3/mypermissions?permissions=USER_PICKER,ADMINISTER", {}),
    "getBulkPermissions": lambda site: (
        "POST",
        "/rest/api/3/permissions/check",
        {"json": {"accountId": site.admin_id, "globalPermissions": ["ADMINISTER"]}},
    ),
    "AddonPropertiesResource.putAddonProperty_put": lambda _: ("PUT", PROPERTY, {"json": {"name": "blue"}}),
    "AddonPropertiesResource.getAddonProperty_get": lambda _: ("GET", PROPERTY, {}),
    "AddonPropertiesResource.getAddonProperties_get": lambda _: ("GET", PROPERTY.rpartition("/")[0], {}),
    "AddonPropertiesResource.deleteAddonProperty_delete": lambda _: ("DELETE", PROPERTY, {}),
    "searchAndReconsileIssuesUsingJql": lambda site: (
        "GET",
        f"/rest/api/3/search/jql?jql=project%20%3D%20{next(iter(site.desks.values())).project_key}&fields=reporter,created",
        {},
    ),
    "searchAndReconsileIssuesUsingJqlPost": lambda _: (
        "POST",
        "/rest/api/3/search/jql",
        {"json": {"jql": "created >= -30d ORDER BY created ASC", "fields": ["*all"], "maxResults": 5}},
    ),
    "countIssues": lambda _: ("POST", "/rest/api/3/search/approximate-count", {"json": {"jql": "created >= -30d"}}),
    "getFields": lambda _: ("GET", "/rest/api/3/field", {}),
    "getIssue": lambda _: ("GET", f"{ISSUE}?fields=*all&properties=colour", {}),
    "bulkFetchIssues": lambda _: (
        "POST",
        "/rest/api/3/issue/bulkfetch",
        {"json": {"issueIdsOrKeys": ["10000", "SD1-1"], "fields": ["reporter"], "properties": ["colour"]}},
    ),
    "setIssueProperty": lambda _: ("PUT", f"{ISSUE}/properties/colour", {"json": {"name": "blue"}}),
    "getIssueProperty": lambda _: ("GET", f"{ISSUE}/properties/colour", {}),
    "deleteIssueProperty": lambda _: ("DELETE", f"{ISSUE}/properties/colour", {}),
    "bulkSetIssuesPropertiesList": lambda _: (
        "POST",
        "/rest/api/3/issue/properties",
        {"json": {"entitiesIds": [10000, 10001], "properties": {"colour": {"name": "blue"}}}},
    ),
    "bulkSetIssuePropertiesByIssue": lambda _: (
        "POST",
        "/rest/api/3/issue/properties/multi",
        {"json": {"issues": [{"issueID": 10000, "properties": {"colour": {"name": "red"}}}]}},
    ),
    "bulkSetIssueProperty": lambda _: (
        "PUT",
        "/rest/api/3/issue/properties/colour",
        {"json": {"value": "green", "filter": {"entityIds": [10000], "hasProperty": True}}},
    ),
    "bulkDeleteIssueProperty": lambda _: (
        "DELETE",
        "/rest/api/3/issue/properties/colour",
        {"json": {"entityIds": [10000]}},
    ),
    "getTask": lambda _: ("GET", "/rest/api/3/task/10000", {}),
    "getFailedWebhooks": lambda _: ("GET", "/rest/api/3/webhook/failed?after=0&maxResults=10", {}),
    "getServiceDesks": lambda _: ("GET", f"{JSM}/servicedesk", {}),
    "getServiceDeskById": lambda _: ("GET", f"{JSM}/servicedesk/SD1", {}),
    "getCustomers": lambda _: ("GET", f"{JSM}/servicedesk/1/customer?limit=100", {"headers": OPT_IN}),
    "getOrganizationsOfServiceDesk": lambda _: ("GET", f"{JSM}/servicedesk/1/organization", {}),
    "getOrganizations": lambda _: ("GET", f"{JSM}/organization?start=1&limit=2", {}),
    "getOrganization": lambda _: ("GET", f"{JSM}/organization/1", {}),
    "getUsersInOrganization": lambda _: ("GET", f"{JSM}/organization/1/user", {}),
}
ASYNCHRONOUS = {
    "bulkSetIssuesPropertiesList",
    "bulkSetIssuePropertiesByIssue",
    "bulkSetIssueProperty",
    "bulkDeleteIssueProperty",
}
FOR_NO_APP = {"getAllUsers", "getAllUsersDefault"}


def test_table_names_every_operation_that_is_served() -> None:
    assert CALLS.keys() == rest.HANDLERS.keys() - FOR_NO_APP


def test_every_handler_serves_an_operation_of_the_documents() -> None:
    scopes = {found.operation_id: found.scope for found in operations.load_catalogue().operations}
    assert rest.HANDLERS.keys() <= scopes.keys()
    assert {scopes[operation_id] for operation_id in FOR_NO_APP} == {operations.INACCESSIBLE}


async def test_every_operation_answers_as_its_document_says(world: World) -> None:
    for site in world.sites:
        client = await world.client(site)
        for operation_id, build in CALLS.items():
            method, path, more = build(site)
            answer = await client.request(method, path, **more)
            assert answer.is_success or operation_id in ASYNCHRONOUS, f"{operation_id}: {answer.text}"
            assert (answer.status_code == 303) == (operation_id in ASYNCHRONOUS)


UNSERVED = {
    "editIssue": ("PUT", ISSUE),
    "findUsersByQuery": ("GET", "/rest/api/3/user/search/query?query=is%20reporter%20of%20SD1"),
    "DynamicModulesResource.getModules_get": ("GET", DYNAMIC),
    "DynamicModulesResource.registerModules_post": ("POST", DYNAMIC),
    "DynamicModulesResource.removeModules_delete": ("DELETE", DYNAMIC),
    "getCustomerRequestByIdOrKey": ("GET", f"{JSM}/request/10000"),
    "getRequestParticipants": ("GET", f"{JSM}/request/10000/participant"),
}


async def test_operation_that_is_not_served_looks_at_the_token_and_says_so(world: World) -> None:
    """Unchecked: no document has this status, so whoever comes to need one of these notices at once."""
    documented = {found.operation_id for found in operations.load_catalogue().operations}
    assert UNSERVED.keys() == documented - rest.HANDLERS.keys()
    readme = (operations.FOLDER.parent / "README.md").read_text("utf-8")
    site = world.sites[0]
    auth = AppAuth.of(site.installations["stand-in"], clock=lambda: world.clock().timestamp())
    transport = httpx.ASGITransport(app=app.create(world.cloud))
    async with httpx.AsyncClient(transport=transport, base_url=site.base_url) as client:
        for operation_id, (method, path) in UNSERVED.items():
            assert (await client.request(method, path)).status_code == 401
            client.cookies.clear()
            assert (await client.request(method, path, auth=auth)).status_code == 501
            client.cookies.clear()
            assert f"`{operation_id.rpartition('.')[2]}`" in readme


ONE_PERSON = ("getUser", "getUserGroups")
"""Lists are empty without the permission to browse people; these are refused."""


@pytest.mark.parametrize("fault", ["fallback_users", "corrupt_users", "no_browse_permission"])
async def test_broken_directory_answers_as_documented_and_with_the_status_of_a_healthy_one(
    world: World, fault: str
) -> None:
    broken, healthy = world.sites
    setattr(broken.faults, fault, True)
    client, other = await world.client(broken), await world.client(healthy)
    for operation_id, build in CALLS.items():
        method, path, more = build(broken)
        status = (await client.request(method, path, **more)).status_code
        method, path, more = build(healthy)
        expected = (await other.request(method, path, **more)).status_code
        is_refused = fault == "no_browse_permission" and operation_id in ONE_PERSON
        assert status == (403 if is_refused else expected), operation_id
