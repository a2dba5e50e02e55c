"""What are the states, phases, fields and reasons of our records called on a page?

The records name them as the API does (`turned-on`); here stands what a person reads. Titles of errors are listed, too,
since they stand in classes that know nothing of a catalogue.
"""

from collections.abc import Mapping

from addon.web import texts
from addon.web.texts import mark

WORDS: Mapping[str, str] = {
    # of a run and of the sync
    "off": mark("Off"),
    "running": mark("Running"),
    "idle": mark("Idle"),
    "waiting": mark("Waiting"),
    "failing": mark("Failing"),
    "done": mark("Done"),
    "failed": mark("Failed"),
    "cancelled": mark("Cancelled"),
    # what a run reads
    "users": mark("Users"),
    "customers": mark("Customers"),
    "organizations": mark("Organizations"),
    "verifying": mark("Verifying"),
    # why a run began
    "turned-on": mark("Turned on"),
    "schedule": mark("Schedule"),
    "person": mark("A person"),
    "webhook": mark("A change in Jira"),
    # what of a contact changed
    "contact": mark("Contact"),
    "name": mark("Name"),
    "email": mark("Email"),
    "syncedJiraUser": mark("Synced Jira User"),
    "company": mark("Company"),
    # and why
    "no-contact-had-this-email": mark("No contact had this email"),
    "account-shows-no-email": mark("The account shows no email"),
    "same-email": mark("Same email"),
    "email-became-visible": mark("The email became visible"),
    "linked-before": mark("Linked before"),
    "account-changed": mark("The account changed"),
    "account-deleted": mark("The account was deleted"),
    "turned-off": mark("Syncing was turned off"),
    "out-of-scope": mark("Out of scope"),
    "a-person-decided": mark("A person decided"),
    "company-organization": mark("The company of its organization"),
    "company-domain": mark("The company of its email domain"),
    "company-undone": mark("A rule was taken back"),
    "undone": mark("Undone"),
    "undo-left": mark("Left by an undo, as it was edited since"),
}

TITLES = (
    mark("You are not allowed to do this"),
    mark("Not found"),
    mark("Jira is the source of this attribute"),
    mark("The contact is synced with Jira"),
    mark("The record was changed in the meantime"),
    mark("Some fields are invalid"),
    mark("The service is busy"),
    mark("Not authenticated"),
    mark("The body is not a JSON object"),
    mark("The body is too large"),
    mark("Some fields are missing or have the wrong type"),
    mark("Not available at the moment"),
)
"""Of every error that a page can show."""


def name(code: str) -> str:
    """The words for a code of ours. One that is missing here is shown as it is, readable at least."""
    return texts.gettext(WORDS[code]) if code in WORDS else code.replace("-", " ").capitalize()
