"""What a page of issues tells: who reported which, as of when, and from where the next page goes on."""

from datetime import UTC, datetime

from addon.issues.facts import IssueFacts
from addon.jira import issues
from addon.jira.client import JiraClient
from lifecycle.tenant import AccountId, TenantId
from tests.unit.jira.site import TENANT, Jira

SEARCH = "/rest/api/3/search/jql"
UPDATED = "2026-11-22T10:00:00.000+0000"
MOMENT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def an_issue(number: int, **fields: object) -> dict[str, object]:
    return {"id": str(number), "fields": {"updated": UPDATED, "created": UPDATED, **fields}}


async def test_page_shows_reporters_and_where_to_go_on() -> None:
    shown = [
        an_issue(1, reporter={"accountId": "ann", "accountType": "customer"}),
        an_issue(2, reporter=None),
        an_issue(3),  # the reporter is hidden in its project
        an_issue(4, reporter={"accountId": "bot", "accountType": "app"}),
        an_issue(5, updated="never"),
        {"id": "six", "fields": {}},
    ]
    jira = Jira({SEARCH: {"issues": shown, "nextPageToken": "t"}})
    client = jira.client()
    page = await issues.search(client, "statusCategory = Done", "before")
    assert [(each.issue_id, each.reporter_id) for each in page.facts] == [(1, "ann"), (2, None), (3, None), (4, None)]
    assert page.facts[0] == IssueFacts(issue_id=1, reporter_id=AccountId("ann"), updated_at=MOMENT)
    assert (page.read, page.last, page.token) == (6, MOMENT, "t")
    [asked] = jira.asked(SEARCH)
    assert asked.get_list("fields") == ["reporter", "updated", "created"]
    assert (asked["nextPageToken"], asked["maxResults"]) == ("before", "100")
    assert client.points == 1 + 6


async def test_empty_page_is_the_last_one_whatever_it_says() -> None:
    page = await issues.search(Jira({SEARCH: {"issues": [], "nextPageToken": "t"}}).client(), "x = 1", None)
    assert (page.read, page.last, page.token) == (0, None, None)


async def test_single_issues_are_fetched_by_id() -> None:
    jira = Jira({"/rest/api/3/issue/bulkfetch": {"issues": [an_issue(1, reporter={"accountId": "ann"})]}})

    async def client_of(tenant_id: TenantId) -> JiraClient:
        assert tenant_id == TENANT
        return jira.client()

    [found] = await issues.JiraIssues(client_of).facts(TENANT, [1, 2])
    assert (found.issue_id, found.reporter_id) == (1, "ann")


async def test_count_is_about_right_and_costs_a_point() -> None:
    jira = Jira({"/rest/api/3/search/approximate-count": {"count": 153}})
    client = jira.client()
    assert await issues.count(client, "statusCategory = Done") == 153
    assert client.points == 1
