"""What does taking a run back change (D17)? Pure: the run's changes and the contacts as they are now in, what to write out.

Nobody's own work is touched: a contact that somebody edited since the sync wrote it is not deleted, and a name or email
that is not the one the run gave is not put back. What is left like that is written down, too.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from addon.crm import contact as crm
from addon.crm.contact import ContactId, EmailKey
from addon.sync.people import Cause, Change
from lifecycle.tenant import AccountId

Link = tuple[AccountId, ContactId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A contact as it is now. `is_edited`: somebody typed something into it, or changed it after the sync did."""

    contact_id: ContactId
    name: str
    email: str | None
    is_edited: bool

    @property
    def email_key(self) -> EmailKey | None:
        return None if self.email is None else crm.email_key(self.email)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What to write. `unlinked`: links that are not to be remembered, as pairs of account and contact: those that the run
    made, and did not bring back.
    """

    deleted: Sequence[ContactId]
    restored: Sequence[Present]
    unlinked: Sequence[Link]
    changes: Sequence[Change]


def take_back(changes: Sequence[Change], present: Sequence[Present], links: Collection[Link]) -> TakenBack:
    """Take back `changes`, the newest first. `present`: the contacts that they are about, as far as these exist; `links`:
    which accounts they are linked to, or were when the sync was turned off.
    """
    undoing = _Undoing(contacts={contact.contact_id: contact for contact in present}, links=set(links))
    for change in changes:
        undoing.take_back(change)
    before = {contact.contact_id: contact for contact in present}
    return TakenBack(
        deleted=undoing.deleted,
        restored=[contact for contact in undoing.contacts.values() if contact != before[contact.contact_id]],
        unlinked=undoing.unlinked,
        changes=undoing.changes,
    )


@dataclass(slots=True, kw_only=True)
class _Undoing:
    contacts: dict[ContactId, Present]
    links: set[Link]
    deleted: list[ContactId] = field(default_factory=list)
    unlinked: list[Link] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def take_back(self, change: Change) -> None:
        contact = self.contacts.get(change.contact_id)
        match change.field:
            case "contact" if contact is not None and change.old is None:
                self._uncreate(change, contact)
            case "name" | "email" if contact is not None:
                self._put_back(change, contact)
            case "syncedJiraUser" if change.old is None and (change.account_id, change.contact_id) in self.links:
                # What the run only brought back was a memory before, and is one again (D10).
                if change.cause != Cause.REMEMBERED:
                    self.unlinked.append((change.account_id, change.contact_id))
                self._note(change, change.new, None, Cause.UNDONE)
            case _:
                # The contact or the link is gone by now, or the run took something away that only Jira can give back:
                # the sync is off, and nobody has a link.
                pass

    def _uncreate(self, change: Change, contact: Present) -> None:
        if contact.is_edited:
            self._note(change, contact.name, contact.name, Cause.LEFT_ALONE)
            return
        del self.contacts[contact.contact_id]
        self.deleted.append(contact.contact_id)
        self._note(change, contact.name, None, Cause.UNDONE)

    def _put_back(self, change: Change, contact: Present) -> None:
        current = contact.name if change.field == "name" else contact.email
        is_storable = change.field == "email" or change.old is not None
        if current != change.new or not is_storable:
            self._note(change, current, current, Cause.LEFT_ALONE)
            return
        put_back = replace(contact, email=change.old)
        if change.field == "name" and change.old is not None:
            put_back = replace(contact, name=change.old)
        self.contacts[contact.contact_id] = put_back
        self._note(change, change.new, change.old, Cause.UNDONE)

    def _note(self, change: Change, old: str | None, new: str | None, cause: Cause) -> None:
        self.changes.append(replace(change, old=old, new=new, cause=cause))
