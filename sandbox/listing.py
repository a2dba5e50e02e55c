"""Which people does the administrator's *People* page show? Search, filter and paging over a site's people; pure."""

import collections.abc
import dataclasses

from sandbox import person

PAGE_SIZE = 50
KIND_TITLES = {
    person.PersonKind.USER: "Jira user",
    person.PersonKind.CUSTOMER: "Portal customer",
    person.PersonKind.APP: "App",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`text` is looked for in names and addresses and at the start of ids; `kind` is empty for everyone; `page` counts from 1."""

    text: str = ""
    kind: str = ""
    page: int = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    people: tuple[person.Person, ...]
    total: int
    page: int
    pages: int

    @property
    def first(self) -> int:
        """The place of the first person shown, counted from 1; 0 if nobody is."""
        return (self.page - 1) * PAGE_SIZE + 1 if self.people else 0

    @property
    def last(self) -> int:
        return (self.page - 1) * PAGE_SIZE + len(self.people)


def read_page(parameters: collections.abc.Mapping[str, str]) -> int:
    """The page's number in the address of a list; the first for anything that is none."""
    page = parameters.get("page", "1")
    return int(page) if page.isdecimal() else 1


def list_people(everyone: collections.abc.Iterable[person.Person], query: Query) -> Listing:
    """By name, former users last. A page past the end is the last page."""
    wanted = query.text.strip().casefold()
    found = sorted(
        (one for one in everyone if query.kind in ("", one.kind.value) and _matches(one, wanted)),
        key=lambda one: (one.deleted, one.display_name.casefold(), one.account_id),
    )
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(query.page, 1), pages)
    start = (page - 1) * PAGE_SIZE
    return Listing(people=tuple(found[start : start + PAGE_SIZE]), total=len(found), page=page, pages=pages)


def _matches(one: person.Person, wanted: str) -> bool:
    # An id only from its start: hexadecimal ids contain almost every short word.
    return (
        wanted in one.display_name.casefold()
        or wanted in (one.email or "").casefold()
        or one.account_id.casefold().startswith(wanted)
    )
