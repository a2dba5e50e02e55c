"""Which accounts become and stay contacts: the setting for inactive ones (D7) and the filters (D11). Pure."""

from dataclasses import dataclass, replace

from addon.crm import contact as crm
from addon.sync.filters import NO_FILTERS, Filters, Membership
from addon.sync.people import Account, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose accounts become contacts (D7, D11). One that was linked stays when it becomes inactive, and leaves when the
    filters do not mean it any more.
    """

    include_inactive: bool
    filters: Filters = NO_FILTERS
    membership: Membership = "unknown"

    def admits(self, sighting: Sighting) -> bool:
        return sighting.active or self.include_inactive

    def may_admit(self, sighting: Sighting) -> bool:
        """Whether a stranger's email could make a contact of them: that of others is not asked for."""
        return self.admits(sighting) and self.filters.admits_kind(sighting.kind)

    def includes(self, account: Account, before: Account | None) -> bool:
        """Whether the filters mean the account, as far as this answer tells; else what was known `before` counts."""
        if not self.filters.admits_kind(account.kind):
            return False
        if not self.filters.admits_email(account.email_key):
            # D8: an outage of the email API says nothing about an address.
            return account.email_state == "unavailable" and is_kept(before) and before is not None and before.in_scope
        if self.membership == "inside" or not self.filters.is_by_list(account.kind):
            return True
        return self.membership == "unknown" and before is not None and before.in_scope

    def surely_includes(self, sighting: Sighting) -> bool:
        """Whether the filters mean who was sighted, whatever was known before. Only of a sighting that shows an email, if
        they ask for domains.
        """
        key = crm.email_key(sighting.email) if sighting.email else None
        is_listed = self.membership == "inside" or not self.filters.is_by_list(sighting.kind)
        return is_listed and self.filters.admits_kind(sighting.kind) and self.filters.admits_email(key)

    def kind_of(self, sighting: Sighting, before: Account | None) -> Sighting:
        """An answer by id knows another kind than the lists do: where lists decide, it must not change sides by that."""
        if before is None or self.membership == "inside" or not self.filters.is_by_list(before.kind):
            return sighting
        return replace(sighting, kind=before.kind)

    def must_remember(self, account: Account) -> bool:
        """A user whom only the kind excludes: a desk's list will name them too, and does not say that they are a user."""
        return account.kind == "user" and not self.filters.admits_kind("user")


def is_kept(before: Account | None) -> bool:
    """Whether the account has a contact, or had one that it may come back to."""
    return before is not None and (before.contact_id is not None or before.remembered_contact_id is not None)
