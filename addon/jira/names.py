"""What does Jira call its groups, service projects and organizations? For people who choose among them.

Groups can be searched, so they are asked for while somebody types. The lists of Jira Service Management cannot; they are
read page by page and kept (`addon.storage.names`).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from addon.jira import answers, budget, errors
from addon.jira.client import JiraClient, Params
from addon.jira.directory import DESK_PAGE, NUL, following
from addon.sync.filters import ListKind, Named
from lifecycle.tenant import TenantId

GROUPS_SHOWN = 20  # what the picker shows where nothing else is configured in Jira


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundGroups:
    """The first groups that fit, of `total`."""

    groups: Sequence[Named]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesPage:
    """`next_start` is None at the list's end. `is_refused`: Jira does not say what is left."""

    names: Sequence[Named]
    next_start: int | None
    is_refused: bool = False


class JiraNames:
    """Asks the site of a tenant."""

    def __init__(self, client_of: Callable[[TenantId], Awaitable[JiraClient]]) -> None:
        self._client_of = client_of

    async def search_groups(self, tenant_id: TenantId, query: str) -> FoundGroups:
        """Groups whose name holds the text, in any case. Raises JiraError."""
        client = await self._client_of(tenant_id)
        params: dict[str, str | int] = {"maxResults": GROUPS_SHOWN, "caseInsensitive": True}
        if query:
            params["query"] = query
        found = await client.get(
            "/rest/api/3/groups/picker", answers.FOUND_GROUPS, params, price=budget.identities(GROUPS_SHOWN)
        )
        groups = [_named(group.group_id, group.name) for group in found.values if group.group_id]
        return FoundGroups(groups=groups, total=max(found.total, len(groups)))

    async def page(self, tenant_id: TenantId, kind: ListKind, start: int) -> NamesPage:
        """Some service projects or organizations; none where the site has no service management. Raises JiraError."""
        client = await self._client_of(tenant_id)
        params: Params = {"start": start, "limit": DESK_PAGE}
        price = budget.core(DESK_PAGE)
        try:
            match kind:
                case "projects":
                    desks = await client.get("/rest/servicedeskapi/servicedesk", answers.DESKS, params, price=price)
                    names = [_named(desk.id, desk.name) for desk in desks.values]
                    return NamesPage(names=names, next_start=following(desks, start))
                case "organizations":
                    found = await client.get(
                        "/rest/servicedeskapi/organization", answers.ORGANIZATIONS, params, price=price
                    )
                    names = [_named(each.id, each.name) for each in found.values]
                    return NamesPage(names=names, next_start=following(found, start))
                case _:
                    assert_never(kind)
        except (errors.Rejected, errors.Forbidden):
            return NamesPage(names=(), next_start=None, is_refused=True)


def _named(place_id: str, name: str) -> Named:
    """A thing without a name that can be shown goes by its id."""
    return Named(id=place_id, name=name.replace(NUL, "").strip() or place_id)
