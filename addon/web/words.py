"""How are steps of work, kinds of accounts, and reasons of an undo or of a company told in a sentence of a page?

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

RULES: Mapping[str, str] = {
    "organization": mark("By organization"),
    "domain": mark("By email domain"),
    "person": mark("By a person"),
}
RULE_WORK: Mapping[str, str] = {
    "previewing": mark("Previewing"),
    "ready": mark("Previewed"),
    "applying": mark("Applying"),
    "applied": mark("Applied"),
    "undoing": mark("Undoing"),
    "undone": mark("Undone"),
    "failed": mark("Failed"),
}
RULE_CHANGES: Mapping[str, str] = {
    "planned": mark("Planned"),
    "applied": mark("Applied"),
    "undone": mark("Undone"),
    "left": mark("Left, as it was changed in between"),
}
ISSUES: Mapping[str, str] = {
    "off": mark("Off"),
    "reading-open": mark("Reading open issues"),
    "reading-rest": mark("Reading issues that are done"),
    "writing": mark("Writing"),
    "idle": mark("Up to date"),
    "waiting": mark("Waiting"),
    "failing": mark("Failing"),
}
COMPANY_BY: Mapping[str, str] = {
    "organization": mark("Found by its service-management organization"),
    "domain": mark("Found by its email domain"),
    "person": mark("Chosen by a person"),
}


def step(phase: str) -> str:
    """What a run does in a phase."""
    return texts.gettext(STEPS[phase]) if phase in STEPS else vocabulary.name(phase)


def account_kind(kind: str) -> str:
    return texts.gettext(KINDS[kind])


def why_left(field: str) -> str:
    """Why undo left a change of this field."""
    return texts.gettext(LEFT[field]) if field in LEFT else ""


def rule(assigned_by: str | None) -> str:
    """What gives a contact its company."""
    return texts.gettext("No rule fits any more") if assigned_by is None else texts.gettext(RULES[assigned_by])


def rule_work(state: str) -> str:
    """How far applying the rules to the contacts that are there has come."""
    return texts.gettext(RULE_WORK[state])


def rule_change(state: str) -> str:
    """What became of one change that the rules would make."""
    return texts.gettext(RULE_CHANGES[state])


def issue_state(state: str) -> str:
    """What is done about the companies on issues now."""
    return texts.gettext(ISSUES[state])


def company_by(assigned_by: str) -> str:
    """Why a contact has its company."""
    return texts.gettext(COMPANY_BY[assigned_by])


FILTERS: Mapping[str, Callable[[str], str] | Callable[[str | None], str]] = {
    "step": step,
    "account_kind": account_kind,
    "why_left": why_left,
    "rule": rule,
    "rule_work": rule_work,
    "rule_change": rule_change,
    "issue_state": issue_state,
    "company_by": company_by,
}
"""For templates."""
