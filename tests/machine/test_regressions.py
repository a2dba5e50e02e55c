"""Sequences that once ended wrongly, step by step, and those in which something comes together that chance seldom brings.

Each ends with a calm (fixture `play`), after which nothing may be left to explain.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Protocol

import pytest

from sandbox.faults import Faults, WebhookFaults
from tests.machine.model import Settings
from tests.machine.play import Play

ON, OFF = Settings(is_on=True), Settings()
PATIENCE_S = 120

pytestmark = pytest.mark.timeout(PATIENCE_S)


class Do(Protocol):
    def __call__(self, *steps: Coroutine[object, object, None]) -> None: ...


@pytest.fixture
def do(runner: asyncio.Runner) -> Do:
    """Takes one step after the other."""

    def take(*steps: Coroutine[object, object, None]) -> None:
        for step in steps:
            runner.run(step)

    return take


def test_contact_follows_who_is_left_when_a_scan_finds_its_primary_account_gone(play: Play, do: Do) -> None:
    acme = play.sides[0]
    first = acme.add_user("Ann Lee", "ann@x.example")
    acme.add_customer("Zoé Roy", "ANN@x.example")
    do(play.set_sync(acme, ON), play.calm())
    acme.site.faults.webhooks = WebhookFaults(lost=1.0)
    acme.site.delete_person(first.account_id)


def test_contact_follows_who_is_left_when_its_primary_account_leaves_the_scope(play: Play, do: Do) -> None:
    acme = play.sides[0]
    acme.add_user("Ann Lee", "ann@x.example")
    acme.add_customer("Zoé Roy", "ANN@x.example")
    do(play.set_sync(acme, ON), play.calm(), play.set_sync(acme, replace(ON, kinds=frozenset({"customer"}))))


def test_account_is_held_between_two_contacts_in_other_spellings(play: Play, do: Do) -> None:
    acme = play.sides[0]
    do(play.type_contact(acme, name="Ann Lee", email="ann@x.example"))
    do(play.type_contact(acme, name="Bo Ek", email="ANN@X.example", phone="1"))
    acme.add_user("Ann Lee", "ann@x.example")
    do(play.set_sync(acme, ON))


def test_what_was_typed_outlives_the_link_and_the_changes_that_follow(play: Play, do: Do) -> None:
    acme = play.sides[0]
    do(play.type_contact(acme, name="Bo Ek", email="zo\u00e9@x.example", phone="1", company="22"))
    zoe = acme.add_user("Ann Lee", "ZOE\u0301@x.example")
    do(play.set_sync(acme, ON), play.calm())
    acme.site.change_person(zoe.account_id, display_name="Zoé Roy")


def test_link_comes_back_by_account_after_somebody_typed_another_email(play: Play, do: Do) -> None:
    acme = play.sides[0]
    ann = acme.add_user("Ann Lee", "ann@x.example")
    do(play.set_sync(acme, ON), play.calm())
    contact_id = acme.view.contact_of(ann.account_id)
    assert contact_id is not None
    do(play.set_sync(acme, OFF), play.work(), play.edit_contact(acme, contact_id, email="bo@y.example"))
    do(play.set_sync(acme, ON))


def test_records_with_fallback_values_change_nothing(play: Play, do: Do) -> None:
    acme = play.sides[0]
    acme.site.faults = Faults(fallback_share=0.5)
    do(play.set_sync(acme, ON), play.work())
    acme.site.faults = Faults(fallback_users=True)
    do(play.request_run(acme), play.work())


def test_email_that_becomes_visible_is_matched_once_more(play: Play, do: Do) -> None:
    acme = play.sides[0]
    do(play.type_contact(acme, name="Bo Ek", email="ann@x.example"))
    ann = acme.add_user("Ann Lee", None)
    do(play.set_sync(acme, ON), play.calm())
    acme.site.change_person(ann.account_id, email="ANN@x.example")


def test_account_whose_email_became_visible_joins_behind_who_was_linked_there_before(play: Play, do: Do) -> None:
    acme = play.sides[0]
    zoe = acme.add_user("Zoé Roy", None)
    acme.add_user("Bo Ek", "ann@x.example")
    do(play.set_sync(acme, ON), play.calm())
    acme.site.change_person(zoe.account_id, email="ann@x.example")


def test_account_that_becomes_inactive_leads_its_contact_no_more(play: Play, do: Do) -> None:
    acme = play.sides[0]
    ann = acme.add_user("Ann Lee", "ann@x.example")
    acme.add_customer("Zoé Roy", "ann@x.example")
    acme.add_user("Bo Ek", "bo@y.example", active=False)
    do(play.set_sync(acme, ON), play.calm())
    acme.site.deactivate_person(ann.account_id)


def test_synced_name_is_refused_and_nobody_loses_a_contact(play: Play, do: Do) -> None:
    acme = play.sides[0]
    ann = acme.add_user("Ann Lee", "ann@x.example")
    do(play.set_sync(acme, ON), play.calm())
    contact_id = acme.view.contact_of(ann.account_id)
    assert contact_id is not None
    do(play.edit_contact(acme, contact_id, name="Bo Ek"), play.delete_contact(acme, contact_id))


def test_email_that_collides_is_followed_and_asked_about(play: Play, do: Do) -> None:
    acme = play.sides[0]
    do(play.type_contact(acme, name="Bo Ek", email="bo@y.example"))
    ann = acme.add_user("Ann Lee", "ann@x.example")
    do(play.set_sync(acme, ON), play.calm())
    acme.site.change_person(ann.account_id, email="bo@y.example")


@pytest.mark.parametrize("at", [3, 12, 30, 55])
def test_workers_and_the_database_die_at_once(play: Play, do: Do, at: int) -> None:
    acme, globex = play.sides
    for side in play.sides:
        side.add_user("Ann Lee", "ann@x.example")
        side.add_customer("Zoé Roy", "ANN@x.example")
        do(play.type_contact(side, name="Bo Ek", email="ann@x.example", phone="1"))
    do(play.set_sync(acme, ON), play.set_sync(globex, ON))
    do(play.kill_worker(at), play.crash_database(at))
