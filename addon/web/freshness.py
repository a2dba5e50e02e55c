"""Is what a person looks at fresh? What is shown is shown at once, and read again from Jira behind it (S14)."""

from collections.abc import Iterable
from datetime import timedelta

from addon.crm.contact import Contact
from addon.storage import deliveries
from addon.storage.database import TenantScope
from addon.web.auth import Visit

FRESH_FOR = timedelta(minutes=1)


async def renew(visit: Visit, scope: TenantScope, shown: Iterable[Contact]) -> None:
    """Have the accounts of these contacts read again, where that was longer than FRESH_FOR ago. Waits for nothing."""
    now = visit.now()
    stale = [
        account.account_id for contact in shown for account in contact.accounts if now - account.checked_at > FRESH_FOR
    ]
    await deliveries.ask(scope, stale, enqueue=visit.deps.enqueue, now=now)
