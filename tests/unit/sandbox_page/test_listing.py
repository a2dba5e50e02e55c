import dataclasses

import pytest

from sandbox import listing, person


def a_person(number: int, *, name: str = "", email: str | None = None, **changes: object) -> person.Person:
    made = person.Person(
        account_id=f"id-{number:03}",
        account_type=person.AccountType.ATLASSIAN,
        display_name=name or f"Person {number:03}",
        email=email,
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type] # fields by name, checked by dataclasses


EVERYONE = [
    a_person(1, name="émile", email="Emile@Example.org"),
    a_person(2, name="Bob"),
    a_person(3, name="Álvaro", account_type=person.AccountType.CUSTOMER),
    a_person(4, name="Aaron").as_deleted(),
]


def names_of(query: listing.Query) -> list[str]:
    return [one.display_name for one in listing.list_people(EVERYONE, query).people]


def test_list_is_by_name_with_former_users_last() -> None:
    assert names_of(listing.Query()) == ["Bob", "Álvaro", "émile", "Former user (Deactivated)"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("BOB", ["Bob"]), ("emile@example", ["émile"]), (" id-003 ", ["Álvaro"]), ("003", []), ("nobody", [])],
)
def test_search_looks_in_names_and_addresses_and_at_the_start_of_ids(text: str, found: list[str]) -> None:
    assert names_of(listing.Query(text=text)) == found


def test_filter_keeps_one_kind() -> None:
    assert names_of(listing.Query(kind="customer")) == ["Álvaro"]


@pytest.mark.parametrize(
    ("asked", "page", "first", "last"),
    [(1, 1, 1, 50), (2, 2, 51, 100), (3, 3, 101, 101), (99, 3, 101, 101), (0, 1, 1, 50), (-5, 1, 1, 50)],
)
def test_page_past_either_end_is_the_nearest_one(asked: int, page: int, first: int, last: int) -> None:
    shown = listing.list_people((a_person(number) for number in range(101)), listing.Query(page=asked))
    assert (shown.page, shown.first, shown.last, shown.pages, shown.total) == (page, first, last, 3, 101)


def test_empty_list_has_one_page_and_nobody() -> None:
    shown = listing.list_people([], listing.Query())
    assert (shown.pages, shown.first, shown.last, shown.total) == (1, 0, 0, 0)
