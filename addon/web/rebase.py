"""What becomes of a form whose record somebody else changed while it was filled in? Pure.

What the person typed is kept, what they left alone takes the value of now, and where both changed the same, they see both.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebased:
    """The form to go on with. `meanwhile`: what somebody else made of a field that the person changed, too."""

    values: Values
    attributes: Values
    meanwhile: Values
    attributes_meanwhile: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as a form shows it: one text for each field, and texts by names of the person's own."""

    values: Values
    attributes: Values

    def write(self) -> str:
        """For a hidden field, which says what the person saw."""
        return json.dumps([dict(self.values), dict(self.attributes)], ensure_ascii=False)


def read(text: str, *, otherwise: Record) -> Record:
    """What `Record.write` wrote. A form that says nothing of the kind was filled in by no page of ours."""
    try:
        values, attributes = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return otherwise
    if not _is_texts(values) or not _is_texts(attributes):
        return otherwise
    return Record(values=values, attributes=attributes)


def rebase(*, seen: Record, typed: Record, present: Record) -> Rebased:
    """`seen`: as the form began; `typed`: as it was sent; `present`: as the record is now."""
    values, meanwhile = _merge(seen.values, typed.values, present.values)
    attributes, attributes_meanwhile = _merge(seen.attributes, typed.attributes, present.attributes)
    return Rebased(
        values={name: values.get(name, "") for name in present.values},
        attributes=attributes,
        meanwhile=meanwhile,
        attributes_meanwhile=attributes_meanwhile,
    )


def _merge(seen: Values, typed: Values, present: Values) -> tuple[dict[str, str], dict[str, str]]:
    merged: dict[str, str] = {}
    meanwhile: dict[str, str] = {}
    for name in dict.fromkeys((*present, *typed)):
        before, mine, now = seen.get(name), typed.get(name), present.get(name)
        chosen = now if mine == before else mine
        if chosen is not None:
            merged[name] = chosen
        if now not in {chosen, before}:
            meanwhile[name] = now or ""
    return merged, meanwhile


def _is_texts(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
