"""What does the sync know of whoever reported an issue, and of what keeps their contact without a company?

Reads only. Whose issue it is, is `addon.storage.issue_company`'s; while the sync is off no account has a contact (S12).
"""

from dataclasses import dataclass
from typing import Literal

from addon.crm.contact import ContactId
from addon.errors import NotFound
from addon.storage import attention
from addon.storage.database import TenantScope
from lifecycle.tenant import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """An account as the sync read it last. `held`: several contacts have its email, and a person has to choose (D2)."""

    account_id: AccountId
    display_name: str
    kind: Literal["user", "customer"]
    active: bool
    held: bool
    contact_id: ContactId | None


async def find(scope: TenantScope, account_id: AccountId) -> Reporter | None:
    """None for an account that the sync does not keep."""
    row = await scope.fetch_one(
        """
        SELECT a.account_id, a.display_name, a.kind, a.active, a.held,
            CASE WHEN s.enabled THEN a.contact_id END AS contact_id
        FROM account a LEFT JOIN sync_setting s ON s.tenant_id = a.tenant_id
        WHERE a.tenant_id = :tenant_id AND a.account_id = :account_id
        """,
        account_id=account_id,
    )
    return None if row is None else Reporter(**row)


async def is_user(scope: TenantScope, account_id: AccountId) -> bool:
    """Whether the sync has met the person among those who may use Jira itself, and not as a customer."""
    return bool(
        await scope.fetch_val(
            """
            SELECT EXISTS (
                SELECT FROM account
                WHERE tenant_id = :tenant_id AND account_id = :account_id AND kind = 'user' AND active)
            """,
            account_id=account_id,
        )
    )


async def find_tie(scope: TenantScope, contact_id: ContactId) -> attention.Item | None:
    """The open question which of several companies the contact belongs to; None also where somebody dismissed it."""
    attention_id: int | None = await scope.fetch_val(
        """
        SELECT attention_id FROM attention
        WHERE tenant_id = :tenant_id AND kind = 'company-tie' AND contact_id = CAST(:contact_id AS bigint)
        """,
        contact_id=contact_id,
    )
    if attention_id is None:
        return None
    try:
        tie = await attention.find(scope, attention_id)
    except NotFound:  # it is settled, and goes when somebody looks at the list
        return None
    return None if tie.is_dismissed else tie
