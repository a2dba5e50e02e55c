"""What holds for every page, whatever Jira shows and whatever we know."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from addon.sync.people import Account, Contact, Known, Plan, Sighting
from tests.unit.sync.builders import (
    ACTIVE_ONLY,
    EVERYBODY,
    a_contact,
    a_sighting,
    an_account,
    applied,
    ids,
    links,
    plan,
)

EMAILS = ("ana@x.example", "bo@x.example", "ci@x.example")
NAMES = ("Ana", "Bo", "Ci")
SPELLINGS = st.sampled_from([*EMAILS, *(email.upper() for email in EMAILS)])
ACCOUNT_IDS = tuple(f"account-{number}" for number in range(6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    known: Known
    sightings: Sequence[Sighting]

    def planned(self, sightings: Sequence[Sighting] | None = None) -> Plan:
        chosen = self.sightings if sightings is None else sightings
        return plan(chosen, self.known.accounts, self.known.contacts, scope=EVERYBODY)


contacts = st.lists(
    st.builds(
        lambda email, name, is_bare: (email, name, is_bare),
        st.none() | SPELLINGS,
        st.sampled_from(NAMES),
        st.booleans(),
    ),
    max_size=4,
).map(
    lambda facts: [
        a_contact(number, email=email, name=name, is_bare=is_bare)
        for number, (email, name, is_bare) in enumerate(facts, start=1)
    ]
)


@st.composite
def known_accounts(draw: st.DrawFn, known_contacts: Sequence[Contact]) -> list[Account]:
    """Accounts that are linked, remembered, held or loose, each as the database could hold it."""
    made: list[Account] = []
    for account_id in draw(st.sets(st.sampled_from(ACCOUNT_IDS))):
        facts: dict[str, object] = {
            "email": draw(st.none() | SPELLINGS),
            "display_name": draw(st.sampled_from(NAMES)),
            "active": draw(st.booleans()),
            "kind": draw(st.sampled_from(["user", "customer"])),
        }
        fate = draw(st.sampled_from(["linked", "remembered", "loose"])) if known_contacts else "loose"
        if fate != "loose":
            contact_id = draw(st.sampled_from([contact.contact_id for contact in known_contacts]))
            by = "account" if facts["email"] is None else "email"
            facts |= (
                {"contact_id": contact_id}
                if fate == "linked"
                else {"remembered_contact_id": contact_id, "remembered_by": by}
            )
        made.append(an_account(account_id, **facts))
    return made


@st.composite
def pages(draw: st.DrawFn, *, repeats: bool = True) -> Page:
    known_contacts = draw(contacts)
    accounts = draw(known_accounts(known_contacts))
    sightings = draw(
        st.lists(
            st.builds(
                a_sighting,
                st.sampled_from(ACCOUNT_IDS),
                kind=st.sampled_from(["user", "customer"]),
                active=st.booleans(),
                display_name=st.sampled_from(NAMES),
                email=st.none() | SPELLINGS,
                email_state=st.sampled_from([None, "hidden", "unavailable"]),
            ),
            max_size=6,
            unique_by=None if repeats else lambda sighting: sighting.account_id,
        )
    )
    return Page(known=Known(accounts=accounts, contacts=known_contacts), sightings=sightings)


@st.composite
def first_pages(draw: st.DrawFn) -> Page:
    """Nobody of the page is known yet; contacts may be."""
    page = draw(pages(repeats=False))
    return Page(known=Known(accounts=(), contacts=page.known.contacts), sightings=page.sightings)


def settled(page: Page) -> Page:
    """The page as Jira shows it again when no known account's email changed: shown as we know it, or not at all."""
    emails = {account.account_id: account.email for account in page.known.accounts}
    return Page(
        known=page.known,
        sightings=[
            a_sighting(
                s.account_id,
                kind=s.kind,
                active=s.active,
                display_name=s.display_name,
                email=emails.get(s.account_id) or s.email,
            )
            for s in page.sightings
        ],
    )


@given(pages(repeats=False).map(settled))
def test_planning_a_page_again_changes_nothing(page: Page) -> None:
    after = applied(page.known, page.planned())
    # Whoever is held may find one contact left now, where an account behind it on the page gave the email up.
    assume(not any(account.held for account in after.accounts))
    again = plan(page.sightings, after.accounts, after.contacts, scope=EVERYBODY)
    assert (again.accounts, again.created, again.updated, again.removed, again.changes) == ([], [], [], [], [])
    assert again.counts.seen == again.counts.created == again.counts.linked == again.counts.updated == 0


@given(pages(repeats=False).map(settled))
def test_no_contact_is_made_for_an_email_that_has_one(page: Page) -> None:
    made = page.planned()
    keys = [contact.email_key for contact in made.created if contact.email_key is not None]
    assert len(keys) == len(set(keys))
    moved = {contact.contact_id for contact in made.updated}
    assert not set(keys) & {contact.email_key for contact in page.known.contacts if contact.contact_id not in moved}


@given(first_pages())
def test_newcomers_of_one_email_share_one_contact(page: Page) -> None:
    made = page.planned()
    keys = [contact.email_key for contact in made.created if contact.email_key is not None]
    assert len(keys) == len(set(keys))
    assert not set(keys) & {contact.email_key for contact in page.known.contacts}


@given(first_pages())
def test_email_of_several_contacts_is_never_guessed(page: Page) -> None:
    taken = [contact.email_key for contact in page.known.contacts]
    made = page.planned()
    for account in made.accounts:
        assert account.held is (taken.count(account.email_key) > 1 and account.email_key is not None)
        assert account.held is (account.contact_id is None)


@given(pages())
def test_every_new_id_is_used_once_and_there_are_enough_for_one_each(page: Page) -> None:
    new_ids = ids()
    made = plan(page.sightings, page.known.accounts, page.known.contacts, scope=EVERYBODY, new_ids=new_ids)
    used = [contact.contact_id for contact in made.created]
    assert len(used) == len(set(used))
    linked_before = {account.account_id for account in page.known.accounts if account.contact_id is not None}
    taken = next(new_ids) - 100
    assert taken <= len({s.account_id for s in page.sightings} - linked_before)


@given(pages())
def test_plan_is_sound_for_the_database(page: Page) -> None:
    """What it names exists, nothing is both written and dropped, and every account it saw is accounted for."""
    made = page.planned()
    after = applied(page.known, made)
    contact_ids = {contact.contact_id for contact in after.contacts}
    assert {contact_id for contact_id in links(after).values() if contact_id is not None} <= contact_ids
    written = {account.account_id for account in made.accounts}
    assert not written & set(made.unchanged)
    assert not (written | set(made.unchanged)) & set(made.forgotten)
    assert written | set(made.unchanged) == {sighting.account_id for sighting in page.sightings}
    assert {contact.contact_id for contact in made.updated} <= {contact.contact_id for contact in page.known.contacts}
    assert not {contact.contact_id for contact in made.updated} & set(made.removed)


@given(pages())
def test_link_is_kept_whatever_happens_to_an_account_with_an_email(page: Page) -> None:
    """D4: the first match is for good. Only an account linked without an email may move, once its email shows (D5)."""
    before = {
        account.account_id: account.contact_id
        for account in page.known.accounts
        if account.contact_id is not None and account.linked_by == "email"
    }
    after = links(applied(page.known, page.planned()))
    assert {account_id: after[account_id] for account_id in before} == before


@given(pages())
def test_contact_that_somebody_typed_in_is_never_removed(page: Page) -> None:
    bare = {contact.contact_id for contact in page.known.contacts if contact.is_bare}
    assert set(page.planned().removed) <= bare


@given(pages())
def test_linked_contact_carries_the_name_of_its_primary_account(page: Page) -> None:
    made = page.planned()
    after = applied(page.known, made)
    touched = {links(after)[sighting.account_id] for sighting in page.sightings} - {None}
    names: dict[int, str] = {contact.contact_id: contact.name for contact in after.contacts}
    for contact_id in touched:
        assert contact_id is not None
        linked = [account for account in after.accounts if account.contact_id == contact_id]
        best = min((not a.active, a.kind != "user", a.linked_at, a.account_id, a.display_name) for a in linked)
        assert names[contact_id] == best[-1]


@given(first_pages(), st.randoms(use_true_random=False))
def test_order_of_newcomers_on_a_page_does_not_matter(page: Page, random: Random) -> None:
    shuffled = list(page.sightings)
    random.shuffle(shuffled)
    assert _sharing(page, page.sightings) == _sharing(page, shuffled)


def _sharing(page: Page, sightings: Sequence[Sighting]) -> tuple[object, ...]:
    """Who shares a contact with whom, under which name and email, and who is held; ids of new contacts left out."""
    after = applied(page.known, page.planned(sightings))
    facts: dict[int, object] = {c.contact_id: (c.name, c.email_key) for c in after.contacts}
    groups: dict[int | None, set[str]] = {}
    for account_id, contact_id in links(after).items():
        groups.setdefault(contact_id, set()).add(account_id)
    held = groups.pop(None, set())
    return held, {frozenset(group): facts[i] for i, group in groups.items() if i is not None}


@given(pages())
def test_scope_leaves_strangers_that_are_inactive_alone(page: Page) -> None:
    sightings = [s for s in page.sightings if not s.active]
    accounts = [a for a in page.known.accounts if a.contact_id is None and a.remembered_contact_id is None]
    made = plan(sightings, accounts, page.known.contacts, scope=ACTIVE_ONLY)
    assert (made.accounts, made.created, made.unchanged, made.changes) == ([], [], [], [])
    assert set(made.forgotten) == {a.account_id for a in accounts} & {s.account_id for s in sightings}
