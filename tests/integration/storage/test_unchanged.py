"""Who is found unchanged needs no plan: of every combination of a row, its contact and a sighting, against the plan itself."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from addon.storage import plan_rows, unchanged
from addon.sync.filters import Filters
from addon.sync.people import Account, Contact, Counts, Known, Plan, Sighting
from addon.sync.scope import Scope
from tests.integration.storage.site import NOW, Site, people
from tests.unit.sync.builders import RUN, a_contact, a_sighting, an_account, ids, plan

SAME, OTHER = "Ana Ruiz", "Ana Old"
EMPTY = Plan(
    accounts=(),
    unchanged=(),
    forgotten=(),
    created=(),
    updated=(),
    removed=(),
    changes=(),
    attention=(),
    counts=Counts(),
)
EVERYBODY = Scope(include_inactive=True, membership="inside")
SCOPES = {
    "everybody": EVERYBODY,
    "active": replace(EVERYBODY, include_inactive=False),
    "customers": replace(EVERYBODY, filters=Filters(kinds=("customer",))),
    "domain": replace(EVERYBODY, filters=Filters(email_domains=("x.example",))),
    "group": replace(EVERYBODY, filters=Filters(groups=("staff",))),
    "outside the group": replace(EVERYBODY, filters=Filters(groups=("staff",)), membership="outside"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    account: Account
    contact: Contact
    sighting: Sighting


def cases() -> Sequence[Case]:
    """Every combination; no two share an account, a contact or an address."""
    options: dict[str, Sequence[Any]] = {
        "kind": ["user", "customer"],
        "active": [True, False],
        "fate": ["linked", "remembered", "held", "out of scope"],
        "email": [True, False],  # whether the account has one
        "contact_name": [SAME, OTHER],
        "contact_email": [True, False],
        "shown_kind": ["user", "customer"],
        "shown_active": [True, False],
        "shown_name": [SAME, OTHER],
        "shown_email": ["same", "spelled otherwise", "other", None],
        "asked": [False, True],
    }
    combinations = itertools.product(*options.values())
    return [a_case(n, **dict(zip(options, chosen, strict=True))) for n, chosen in enumerate(combinations, start=1)]


def a_case(number: int, **chosen: Any) -> Case:
    email, other = f"ana-{number}@x.example", f"other-{number}@y.example"
    shown = {"same": email, "spelled otherwise": email.upper(), "other": other, None: None}
    fates: dict[str, dict[str, Any]] = {
        "linked": {"contact_id": number},
        "remembered": {"remembered_contact_id": number, "remembered_by": "email"},
        "held": {"held": True},
        "out of scope": {"contact_id": number, "in_scope": False},
    }
    state = ("visible" if chosen["shown_email"] else "hidden") if chosen["asked"] else None
    return Case(
        account=an_account(
            f"account-{number}",
            kind=chosen["kind"],
            active=chosen["active"],
            display_name=SAME,
            email=email if chosen["email"] else None,
            **fates[chosen["fate"]],
        ),
        contact=a_contact(
            number,
            name=chosen["contact_name"],
            email=email if chosen["contact_email"] else None,
        ),
        sighting=a_sighting(
            f"account-{number}",
            kind=chosen["shown_kind"],
            active=chosen["shown_active"],
            display_name=chosen["shown_name"],
            email=shown[chosen["shown_email"]],
            email_state=state,
        ),
    )


def without_effect(everything: Sequence[Case], people: Scope) -> set[str]:
    """Whom the plan leaves as they are, with their contacts."""
    known = Known(accounts=[case.account for case in everything], contacts=[case.contact for case in everything])
    made = plan(
        [case.sighting for case in everything], known.accounts, known.contacts, scope=people, new_ids=ids(10**6)
    )
    touched = {contact.contact_id for contact in made.updated} | set(made.removed)
    noted = {change.account_id for change in made.changes} | {item.account_id for item in made.attention}
    still = set(made.unchanged)
    return {
        case.account.account_id
        for case in everything
        if case.account.account_id in still - noted and case.contact.contact_id not in touched
    }


async def test_found_unchanged_are_linked_accounts_that_a_plan_would_leave_alone(acme: Site) -> None:
    everything = cases()
    rows = replace(EMPTY, created=[c.contact for c in everything], accounts=[c.account for c in everything])
    async with acme.database.tenant(acme.tenant_id) as scope:
        await plan_rows.write_plan(scope, rows, run_id=None, now=NOW)
        for name, those in SCOPES.items():
            found = await unchanged.find(scope, [case.sighting for case in everything], those, run_id=RUN)
            idle = without_effect(everything, those)
            plain = {case.account.account_id for case in everything if is_plain(case, those)}
            assert set(found) == idle & plain, name
            assert found, name


def is_plain(case: Case, people: Scope) -> bool:
    """Linked, not shown by a list of the other kind, nor asked for its email by id; and the sighting alone tells that the
    filters mean it.
    """
    is_linked = case.account.contact_id is not None and case.account.in_scope
    is_told = case.sighting.email is not None or not people.filters.email_domains
    is_listed = people.membership == "inside" or case.account.kind == "customer"
    is_as_ever = case.sighting.kind == case.account.kind and case.sighting.email_state is None
    return is_linked and is_told and is_listed and is_as_ever


async def test_account_is_met_first_once_in_a_run(acme: Site) -> None:
    await acme.turn_on()
    await acme.whole_run(people(2))
    store = acme.store((await acme.request_run()).id)
    await acme.scan(store, people(1))
    await acme.scan(store, people(2))
    await acme.scan(store, people(2))
    assert (await acme.run(store.run_id)).seen == 2


async def test_account_that_a_page_shows_twice_and_differently_is_planned(acme: Site) -> None:
    await acme.turn_on()
    await acme.whole_run(people(2))
    store = acme.store((await acme.request_run()).id)
    first, second = people(2)
    await acme.scan(store, [first, replace(first, display_name="Ana Renamed"), second])
    names = await acme.rows("SELECT name FROM contact WHERE tenant_id = :tenant_id ORDER BY name")
    assert [row["name"] for row in names] == ["Ana Renamed", second.display_name]
