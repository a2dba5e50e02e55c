"""What does one look at a list of people cost and show? The smallest readings of a site that tell whether it changed.

Implements `addon.sync.rounds.Window` for a Connect app. A look behind a list's end names nobody, so it costs one point.
"""

from collections.abc import Sequence
from datetime import timedelta

from addon.jira import answers, budget, errors
from addon.jira.client import JiraClient, Params
from addon.jira.directory import APP, CUSTOMERS, GROUP_PAGE, NOBODY, OPT_IN, USERS, ConnectDirectory, Turn, readable_id
from addon.sync.order import ListKey
from addon.sync.rounds import ListClosed, Shown
from lifecycle.tenant import AccountId

ISSUES_PAGE = 50
LONGEST = timedelta(days=1)
# Whoever reported earlier than that was found by a whole scan, or has to wait for one.


class ConnectProbes:
    """Looks into one site. `directory` reads the same site through the same client."""

    users = USERS

    def __init__(self, client: JiraClient, directory: ConnectDirectory, customer_turn: Turn) -> None:
        self._client = client
        self.directory = directory
        self._customer_turn = customer_turn

    @property
    def points(self) -> int:
        return self._client.points

    async def may_browse(self) -> bool:
        return await self.directory.may_browse()

    async def look(self, key: ListKey, place: int, count: int) -> Shown:
        try:
            return await self._look(key, place, count)
        except (errors.Rejected, errors.Forbidden) as exc:
            raise ListClosed(str(exc)) from exc

    async def _look(self, key: ListKey, place: int, count: int) -> Shown:
        if key.phase == USERS:
            return await self._members(key.container, place, count)
        if key.phase == CUSTOMERS:
            async with self._customer_turn():
                path = f"/rest/servicedeskapi/servicedesk/{key.container}/customer"
                return await self._customers(path, place, count, OPT_IN)
        return await self._customers(f"/rest/servicedeskapi/organization/{key.container}/user", place, count, {})

    async def _members(self, group_id: str, place: int, count: int) -> Shown:
        """More than a page are read in turn."""
        found: list[AccountId | None] = []
        while True:
            size = min(count, GROUP_PAGE)
            params: Params = {
                "groupId": group_id,
                "includeInactiveUsers": True,
                "startAt": place,
                "maxResults": size,
            }
            page = await self._client.get(
                "/rest/api/3/group/member", answers.USERS, params, price=budget.identities(size)
            )
            found.extend(readable_id(user.account_id) for user in page.values)
            place, count = place + size, count - size
            if count <= 0 or page.is_last:
                return Shown(account_ids=found, total=page.total, is_last=page.is_last)

    async def _customers(self, path: str, place: int, count: int, headers: dict[str, str]) -> Shown:
        found: list[AccountId | None] = []
        while True:
            params: Params = {"start": place + len(found), "limit": count - len(found)}
            price = budget.identities(count - len(found))
            page = await self._client.get(path, answers.CUSTOMERS, params, price=price, headers=headers)
            found.extend(readable_id(person.account_id) for person in page.values)
            if len(found) >= count or page.is_last or not page.values:
                return Shown(account_ids=found, total=None, is_last=page.is_last)

    async def reporters(self, since: timedelta, *, most: int) -> Sequence[AccountId]:
        minutes = -(-int(min(since, LONGEST).total_seconds()) // 60)
        found: dict[AccountId, None] = {}
        token: str | None = None
        read = 0
        while True:
            size = min(ISSUES_PAGE, most - read)
            params: dict[str, str | int] = {
                "jql": f'created >= "-{minutes}m" ORDER BY created DESC',
                "fields": "reporter",
                "maxResults": size,
            }
            if token is not None:
                params["nextPageToken"] = token
            page = await self._client.get("/rest/api/3/search/jql", answers.ISSUES, params, price=budget.core(size))
            reporters = [issue.fields.reporter for issue in page.values if issue.fields.reporter is not None]
            ids = [
                readable_id(reporter.account_id)
                for reporter in reporters
                if reporter.account_type not in {APP, NOBODY} and not reporter.is_former
            ]
            found.update({account_id: None for account_id in ids if account_id is not None})
            read, token = read + len(page.values), page.next_page_token
            if token is None or not page.values or read >= most:
                return list(found)
