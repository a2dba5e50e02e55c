"""What does a call to Jira cost in API points? Pure; the published prices.

Source: Atlassian, "Rate limiting", points-based quota (last updated 12 Aug 2026): every request 1; a read adds 2 for each
identity object (user, group, role, permission) and 1 for each other core object; a write is 1 flat. A call that fails
is charged as a request.
"""

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

REQUEST = 1
IDENTITY = 2
CORE = 1

Answer_contra = TypeVar("Answer_contra", contravariant=True)


class Listing(Protocol):
    """An answer that holds what it lists as `values`."""

    @property
    def values(self) -> Sequence[object]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Generic[Answer_contra]):
    """The price of one call. `most`: what it can cost, which must be there before it; `of`: what its answer did cost."""

    most: int
    of: Callable[[Answer_contra], int]


def fixed(points: int) -> Price[object]:
    """The price of a call that costs the same whatever it answers."""
    return Price(most=points, of=lambda _: points)


def identities(most: int) -> Price[Listing]:
    """The price of a page that lists at most `most` users or groups."""
    return Price(most=REQUEST + IDENTITY * most, of=lambda page: REQUEST + IDENTITY * len(page.values))


def core(most: int) -> Price[Listing]:
    """The price of a page that lists at most `most` issues, projects or the like."""
    return Price(most=REQUEST + CORE * most, of=lambda page: REQUEST + CORE * len(page.values))


def bare_identities(most: int) -> Price[Sized]:
    """As `identities`, where the answer is nothing but the list."""
    return Price(most=REQUEST + IDENTITY * most, of=lambda found: REQUEST + IDENTITY * len(found))


FLAT = fixed(REQUEST)
"""Writes, and reads of nothing that has a price of its own."""
