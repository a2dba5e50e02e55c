"""How are a run's steps, kinds of accounts and reasons of an undo told in a sentence of the settings page?

Single words for codes are in `addon.web.vocabulary`.
"""

from collections.abc import Callable, Mapping

from addon.web import texts, vocabulary
from addon.web.texts import mark

STEPS: Mapping[str, str] = {
    "starting": mark("Starting"),
    "users": mark("Reading users"),
    "customers": mark("Reading customers"),
    "organizations": mark("Reading the members of organizations"),
    "verifying": mark("Checking who is gone"),
}
KINDS: Mapping[str, str] = {"user": mark("Jira user"), "customer": mark("Customer")}
LEFT: Mapping[str, str] = {
    "contact": mark("Somebody edited the contact since, so it was not deleted."),
    "name": mark("The name was changed since."),
    "email": mark("The email was changed since."),
}


def step(phase: str) -> str:
    """What a run does in a phase."""
    return texts.gettext(STEPS[phase]) if phase in STEPS else vocabulary.name(phase)


def account_kind(kind: str) -> str:
    return texts.gettext(KINDS[kind])


def why_left(field: str) -> str:
    """Why undo left a change of this field."""
    return texts.gettext(LEFT[field]) if field in LEFT else ""


FILTERS: Mapping[str, Callable[[str], str]] = {"step": step, "account_kind": account_kind, "why_left": why_left}
"""For templates."""
