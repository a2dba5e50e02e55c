"""Is this person a Jira administrator, in which groups are they, and which issues do they see? Asked on the server (D13).

The first two are remembered for a minute. `JiraPermissions` implements `addon.web.deps.Permissions`. And which issues may
the app itself edit?
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from addon.jira import answers, budget, errors
from addon.jira.client import JiraClient
from addon.jira.memory import Memory
from lifecycle.tenant import AccountId, Tenant, TenantId

ADMINISTER = "ADMINISTER"
BROWSE = "BROWSE_PROJECTS"
EDIT = "EDIT_ISSUES"
MAX_AGE = timedelta(seconds=60)

ATLASSIAN = "atlassian"
# The account type of people; apps and portal customers may do nothing, whatever group somebody put them into.

NO_GROUPS: frozenset[str] = frozenset()


async def editable(client: JiraClient, issue_ids: Sequence[int]) -> frozenset[int]:
    """Of at most 1,000 issues, those that are there and that the app may edit. Raises JiraError."""
    asked = {"projectPermissions": [{"issues": list(issue_ids), "permissions": [EDIT]}]}
    grants = await client.post("/rest/api/3/permissions/check", answers.GRANTS, asked, price=budget.FLAT)
    return frozenset(
        issue_id for grant in grants.project_permissions if grant.permission == EDIT for issue_id in grant.issues
    )


class JiraPermissions:
    """Asks the tenant's Jira. A "no" is remembered as long as a "yes"; an error is not, and reaches the caller."""

    def __init__(self, client_of: Callable[[TenantId], Awaitable[JiraClient]], clock: Callable[[], datetime]) -> None:
        self._client_of = client_of
        self._admins: Memory[bool] = Memory(clock, MAX_AGE)
        self._groups: Memory[frozenset[str]] = Memory(clock, MAX_AGE)

    async def is_admin(self, tenant: Tenant, account_id: AccountId) -> bool:
        """Raises JiraError."""
        return await self._admins.get(tenant.tenant_id, account_id, self._ask_admin)

    async def groups_of(self, tenant: Tenant, account_id: AccountId) -> frozenset[str]:
        """The ids of the groups of an active Atlassian account; nobody else has any here. Raises JiraError."""
        return await self._groups.get(tenant.tenant_id, account_id, self._ask_groups)

    async def may_see_issue(self, tenant: Tenant, account_id: AccountId, issue_id: int) -> bool:
        """Whether Jira shows the person this issue now; no also where there is no such issue. Raises JiraError."""
        client = await self._client_of(tenant.tenant_id)
        asked = {
            "accountId": account_id,
            "globalPermissions": [],
            "projectPermissions": [{"issues": [issue_id], "permissions": [BROWSE]}],
        }
        try:
            grants = await client.post("/rest/api/3/permissions/check", answers.GRANTS, asked, price=budget.FLAT)
        except errors.Rejected:
            return False  # what Jira cannot look up, it shows nobody
        return any(grant.permission == BROWSE and issue_id in grant.issues for grant in grants.project_permissions)

    async def _ask_admin(self, tenant_id: TenantId, account_id: AccountId) -> bool:
        client = await self._client_of(tenant_id)
        grants = await client.post(
            "/rest/api/3/permissions/check",
            answers.GRANTS,
            {"accountId": account_id, "globalPermissions": [ADMINISTER], "projectPermissions": []},
            price=budget.FLAT,
        )
        return ADMINISTER in grants.global_permissions

    async def _ask_groups(self, tenant_id: TenantId, account_id: AccountId) -> frozenset[str]:
        client = await self._client_of(tenant_id)
        try:
            found = await client.get(
                "/rest/api/3/user",
                answers.MEMBER,
                {"accountId": account_id, "expand": "groups"},
                price=budget.fixed(budget.REQUEST + budget.IDENTITY),
            )
        except errors.Rejected as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return NO_GROUPS
            raise
        if not found.active or found.account_type != ATLASSIAN:
            return NO_GROUPS
        listed = found.groups.items
        if len(listed) < found.groups.size:
            # Jira does not promise that the expansion holds all of them; this list does.
            price = budget.bare_identities(found.groups.size)
            listed = await client.get(
                "/rest/api/3/user/groups", answers.GROUPS_OF_USER, {"accountId": account_id}, price=price
            )
        return frozenset(group.group_id for group in listed if group.group_id)
