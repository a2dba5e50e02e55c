"""D3, D4: a contact that lost its primary account follows whoever is left."""

from addon.sync import plan as plans
from addon.sync.people import AttentionKind, Known
from lifecycle.tenant import AccountId
from tests.unit.sync.builders import NOW, a_contact, an_account, attention, history

BO = an_account("bo", display_name="Bo Ek", email="bo@x.example", contact_id=1)
CONTACT = a_contact(1, name="Ana Ruiz", email="ana@x.example")


def test_contact_takes_name_and_email_of_who_is_left() -> None:
    known = Known(accounts=[BO], contacts=[CONTACT])
    made = plans.plan_left_behind([AccountId("bo")], known, now=NOW)
    assert [(contact.name, contact.email) for contact in made.updated] == [("Bo Ek", "bo@x.example")]
    assert history(made) == [(1, "name", "Ana Ruiz", "Bo Ek"), (1, "email", "ana@x.example", "bo@x.example")]
    assert (made.accounts, made.created, made.removed, made.counts.seen) == ([], [], [], 0)


def test_email_that_collides_then_is_asked_about() -> None:
    known = Known(accounts=[BO], contacts=[CONTACT, a_contact(2, email="BO@x.example")])
    made = plans.plan_left_behind([AccountId("bo")], known, now=NOW)
    assert attention(made) == {(AttentionKind.EMAIL_COLLISION, "bo"): True}


def test_nothing_changes_where_who_is_left_was_the_primary_account() -> None:
    known = Known(accounts=[BO], contacts=[a_contact(1, name="Bo Ek", email="bo@x.example")])
    made = plans.plan_left_behind([AccountId("bo")], known, now=NOW)
    assert (made.updated, made.changes) == ([], [])
