"""What do the web routes work with? Everything they need is handed over here, once, by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from addon.jira.names import FoundGroups
from addon.storage.database import Database
from addon.storage.ledger import Ledger
from addon.storage.sync_state import Enqueue
from lifecycle.caller import Callers
from lifecycle.tenant import AccountId, Tenant, TenantId


class Permissions(Protocol):
    """Asks the site what a person may do there."""

    async def is_admin(self, tenant: Tenant, account_id: AccountId) -> bool:
        """Whether the person administers Jira now. Raises JiraError when the site does not say."""
        ...

    async def groups_of(self, tenant: Tenant, account_id: AccountId) -> frozenset[str]:
        """The ids of the person's Jira groups; none for whom Jira does not know as a user. Raises as `is_admin` does."""
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
    ledger: Ledger
    enqueue: Enqueue
    clock: Callable[[], datetime]
    base_url: str
    host_script_url: str
    descriptor: dict[str, Any]
