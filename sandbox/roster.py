"""Who belongs to which group, desk or organization, in an order that does not shift under a reader's paging.

It knows ids only; whether a member may be shown is decided where a page is cut.
"""

import bisect
import collections.abc


class Roster:
    """Sorted members per owner. `sort_key` must not change for an account while it is a member."""

    def __init__(self, sort_key: collections.abc.Callable[[str], str]) -> None:
        self._sort_key = sort_key
        self._members: dict[str, list[str]] = {}
        self._owners: dict[str, set[str]] = {}

    def fill(self, owner: str, accounts: collections.abc.Iterable[str]) -> None:
        """Add many at once; far cheaper than `add` for each."""
        members = sorted({*self._members.get(owner, ()), *accounts}, key=self._sort_key)
        self._members[owner] = members
        for account in members:
            self._owners.setdefault(account, set()).add(owner)

    def add(self, owner: str, account: str) -> None:
        if not self.has(owner, account):
            bisect.insort(self._members.setdefault(owner, []), account, key=self._sort_key)
            self._owners.setdefault(account, set()).add(owner)

    def remove(self, owner: str, account: str) -> None:
        if self.has(owner, account):
            self._members[owner].remove(account)
            self._owners[account].discard(owner)

    def drop(self, account: str) -> None:
        """Take the account out of everything."""
        for owner in self.owners(account):
            self.remove(owner, account)

    def dissolve(self, owner: str) -> None:
        """Nobody belongs to it any more."""
        for account in self._members.pop(owner, []):
            self._owners[account].discard(owner)

    def has(self, owner: str, account: str) -> bool:
        return owner in self._owners.get(account, ())

    def members(self, owner: str) -> collections.abc.Sequence[str]:
        return self._members.get(owner, [])

    def owners(self, account: str) -> list[str]:
        return sorted(self._owners.get(account, ()))
