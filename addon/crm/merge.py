"""What is left when two contacts of one person become one (D5)? Pure: which of the typed values stay, and where.

Nothing that was typed is lost: what the other contact says differently is kept as an attribute of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from addon.crm import contact, draft
from addon.crm.assignment import AssignedBy
from addon.crm.company import CompanyRef
from addon.crm.contact import Contact
from addon.errors import FieldProblem, Invalid

KEPT_AS = "{name} (merged)"
KEPT_AGAIN = "{name} (merged {number})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The attributes that a person may edit, as the contact has them that both become."""

    phone: str | None
    job_title: str | None
    company: CompanyRef | None
    company_by: AssignedBy | None
    attributes: Mapping[str, str]


def is_mergeable(gone: Contact) -> bool:
    """Whether its accounts show no email, so that nobody could tell whom the contact was known as (D5)."""
    return gone.is_synced and gone.email is None


def problem_of_merging(gone: Contact, kept: Contact) -> FieldProblem | None:
    """Why `gone` may not be merged into `kept`; None if it may (D5)."""
    if gone.contact_id == kept.contact_id:
        return FieldProblem(field="intoContactId", problem="is the contact itself")
    if not is_mergeable(gone):
        return FieldProblem(field="id", problem="is not a synced contact whose email is hidden")
    return None


def merge(gone: Contact, kept: Contact) -> Merged:
    """`kept` stays as it is and takes over what it has not got. What both have, but not alike, is kept from `gone` as an
    attribute, such as "Phone (merged)".

    Raises Invalid where that would be more attributes than a contact can have, or too long a name of one.
    """
    attributes = dict(kept.attributes)
    _add(attributes, "Phone", gone.phone, kept.phone)
    _add(attributes, "Job title", gone.job_title, kept.job_title)
    by = _whose_company(gone, kept)
    if gone.company is not None and gone.company_by == "person" and gone.company != by.company:
        _put(attributes, KEPT_AS.format(name="Company"), gone.company.name)
    for name, value in gone.attributes.items():
        if name in kept.attributes:
            _add(attributes, name, value, kept.attributes[name])
        else:
            _put(attributes, name, value)
    if len(attributes) > contact.MAX_ATTRIBUTES:
        problem = f"would have more than {contact.MAX_ATTRIBUTES} attributes; remove some first"
        raise Invalid([FieldProblem(field="intoContactId", problem=problem)])
    for name in attributes:
        problem_of_name = draft.text_problem(name, max_length=contact.MAX_TEXT_LENGTH)
        if name not in kept.attributes and problem_of_name is not None:
            raise Invalid(
                [FieldProblem(field="intoContactId", problem=f"could not keep an attribute: {problem_of_name}")]
            )
    return Merged(
        phone=kept.phone or gone.phone,
        job_title=kept.job_title or gone.job_title,
        company=by.company,
        company_by=by.company_by,
        attributes=attributes,
    )


def _whose_company(gone: Contact, kept: Contact) -> Contact:
    """A person's word counts for more than a rule's, also that there is no company; of two, that of `kept` stays."""
    if "person" in {gone.company_by, kept.company_by}:
        return kept if kept.company_by == "person" else gone
    return gone if kept.company is None else kept


def _add(attributes: dict[str, str], name: str, gone: str | None, kept: str | None) -> None:
    """Keep `gone` beside `kept`, unless they say the same or the contact has none, and so takes it over."""
    if gone and kept and gone != kept:
        _put(attributes, KEPT_AS.format(name=name), gone)


def _put(attributes: dict[str, str], name: str, value: str) -> None:
    """Under the name, or under the next one that is free."""
    free, number = name, 2
    while attributes.get(free, value) != value:
        base = name.removesuffix(" (merged)")
        free, number = KEPT_AGAIN.format(name=base, number=number), number + 1
    attributes[free] = value
