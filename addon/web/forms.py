"""What do our own forms send? Turns their fields into the bodies that the JSON API takes, so that one set of rules holds.

Pure. Checks nothing that `addon.crm.draft` checks.
"""

from collections.abc import Sequence

from addon.crm import draft
from addon.errors import FieldProblem, Invalid

Fields = Sequence[tuple[str, str]]
Body = dict[str, object]

ATTRIBUTE_NAME, ATTRIBUTE_VALUE = "attribute-name", "attribute-value"
HAS_ATTRIBUTES = "has-attributes"  # tells a form without any attribute from one that does not show them
SEEN = "seen"  # the record as the form began with it (`addon.web.rebase`)


def contact_body(fields: Fields) -> Body:
    """Raises Invalid for an attribute that is named twice, which no JSON object can say."""
    body: Body = {}
    for name, value in fields:
        match name:
            case "version":
                body[name] = draft.read_id(value)
            case "company":
                body[name] = {"id": value} if value else None
            case "attribute-name" | "attribute-value" | "has-attributes" | "seen":
                continue
            case _:
                body[name] = value
    if any(name == HAS_ATTRIBUTES for name, _ in fields):
        body["attributes"] = attributes(fields)
    return body


def company_body(fields: Fields) -> Body:
    """Domains come as one text: a line, comma or space between them."""
    body: Body = {name: value for name, value in fields if name != SEEN}
    if "version" in body:
        body["version"] = draft.read_id(body["version"])
    domains = body.get("domains")
    if isinstance(domains, str):
        body["domains"] = domains.replace(",", " ").split()
    return body


def import_body(fields: Fields) -> Body:
    """What a file of contacts means: one `target` for each column, in order."""
    body: Body = {name: value for name, value in fields if name != "target"}
    body["targets"] = [value for name, value in fields if name == "target"]
    return body


def attributes(fields: Fields) -> dict[str, str]:
    """A pair whose name was emptied is a pair that was removed. Raises Invalid for a name that is there twice."""
    names = [value.strip() for name, value in fields if name == ATTRIBUTE_NAME]
    values = [value for name, value in fields if name == ATTRIBUTE_VALUE]
    pairs: dict[str, str] = {}
    for name, value in zip(names, values, strict=False):
        if name in pairs:
            raise Invalid([FieldProblem(field="attributes", problem=f"names {name!r} twice")])
        if name:
            pairs[name] = value
    return pairs
