"""What does a page of accounts, as Jira shows them now, change in our contacts? Pure: it reads values and returns values.

The rules are product.md S4, S5, S13, D1 to D7, D10 and D11. Nothing here knows of SQL, HTTP or the clock.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from addon.crm.contact import ContactId, EmailKey
from addon.sync import account as accounts
from addon.sync.people import (
    Account,
    Attention,
    AttentionKind,
    Cause,
    Change,
    Contact,
    Counts,
    Field,
    Known,
    LinkedBy,
    Plan,
    Sighting,
)
from addon.sync.scope import Scope, is_kept
from lifecycle.tenant import AccountId


def plan_page(
    sightings: Sequence[Sighting],
    known: Known,
    *,
    scope: Scope,
    run_id: int | None,
    new_ids: Iterator[ContactId],
    now: datetime,
) -> Plan:
    """What to write for `sightings`, taken in their order; of two for one account the later adds to the earlier.

    `new_ids` must yield an unused id for every contact made: at most one for each sighting.
    """
    page = _Page(known, run_id=run_id, new_ids=new_ids, now=now)
    for sighting in sightings:
        page.see(sighting, scope)
    return page.finish()


def plan_choice(
    account_id: AccountId, target: ContactId | None, known: Known, *, new_ids: Iterator[ContactId], now: datetime
) -> Plan:
    """What to write when a person decided: the account is linked to `target`, or to a new contact; nobody else is."""
    page = _Page(known, run_id=None, new_ids=new_ids, now=now)
    page.choose(account_id, target)
    return page.finish()


def plan_left_behind(account_ids: Sequence[AccountId], known: Known, *, now: datetime) -> Plan:
    """What to write when others who shared a contact with these accounts are gone: the contact follows who is left (D3)."""
    page = _Page(known, run_id=None, new_ids=iter(()), now=now)
    page.lead(account_ids)
    return page.finish()


def by_rank(linked: Sequence[Account]) -> list[Account]:
    """The accounts of one contact, the primary one first: active, then users, then the older link (D3)."""
    return sorted(linked, key=lambda a: (not a.active, a.kind != "user", a.linked_at, a.account_id))


class _Page:
    """What we know while one page is planned, as changed so far."""

    def __init__(self, known: Known, *, run_id: int | None, new_ids: Iterator[ContactId], now: datetime) -> None:
        self._before = {account.account_id: account for account in known.accounts}
        self._contacts_before = {contact.contact_id: contact for contact in known.contacts}
        self._accounts = dict(self._before)
        self._contacts = dict(self._contacts_before)
        self._links: dict[ContactId, set[AccountId]] = defaultdict(set)
        self._by_email: dict[EmailKey, set[ContactId]] = defaultdict(set)
        for account in known.accounts:
            if account.contact_id is not None:
                self._links[account.contact_id].add(account.account_id)
        for contact in known.contacts:
            self._index(contact)
        self._run_id, self._new_ids, self._now = run_id, new_ids, now
        self._seen: dict[AccountId, bool] = {}  # to whether this run sees it for the first time
        self._forgotten: set[AccountId] = set()
        self._created: set[ContactId] = set()
        self._sources: dict[ContactId, tuple[Account, Account | None]] = {}  # of name and email, by _follow
        self._linked: dict[AccountId, ContactId] = {}
        self._removed: list[ContactId] = []
        self._changes: list[Change] = []
        self._attention: dict[tuple[AttentionKind, AccountId], bool] = {}

    def see(self, sighting: Sighting, scope: Scope) -> None:
        account_id = sighting.account_id
        before = self._accounts.get(account_id)
        account = accounts.merged(before, scope.kind_of(sighting, before), run_id=self._run_id, now=self._now)
        if not scope.includes(account, before):
            account = replace(account, in_scope=False)
        is_meant = account.in_scope and (is_kept(before) or scope.admits(sighting))
        if not (is_meant or is_kept(before) or scope.must_remember(account)):
            self._forget(before)
            return
        if not is_meant:
            self._settle(account)
            account = replace(account, held=False)
        self._accounts[account_id] = account
        self._forgotten.discard(account_id)
        self._seen.setdefault(account_id, before is None or before.seen_in_run != self._run_id)
        if account.contact_id is None and is_meant:
            self._find_contact(account)
        if before is not None and before.email_key is None and is_meant:
            self._match_shown_email(self._accounts[account_id])
        contact_id = self._accounts[account_id].contact_id
        if contact_id is not None:
            # At once, so that whoever comes later on this page finds the contact by its new email.
            self._follow(contact_id)

    def choose(self, account_id: AccountId, target: ContactId | None) -> None:
        account = self._accounts[account_id]
        self._seen[account_id] = False
        if account.contact_id is not None:
            self._unlink(account, account.contact_id, Cause.CHOSEN)
        account = replace(account, linked_at=None)
        if target is None:
            self._create(account, "person", Cause.CHOSEN)
        else:
            self._link(account, target, "person", Cause.CHOSEN)
            self._follow(target)
        self._attention[AttentionKind.EMAIL_COLLISION, account_id] = False

    def lead(self, account_ids: Sequence[AccountId]) -> None:
        for account_id in account_ids:
            contact_id = self._accounts[account_id].contact_id
            if contact_id is not None:
                self._follow(contact_id)

    def finish(self) -> Plan:
        changed = {i for i in self._seen if self._accounts[i] != self._before.get(i)}
        updated = [c for i, c in self._contacts.items() if i in self._contacts_before and c != self._contacts_before[i]]
        newly_linked = set(self._linked.values())
        for contact in updated:
            self._record_following(contact, self._contacts_before[contact.contact_id])
        return Plan(
            accounts=[self._accounts[i] for i in self._seen if i in changed],
            unchanged=[i for i in self._seen if i not in changed],
            forgotten=sorted(self._forgotten),
            created=[self._contacts[i] for i in sorted(self._created)],
            updated=updated,
            removed=self._removed,
            changes=self._changes,
            attention=[
                Attention(kind=kind, account_id=account_id, is_open=is_open)
                for (kind, account_id), is_open in self._attention.items()
            ],
            counts=Counts(
                seen=sum(self._seen.values()),
                linked=len(self._linked),
                created=len(self._created),
                updated=sum(c.contact_id not in newly_linked for c in updated),
                held=sum(self._accounts[i].held for i, is_first in self._seen.items() if is_first),
            ),
        )

    def _forget(self, before: Account | None) -> None:
        if before is not None:
            self._forgotten.add(before.account_id)
            self._settle(before)

    def _find_contact(self, account: Account) -> None:
        """Link an account that has no contact: to the one remembered, the one with its email, or a new one."""
        if account.remembered_contact_id in self._contacts and account.remembered_by is not None:
            self._link(account, account.remembered_contact_id, account.remembered_by, Cause.REMEMBERED)
            return
        # What it was linked to, if ever, is gone: this link is a new one.
        account = replace(account, linked_at=None)
        if account.email_key is None:
            self._create(account, "account", Cause.CREATED_WITHOUT_EMAIL)
        else:
            match sorted(self._by_email[account.email_key]):
                case []:
                    self._create(account, "email", Cause.CREATED)
                case [contact_id]:
                    self._link(account, contact_id, "email", Cause.MATCHED)
                case _:
                    self._accounts[account.account_id] = replace(account, held=True)
                    self._attention[AttentionKind.AMBIGUOUS_EMAIL, account.account_id] = True

    def _match_shown_email(self, account: Account) -> None:
        """D5: an email that became visible is matched once more before our own nameless-address contact is filled."""
        own = account.contact_id
        if own is None or account.email_key is None or account.linked_by != "account":
            return
        others = self._by_email[account.email_key] - {own}
        if self._contacts[own].email_key is None and len(others) == 1:
            self._unlink(account, own, Cause.EMAIL_SHOWN)
            self._link(replace(account, linked_at=None), others.pop(), "email", Cause.EMAIL_SHOWN)

    def _create(self, account: Account, linked_by: LinkedBy, cause: Cause) -> None:
        contact = Contact(
            contact_id=next(self._new_ids),
            name=account.display_name,
            email=account.email,
            email_key=account.email_key,
            is_bare=True,
        )
        self._contacts[contact.contact_id] = contact
        self._created.add(contact.contact_id)
        self._index(contact)
        self._attach(account, contact.contact_id, linked_by)
        self._record(contact.contact_id, account, "contact", None, contact.name, cause)

    def _link(self, account: Account, contact_id: ContactId, linked_by: LinkedBy, cause: Cause) -> None:
        self._attach(account, contact_id, linked_by)
        self._linked[account.account_id] = contact_id
        self._record(contact_id, account, "syncedJiraUser", None, account.account_id, cause)

    def _attach(self, account: Account, contact_id: ContactId, linked_by: LinkedBy) -> None:
        self._settle(account)
        self._accounts[account.account_id] = replace(
            account,
            contact_id=contact_id,
            linked_by=linked_by,
            linked_at=account.linked_at or self._now,
            remembered_contact_id=None,
            remembered_by=None,
            held=False,
        )
        self._links[contact_id].add(account.account_id)

    def _unlink(self, account: Account, contact_id: ContactId, cause: Cause) -> None:
        """Take the account off its contact; a contact that nobody typed anything into and nobody else uses goes."""
        contact = self._contacts[contact_id]
        self._links[contact_id].discard(account.account_id)
        if self._links[contact_id]:
            self._follow(contact_id)
        if not contact.is_bare or self._links[contact_id]:
            self._record(contact_id, account, "syncedJiraUser", account.account_id, None, cause)
            return
        del self._contacts[contact_id]
        if contact.email_key is not None:
            self._by_email[contact.email_key].discard(contact_id)
        if contact_id in self._created:
            # Made on this very page: it was never written, and has no history.
            self._created.discard(contact_id)
            self._changes = [change for change in self._changes if change.contact_id != contact_id]
            return
        self._removed.append(contact_id)
        self._record(contact_id, account, "contact", contact.name, None, cause)

    def _follow(self, contact_id: ContactId) -> None:
        """S13: name and email come from the primary account; where it shows no email, from the next that does."""
        contact = self._contacts[contact_id]
        ranked = by_rank([self._accounts[i] for i in self._links[contact_id]])
        lead, source = ranked[0], next((account for account in ranked if account.email_key is not None), None)
        self._sources[contact_id] = lead, source
        shown = contact if source is None or source.email_key == contact.email_key else source
        if (lead.display_name, shown.email_key) == (contact.name, contact.email_key):
            return
        if contact.email_key is not None:
            self._by_email[contact.email_key].discard(contact_id)
        followed = replace(contact, name=lead.display_name, email=shown.email, email_key=shown.email_key)
        self._contacts[contact_id] = followed
        self._index(followed)

    def _record_following(self, contact: Contact, before: Contact) -> None:
        lead, source = self._sources[contact.contact_id]
        if contact.name != before.name:
            self._record(contact.contact_id, lead, "name", before.name, contact.name, Cause.FOLLOWED)
        if source is not None and contact.email_key is not None and contact.email_key != before.email_key:
            self._record(contact.contact_id, source, "email", before.email, contact.email, Cause.FOLLOWED)
            collides = len(self._by_email[contact.email_key]) > 1
            for account_id in self._links[contact.contact_id]:
                is_source = account_id == source.account_id
                self._attention[AttentionKind.EMAIL_COLLISION, account_id] = collides and is_source

    def _index(self, contact: Contact) -> None:
        if contact.email_key is not None:
            self._by_email[contact.email_key].add(contact.contact_id)

    def _settle(self, account: Account) -> None:
        if account.held:
            self._attention[AttentionKind.AMBIGUOUS_EMAIL, account.account_id] = False

    def _record(
        self,
        contact_id: ContactId,
        account: Account,
        field: Field,
        old: str | None,
        new: str | None,
        cause: Cause,
    ) -> None:
        self._changes.append(
            Change(contact_id=contact_id, account_id=account.account_id, field=field, old=old, new=new, cause=cause)
        )
