"""Which issues does a site have, and who reported them? Readings of issues; what they mean is `addon.issues`' to say."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from addon.issues import facts
from addon.issues.facts import IssueFacts
from addon.jira import answers, budget
from addon.jira.answers import FoundIssue
from addon.jira.client import JiraClient, Params
from lifecycle.tenant import TenantId

PAGE = 100
# "search/jql" answers 5,000 at most, but so many only without fields; the price is one point an issue however they are cut.

FIELDS = ("reporter", "updated", "created")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePage:
    """`read`: how many issues it showed; `last`: when the last of them was created. No `token`: it was the last page."""

    facts: Sequence[IssueFacts]
    read: int
    last: datetime | None
    token: str | None


async def search(client: JiraClient, jql: str, token: str | None) -> IssuePage:
    """A page of the issues that the query finds. Raises JiraError."""
    params: Params = {"jql": jql, "fields": FIELDS, "maxResults": PAGE}
    if token is not None:
        params = {**params, "nextPageToken": token}
    page = await client.get("/rest/api/3/search/jql", answers.FOUND_ISSUES, params, price=budget.core(PAGE))
    created = [facts.read_moment(issue.fields.get("created")) for issue in page.values]
    return IssuePage(
        facts=_facts(page.values),
        read=len(page.values),
        last=next((moment for moment in reversed(created) if moment is not None), None),
        token=page.next_page_token if page.values else None,
    )


async def count(client: JiraClient, jql: str) -> int:
    """About how many issues the query finds. Raises JiraError."""
    found = await client.post("/rest/api/3/search/approximate-count", answers.COUNT, {"jql": jql}, price=budget.FLAT)
    return found.count


async def is_shown(client: JiraClient, issue_id: int) -> bool:
    """Whether the issue is there and the app may see it. Raises JiraError."""
    asked = {"issueIdsOrKeys": [str(issue_id)], "fields": ["created"]}
    found = await client.post("/rest/api/3/issue/bulkfetch", answers.FOUND_ISSUES, asked, price=budget.core(1))
    return bool(found.values)


class JiraIssues:
    """Asks the site of a tenant for single issues."""

    def __init__(self, client_of: Callable[[TenantId], Awaitable[JiraClient]]) -> None:
        self._client_of = client_of

    async def facts(self, tenant_id: TenantId, issue_ids: Sequence[int]) -> Sequence[IssueFacts]:
        """Of at most PAGE issues, those that are there and that the app may see. Raises JiraError."""
        client = await self._client_of(tenant_id)
        found = await client.post(
            "/rest/api/3/issue/bulkfetch",
            answers.FOUND_ISSUES,
            {"issueIdsOrKeys": [str(issue_id) for issue_id in issue_ids], "fields": list(FIELDS)},
            price=budget.core(len(issue_ids)),
        )
        return _facts(found.values)


def _facts(issues: Sequence[FoundIssue]) -> Sequence[IssueFacts]:
    """An issue without what we need tells nothing; a reporter who is not shown is nobody."""
    found = []
    for issue in issues:
        issue_id, updated_at = facts.read_id(issue.id), facts.read_moment(issue.fields.get("updated"))
        if issue_id is not None and updated_at is not None:
            reporter_id = facts.read_reporter(issue.fields.get("reporter"))
            found.append(IssueFacts(issue_id=issue_id, reporter_id=reporter_id, updated_at=updated_at))
    return found
