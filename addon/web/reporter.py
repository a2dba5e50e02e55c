"""Who reported an issue, and which company are they of? What a panel and the API tell of one issue, read in one place.

Jira is asked only about an issue or an account that the sync does not know, and never while a transaction is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from addon.crm.company import CompanyRef
from addon.crm.contact import Contact
from addon.issues.facts import IssueFacts
from addon.jira.accounts import Described
from addon.storage import contacts, deliveries, issue_company, reporters, sync_state
from addon.storage.database import TenantScope
from addon.sync.filters import NO_FILTERS
from addon.sync.hints import Hint
from addon.sync.scope import Scope
from addon.web import marks
from addon.web.auth import Visit
from lifecycle.tenant import AccountId

State = Literal["off", "hidden", "nobody", "gone", "undecided", "inactive", "excluded", "unread", "contact"]
"""What there is to tell.

off: nothing is looked for. hidden: Jira does not show the app the issue. nobody: no person reported it. gone: Jira does not
know the reporter any more. contact: they have one. The others say why they have none: several contacts have their email;
they are inactive; the filters leave them out; they are about to be read.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The reporter. `name` is empty where neither we nor Jira can tell it."""

    account_id: AccountId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of one issue. `company`: of the contact now; while the sync is off, what the issue still says."""

    issue_id: int
    state: State
    person: Person | None = None
    contact: Contact | None = None
    company: CompanyRef | None = None

    @property
    def is_on(self) -> bool:
        return self.state != "off"


async def look(visit: Visit, issue_id: int) -> Sight:
    """Raises JiraError where Jira must be asked and does not answer."""
    tenant_id = visit.caller.tenant.tenant_id
    async with visit.tenant() as scope:
        known = await issue_company.find(scope, issue_id)
        if not await sync_state.is_enabled(scope):
            return await _kept(scope, issue_id, known)
    reporter_id = known.reporter_id if known is not None else None
    if known is None:
        facts = await visit.deps.issues.facts(tenant_id, [issue_id])
        if not facts:
            return Sight(issue_id=issue_id, state="hidden")
        reporter_id = facts[0].reporter_id
        await _remember(visit, facts)
    if reporter_id is None:
        return Sight(issue_id=issue_id, state="nobody")
    async with visit.tenant() as scope:
        found = await reporters.find(scope, reporter_id)
        if found is not None:
            return await _known(scope, issue_id, found)
    described = await visit.deps.accounts.describe(tenant_id, reporter_id)
    return await _stranger(visit, issue_id, reporter_id, described)


async def _remember(visit: Visit, facts: Sequence[IssueFacts]) -> None:
    """So that the issue is not asked about again, and its property does not wait for the issues before it."""
    async with visit.tenant() as scope:
        if await sync_state.is_enabled(scope):
            await issue_company.learn(scope, facts, is_backlog=False)
            await marks.follow(visit, scope)


async def _kept(scope: TenantScope, issue_id: int, known: issue_company.Known | None) -> Sight:
    """The sync is off: what was written stays on the issue, and nobody has a contact by it (S12)."""
    reporter_id = known.reporter_id if known is not None else None
    found = None if reporter_id is None else await reporters.find(scope, reporter_id)
    return Sight(
        issue_id=issue_id,
        state="off",
        person=None if found is None else Person(account_id=found.account_id, name=found.display_name),
        company=None if known is None else known.written,
    )


async def _known(scope: TenantScope, issue_id: int, found: reporters.Reporter) -> Sight:
    person = Person(account_id=found.account_id, name=found.display_name)
    if found.contact_id is not None:
        contact = await contacts.fetch(scope, found.contact_id)
        return Sight(issue_id=issue_id, state="contact", person=person, contact=contact, company=contact.company)
    meant = await sync_state.read_scope(scope)
    state: State = "excluded" if _is_narrowed(meant) else "unread"
    if found.held:
        state = "undecided"
    elif not (found.active or meant.include_inactive):
        state = "inactive"
    return Sight(issue_id=issue_id, state=state, person=person)


async def _stranger(visit: Visit, issue_id: int, account_id: AccountId, described: Described | None) -> Sight:
    """A reporter whom the sync does not keep. Whoever could get a contact is read, at most once an hour."""
    if described is None:
        return Sight(issue_id=issue_id, state="gone")
    if described.kind == "app":
        return Sight(issue_id=issue_id, state="nobody")
    person = Person(account_id=account_id, name=described.display_name)
    now = visit.now()
    async with visit.tenant() as scope:
        meant = await sync_state.read_scope(scope)
        if not (described.active or meant.include_inactive):
            return Sight(issue_id=issue_id, state="inactive", person=person)
        hint = Hint(event="issue-panel", subject="issue", account_ids=(account_id,))
        delivery_id = f"issue-panel-{now:%Y-%m-%dT%H}"
        await deliveries.receive(scope, delivery_id, hint, enqueue=visit.deps.enqueue, now=now)
    return Sight(issue_id=issue_id, state="excluded" if _is_narrowed(meant) else "unread", person=person)


def _is_narrowed(meant: Scope) -> bool:
    """Whether the filters may be why somebody has no contact: only a run, which reads lists, could tell."""
    return meant.filters != NO_FILTERS
