"""What do the web routes work with? Everything they need is handed over here, once, by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from addon.storage.database import Database
from addon.storage.ledger import Ledger
from addon.storage.sync_state import Enqueue
from lifecycle.caller import Callers
from lifecycle.tenant import AccountId, Tenant


class Permissions(Protocol):
    """Asks the site what a person may do there."""

    async def is_admin(self, tenant: Tenant, account_id: AccountId) -> bool:
        """Whether the person administers Jira now. Raises JiraError when the site does not say."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebDeps:
    """The collaborators of all routes.

    base_url: our own public address; host_script_url: where Atlassian's bridge is; descriptor: as it is served.
    """

    database: Database
    callers: Callers
    permissions: Permissions
    ledger: Ledger
    enqueue: Enqueue
    clock: Callable[[], datetime]
    base_url: str
    host_script_url: str
    descriptor: dict[str, Any]
