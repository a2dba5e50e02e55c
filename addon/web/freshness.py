"""Is what a person looks at fresh? What is shown is shown at once, and read again from Jira behind it (S14)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from addon.crm.contact import Contact, ContactId
from addon.storage import deliveries
from addon.storage.database import TenantScope
from addon.web.auth import Visit

FRESH_FOR = timedelta(minutes=1)


async def renew(visit: Visit, scope: TenantScope, shown: Iterable[Contact]) -> Sequence[ContactId]:
    """Have the accounts of these contacts read again, where that was longer than FRESH_FOR ago. Waits for nothing.

    Gives the contacts that this is about. While a wish like this one is open, this one is not stored: repeat it.
    """
    now = visit.now()
    stale = [contact for contact in shown if not is_fresh(contact, now=now)]
    account_ids = [a.account_id for contact in stale for a in contact.accounts if now - a.checked_at > FRESH_FOR]
    await deliveries.ask(scope, account_ids, enqueue=visit.deps.enqueue, now=now)
    return [contact.contact_id for contact in stale]


def is_fresh(contact: Contact, *, now: datetime) -> bool:
    return all(now - account.checked_at <= FRESH_FOR for account in contact.accounts)
