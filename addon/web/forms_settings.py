"""What do the forms of the settings page send? Turns their fields into the bodies that the JSON API takes.

Pure. Checks nothing that the reading of those bodies checks.
"""

from collections.abc import Sequence
from typing import Any

from addon.crm import access
from addon.sync.filters import PlaceKind

Fields = Sequence[tuple[str, str]]
Body = dict[str, Any]

FLAGS = {"true": True, "false": False}
IS_ON = "on"  # what a checked box sends
MAX_DIGITS = 9

PICKED: dict[str, PlaceKind] = {
    "groups": "groups",
    "projects": "projects",
    "organizations": "organizations",
    access.FIELD: "groups",
}
"""The fields of things that are picked from Jira, and what is picked there."""


def switch_body(fields: Fields) -> Body:
    return {name: FLAGS.get(value, value) for name, value in fields}


def filters_body(fields: Fields) -> Body:
    """What is not restricted is left out: a form sends no box that is not checked."""
    kinds = values(fields, "kinds")
    filters: Body = {name: values(fields, name) for name in ("groups", "projects", "organizations")}
    filters["emailDomains"] = [word for text in values(fields, "emailDomains") for word in _words(text)]
    written = {name: found for name, found in filters.items() if found}
    if kinds and kinds != ["all"]:
        written["kinds"] = kinds
    return {"filters": written, "includeInactive": values(fields, "includeInactive") == [IS_ON]}


def access_body(fields: Fields) -> Body:
    return {access.FIELD: values(fields, access.FIELD)}


def share_body(fields: Fields) -> Body:
    """A number, where it is one; what is wrong with another word is for the reader to say."""
    return {name: int(value) if value.isdecimal() and len(value) <= MAX_DIGITS else value for name, value in fields}


def attention_body(fields: Fields) -> Body:
    return dict(fields)


def values(fields: Fields, name: str) -> list[str]:
    """Everything that was sent by this name, in its order."""
    return [value for sent, value in fields if sent == name]


def _words(text: str) -> Sequence[str]:
    """A line, comma or space stands between them."""
    return text.replace(",", " ").split()
