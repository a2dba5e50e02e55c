"""The demo's proof finds what differs between the site and the add-on, and names it."""

from typing import Any

import pytest

from sandbox import proof


def a_person(account_id: str, **others: Any) -> dict[str, Any]:
    return {
        "accountId": account_id,
        "kind": "user",
        "displayName": f"Name of {account_id}",
        "email": f"{account_id}@acme.example",
        "active": True,
        "reachable": True,
        "groups": ["users"],
    } | others


def a_contact(*people: dict[str, Any], **others: Any) -> dict[str, Any]:
    """Of these accounts; the first is the one that it shows."""
    accounts = [{"accountId": each["accountId"], "displayName": each["displayName"]} for each in people]
    shown = {"id": "1", "name": people[0]["displayName"], "email": people[0]["email"]}
    return {**shown, "syncedJiraUser": accounts[0], "linkedAccounts": accounts} | others


MIA = a_person("mia")
NADIA = a_person("nadia", kind="customer", groups=[])
MIA_TOO = a_person("mia-2", kind="customer", email="MIA@acme.example", groups=[])
NOBODY = a_person("nobody", email=None)
SITE = [MIA, NADIA, MIA_TOO, NOBODY]
LIKE_IT = [a_contact(MIA, MIA_TOO), a_contact(NADIA), a_contact(NOBODY)]


def prove(people: list[dict[str, Any]], contacts: list[dict[str, Any]], counted: int | None = None) -> proof.Proof:
    return proof.compare(proof.select_in_scope(people), contacts, len(contacts) if counted is None else counted)


def test_contacts_like_the_people_have_no_difference() -> None:
    proven = prove(SITE, LIKE_IT)
    assert proven.difference is None
    assert [(on_site, in_addon) for _, on_site, in_addon in proven.rows] == [(4, 4), (0, 0), (3, 3), (0, 0)]


def test_inactive_unreachable_and_apps_are_out_of_scope() -> None:
    outside = [
        a_person("gone", reachable=False),
        a_person("asleep", active=False),
        a_person("bot", kind="app"),
    ]
    assert prove(SITE + outside, LIKE_IT).difference is None


@pytest.mark.parametrize(
    ("contacts", "named"),
    [
        ([*LIKE_IT[:1], LIKE_IT[2]], "no contact is linked to nadia"),
        ([*LIKE_IT, a_contact(a_person("stranger"))], "linked to stranger"),
        ([*LIKE_IT, a_contact(NADIA)], "linked to nadia"),
        ([*LIKE_IT, a_contact(NADIA, linkedAccounts=[])], "linked to nobody"),
        ([a_contact(MIA), a_contact(MIA_TOO), *LIKE_IT[1:]], "linked to mia: not so"),
        ([a_contact(MIA, MIA_TOO, NADIA), LIKE_IT[2]], "linked to mia, mia-2, nadia: not so"),
        ([a_contact(MIA_TOO, MIA), *LIKE_IT[1:]], "shows mia-2, and not mia"),
        ([a_contact(MIA, MIA_TOO, syncedJiraUser=None), *LIKE_IT[1:]], "shows nobody, and not mia"),
        ([LIKE_IT[0], a_contact(NADIA, name="Nadja"), LIKE_IT[2]], "name: 'Name of nadia' on the site, 'Nadja'"),
        ([*LIKE_IT[:2], a_contact(NOBODY, email="no@acme.example")], "email: None on the site, 'no@acme.example'"),
        (
            [a_contact(MIA, MIA_TOO | {"displayName": "Mia"}), *LIKE_IT[1:]],
            "account mia-2: 'Name of mia-2' on the site",
        ),
    ],
)
def test_difference_is_named(contacts: list[dict[str, Any]], named: str) -> None:
    proven = prove(SITE, contacts)
    assert proven.difference is not None
    assert named in proven.difference
    assert proven.rows[-1][2] >= 1


def test_count_that_differs_from_the_list_is_named() -> None:
    proven = prove(SITE, LIKE_IT, counted=4)
    assert proven.difference == "contacts (accounts of one address share one): 3 on the site, 4 in the add-on"


def test_user_whom_only_a_desk_lists_may_stand_behind_a_customer() -> None:
    unlisted = MIA | {"groups": []}
    assert prove([unlisted, MIA_TOO], [a_contact(MIA_TOO, unlisted)]).difference is None
    assert prove([unlisted, MIA_TOO], [a_contact(unlisted, MIA_TOO)]).difference is None
