"""What becomes of a row that is imported: a new contact, a changed one, or nothing? Pure.

Jira's attributes of a synced contact are never touched (S8), an empty cell erases nothing, and of two contacts that a row
might mean none is chosen.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, assert_never, get_args

from addon.crm import contact
from addon.crm.columns import Row
from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.errors import FieldProblem

Existing = Literal["update", "skip"]
"""What is to be done with a contact that is there already."""

EXISTING: tuple[Existing, ...] = get_args(Existing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A contact that a row may mean, as it is now."""

    contact_id: ContactId
    name: str
    email: str | None
    phone: str | None
    job_title: str | None
    attributes: Mapping[str, str]
    company_id: CompanyId | None
    is_synced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """A new contact. The company is found, or made, by whoever carries this out."""

    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The contact as it is to be."""

    row_no: int
    after: Present


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Nothing is to be done: it is there already, as the row says it or as whoever imports wants it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """The row cannot be taken."""

    problem: FieldProblem


Fate = Create | Update | Skip | Refuse


def decide(row: Row, found: Sequence[Present], *, existing: Existing, company_id: CompanyId | None) -> Fate:
    """`found`: the contact that the row names, or those with its email. `company_id`: of its company, if that exists."""
    match found:
        case [] if row.contact_id is not None:
            return Refuse(problem=FieldProblem(field="id", problem="is not the id of a contact here"))
        case [] if row.name is None:
            return Refuse(problem=FieldProblem(field="name", problem="is required for a new contact"))
        case []:
            return Create(row=row)
        case [present] if existing == "update":
            return _update(row, present, company_id)
        case [_]:
            return Skip()
        case _:
            problem = "belongs to several contacts, of which the row may mean any"
            return Refuse(problem=FieldProblem(field="email", problem=problem))


def _update(row: Row, present: Present, company_id: CompanyId | None) -> Fate:
    attributes = {**present.attributes, **row.attributes}
    if len(attributes) > contact.MAX_ATTRIBUTES:
        problem = f"would be more than {contact.MAX_ATTRIBUTES}, with those that the contact has"
        return Refuse(problem=FieldProblem(field="attributes", problem=problem))
    after = replace(
        present,
        phone=row.phone or present.phone,
        job_title=row.job_title or present.job_title,
        attributes=attributes,
        company_id=company_id if row.company is not None else present.company_id,
    )
    if not present.is_synced:
        after = replace(after, name=row.name or present.name, email=row.email or present.email)
    is_same = after == present and (row.company is None or company_id is not None)
    return Skip() if is_same else Update(row_no=row.row_no, after=after)


def write_row(row: Row) -> str:
    """As it is kept between the check and the writing."""
    return json.dumps(
        {
            "name": row.name,
            "email": row.email,
            "phone": row.phone,
            "job_title": row.job_title,
            "company": row.company,
            "attributes": dict(row.attributes),
        },
        ensure_ascii=False,
    )


def read_row(row_no: int, contact_id: int | None, kept: str) -> Row:
    return Row(row_no=row_no, contact_id=None if contact_id is None else ContactId(contact_id), **json.loads(kept))


def counted(fates: Sequence[Fate]) -> Mapping[str, int]:
    """How many rows of each kind."""
    counts = {"create": 0, "update": 0, "skip": 0, "refuse": 0}
    for fate in fates:
        match fate:
            case Create():
                counts["create"] += 1
            case Update():
                counts["update"] += 1
            case Skip():
                counts["skip"] += 1
            case Refuse():
                counts["refuse"] += 1
            case _:
                assert_never(fate)
    return counts
