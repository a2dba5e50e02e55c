"""D12: what a plan means for each account."""

import pytest

from addon.crm.contact import ContactId
from addon.sync import preview
from addon.sync.filters import Filters
from addon.sync.people import Account, Contact, Known, Sighting
from addon.sync.preview import Fate
from addon.sync.scope import Scope
from tests.unit.sync.builders import a_contact, a_sighting, an_account, plan

USERS_ONLY = Scope(include_inactive=False, filters=Filters(kinds=("user",)), membership="inside")
EMAIL = "ana@example.com"
CONTACT = ContactId(1)


@pytest.mark.parametrize(
    ("sighting", "accounts", "contacts", "fate"),
    [
        (a_sighting(email=EMAIL), [], [], Fate(outcome="create")),
        (a_sighting(), [], [], Fate(outcome="noEmail")),
        (a_sighting(email=EMAIL), [], [a_contact(1, email=EMAIL)], Fate(outcome="link", contact_id=CONTACT)),
        (
            a_sighting(email=EMAIL),
            [],
            [a_contact(1, email=EMAIL), a_contact(2, email=EMAIL)],
            Fate(outcome="held"),
        ),
        (a_sighting(active=False), [], [], Fate(outcome="excluded")),
        (a_sighting(kind="customer"), [], [], Fate(outcome="excluded")),
        (a_sighting(active=False), [an_account(held=True)], [], Fate(outcome="excluded")),
        (a_sighting(), [an_account(contact_id=1)], [a_contact(1)], Fate(outcome="link", contact_id=CONTACT)),
        (
            a_sighting(),
            [an_account(remembered_contact_id=1, remembered_by="email")],
            [a_contact(1)],
            Fate(outcome="link", contact_id=CONTACT),
        ),
    ],
)
def test_fate_of_an_account(sighting: Sighting, accounts: list[Account], contacts: list[Contact], fate: Fate) -> None:
    made = plan([sighting], accounts, contacts, scope=USERS_ONLY)
    assert preview.fates([sighting], Known(accounts=accounts, contacts=contacts), made) == {"ana": fate}


def test_second_account_of_a_person_is_linked_to_the_contact_of_the_first() -> None:
    both = [a_sighting(email=EMAIL), a_sighting("bea", email=EMAIL)]
    made = plan(both, scope=USERS_ONLY)
    found = preview.fates(both, Known(accounts=[], contacts=[]), made)
    assert found == {"ana": Fate(outcome="create"), "bea": Fate(outcome="link")}
