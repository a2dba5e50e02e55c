"""D17: what taking changes back writes, case by case."""

from typing import Any

import pytest

from addon.crm.contact import ContactId
from addon.sync import undo
from addon.sync.people import Cause, Change, Field
from addon.sync.undo import Present, TakenBack
from lifecycle.tenant import AccountId

LINKS = {(AccountId("ana"), ContactId(1))}


def a_change(
    field: Field, old: str | None, new: str | None, *, contact_id: int = 1, cause: Cause = Cause.FOLLOWED
) -> Change:
    return Change(
        contact_id=ContactId(contact_id),
        account_id=AccountId("ana"),
        field=field,
        old=old,
        new=new,
        cause=cause,
    )


def a_present(**fields: Any) -> Present:
    facts: dict[str, Any] = {"contact_id": 1, "name": "Ana", "email": "ana@example.com", "is_edited": False}
    return Present(**(facts | fields))


def lines(taken: TakenBack) -> list[tuple[str, str | None, str | None, str]]:
    return [(change.field, change.old, change.new, change.cause) for change in taken.changes]


def test_contact_that_the_run_made_goes() -> None:
    taken = undo.take_back([a_change("contact", None, "Ana")], [a_present()], LINKS)
    assert (taken.deleted, taken.restored) == ([1], [])
    assert lines(taken) == [("contact", "Ana", None, "undone")]


def test_contact_that_somebody_edited_stays() -> None:
    taken = undo.take_back([a_change("contact", None, "Ana")], [a_present(is_edited=True)], LINKS)
    assert (taken.deleted, taken.restored) == ([], [])
    assert lines(taken) == [("contact", "Ana", "Ana", "undo-left")]


def test_changes_of_one_field_are_taken_back_in_turn() -> None:
    made = [a_change("name", "Anna", "Ana"), a_change("name", "An", "Anna"), a_change("email", None, "ana@example.com")]
    taken = undo.take_back(made, [a_present(is_edited=True)], LINKS)
    assert [(contact.name, contact.email, contact.email_key) for contact in taken.restored] == [("An", None, None)]
    assert {cause for *_, cause in lines(taken)} == {"undone"}


@pytest.mark.parametrize(
    ("change", "current"),
    [
        (a_change("name", "Old", "Given"), "Ana"),
        (a_change("email", "old@example.com", "given@example.com"), "ana@example.com"),
        (a_change("name", None, "Ana"), "Ana"),
    ],
)
def test_value_that_is_not_the_runs_any_more_is_left(change: Change, current: str) -> None:
    taken = undo.take_back([change], [a_present()], LINKS)
    assert taken.restored == []
    assert lines(taken) == [(change.field, current, current, "undo-left")]


def test_link_that_the_run_made_is_removed() -> None:
    taken = undo.take_back([a_change("syncedJiraUser", None, "ana")], [a_present()], LINKS)
    assert taken.unlinked == [("ana", 1)]
    assert lines(taken) == [("syncedJiraUser", "ana", None, "undone")]


def test_link_that_the_run_brought_back_is_a_memory_again() -> None:
    brought_back = a_change("syncedJiraUser", None, "ana", cause=Cause.REMEMBERED)
    taken = undo.take_back([brought_back], [a_present()], LINKS)
    assert taken.unlinked == []
    assert lines(taken) == [("syncedJiraUser", "ana", None, "undone")]


@pytest.mark.parametrize(
    "change",
    [
        a_change("contact", None, "Ana", contact_id=2),
        a_change("contact", "Ana", None, contact_id=2),
        a_change("name", "Old", "Ana", contact_id=2),
        a_change("syncedJiraUser", None, "ana", contact_id=2),
        a_change("syncedJiraUser", None, "ana", contact_id=2, cause=Cause.REMEMBERED),
        a_change("syncedJiraUser", "ana", None),
    ],
)
def test_nothing_is_done_about_what_is_gone(change: Change) -> None:
    taken = undo.take_back([change], [a_present()], LINKS)
    assert (taken.deleted, taken.restored, taken.unlinked, taken.changes) == ([], [], [], [])
