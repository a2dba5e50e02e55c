"""What do the web routes work with? Everything they need is handed over here, once, by the composition root."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from addon.issues.facts import IssueFacts
from addon.jira.accounts import Described
from addon.jira.names import FoundGroups
from addon.storage.database import Database
from addon.storage.ledger import Ledger
from addon.storage.sync_state import Enqueue
from lifecycle.caller import Callers
from lifecycle.tenant import AccountId, Tenant, TenantId


class Permissions(Protocol):
    """Asks the site what a person may do there, and what they may see."""

    async def is_admin(self, tenant: Tenant, account_id: AccountId) -> bool:
        """Whether the person administers Jira now. Raises JiraError when the site does not say."""
        ...

    async def groups_of(self, tenant: Tenant, account_id: AccountId) -> frozenset[str]:
        """The ids of the person's Jira groups; none for whom Jira does not know as a user. Raises as `is_admin` does."""
        ...

    async def may_see_issue(self, tenant: Tenant, account_id: AccountId, issue_id: int) -> bool:
        """Whether the site shows the person the issue now. Raises as `is_admin` does."""
        ...


class Issues(Protocol):
    """Asks the site about issues."""

    async def facts(self, tenant_id: TenantId, issue_ids: Sequence[int]) -> Sequence[IssueFacts]:
        """Those of the issues that the site shows to the app. Raises JiraError."""
        ...


class Accounts(Protocol):
    """Asks the site who somebody is."""

    async def describe(self, tenant_id: TenantId, account_id: AccountId) -> Described | None:
        """None for an account that the site does not know. Raises JiraError."""
        ...


class GroupNames(Protocol):
    """Asks the site what its groups are called."""

    async def search_groups(self, tenant_id: TenantId, query: str) -> FoundGroups:
        """The first groups whose name holds the text. Raises JiraError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    """The collaborators of all routes.

    base_url: our own public address; host_script_url: where Atlassian's bridge is; descriptor: as it is served.
    """

    database: Database
    callers: Callers
    permissions: Permissions
    names: GroupNames
    issues: Issues
    accounts: Accounts
    ledger: Ledger
    enqueue: Enqueue
    clock: Callable[[], datetime]
    base_url: str
    host_script_url: str
    descriptor: dict[str, Any]
