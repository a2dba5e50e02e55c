"""What do the columns of a file of contacts mean, and what does a row say then? Pure.

The rules for the values themselves are `addon.crm.draft`'s: a row is read like a contact that a person types.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from addon.crm import company, contact, draft
from addon.crm.contact import ContactId, EmailKey
from addon.errors import FieldProblem

FIELDS = ("id", "name", "email", "phone", "jobTitle", "company", "attributes")
ATTRIBUTE = "attributes."
LEFT_OUT = ""

EXPORT_ONLY = frozenset({"id", "origin", "syncedJiraUser"})
# Columns that together tell a file of our own: elsewhere, a column "id" counts something else.

SYNONYMS = {
    "name": ("name", "fullname", "contact", "contactname", "displayname", "person"),
    "email": ("email", "emailaddress", "mail", "emails", "workemail", "primaryemail"),
    "phone": ("phone", "phonenumber", "telephone", "tel", "mobile", "mobilephone", "workphone"),
    "jobTitle": ("jobtitle", "title", "position", "role", "function"),
    "company": ("company", "companyname", "organization", "organisation", "account", "accountname", "employer"),
    "attributes": ("attributes",),
}
"""By the letters and digits of a header alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one row says of a contact. What it leaves empty is no part of it, and stays as it is.

    contact_id: the contact that it names; company: a name, as typed.
    """

    row_no: int
    contact_id: ContactId | None
    name: str | None
    email: str | None
    phone: str | None
    job_title: str | None
    company: str | None
    attributes: Mapping[str, str]

    @property
    def email_key(self) -> EmailKey | None:
        return None if self.email is None else contact.email_key(self.email)

    @property
    def company_key(self) -> str | None:
        return None if self.company is None else company.company_key(self.company)


def guess(columns: Sequence[str]) -> list[str]:
    """What each column seems to mean; each meaning once, by the first column that fits."""
    is_ours = set(columns) >= EXPORT_ONLY
    targets: list[str] = []
    for column in columns:
        target = _guess_one(column, is_ours=is_ours)
        targets.append(LEFT_OUT if target in targets else target)
    return targets


def _guess_one(column: str, *, is_ours: bool) -> str:
    if column.startswith(ATTRIBUTE):
        return column if is_attribute(column) else LEFT_OUT
    if column == "id" and is_ours:
        return "id"
    letters = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", column).lower())
    return next((target for target, names in SYNONYMS.items() if letters in names), LEFT_OUT)


def is_attribute(target: str) -> bool:
    name = target.removeprefix(ATTRIBUTE)
    return (
        target.startswith(ATTRIBUTE)
        and not draft.is_blank(name)
        and draft.text_problem(name, max_length=contact.MAX_TEXT_LENGTH) is None
    )


def problems_of(targets: Sequence[str], columns: Sequence[str]) -> list[FieldProblem]:
    """Why these cannot be the meanings of these columns."""
    problems = []
    if len(targets) != len(columns):
        return [FieldProblem(field="targets", problem=f"must be as many as the columns, which are {len(columns)}")]
    for place, target in enumerate(targets):
        if target not in {LEFT_OUT, *FIELDS} and not is_attribute(target):
            problems.append(FieldProblem(field=f"targets[{place}]", problem="is nothing that a column can mean"))
        elif target != LEFT_OUT and target in targets[:place]:
            problems.append(FieldProblem(field=f"targets[{place}]", problem="is what another column means already"))
    if not problems and not {"name", "email", "id"} & set(targets):
        problems.append(FieldProblem(field="targets", problem="one column must be the name, the email or the id"))
    return problems


def read_row(row_no: int, cells: Sequence[str], targets: Sequence[str]) -> tuple[Row, list[FieldProblem]]:
    """What the row says, and everything that is wrong with it. The row may be used only if nothing is."""
    # A line break within a cell becomes a space: our texts have one line.
    texts = [re.sub(r"[\r\n\t]+", " ", cell).strip() for cell in cells]
    values = {
        target: text
        for target, text in zip(targets, texts, strict=False)
        if target != LEFT_OUT and not draft.is_blank(text)
    }
    problems: list[FieldProblem] = []
    if any(texts[len(targets) :]):
        problems.append(FieldProblem(field="", problem="has more cells than the header has columns"))
    attributes = _attributes(values, problems)
    body: dict[str, object] = {name: values.get(name) for name in ("name", "email", "phone", "jobTitle")}
    # An id or an email may stand for the name of a contact that is there already.
    reading = draft.read_new_contact({**body, "name": body["name"] or "-", "attributes": attributes})
    problems += reading.problems
    contact_id = draft.read_id(values["id"]) if "id" in values else None
    if "id" in values and contact_id is None:
        problems.append(FieldProblem(field="id", problem="is no id of a contact"))
    company_name = values.get("company")
    company_problem = company_name and draft.text_problem(company_name, max_length=contact.MAX_NAME_LENGTH)
    if company_problem:
        problems.append(FieldProblem(field="company", problem=company_problem))
    row = Row(
        row_no=row_no,
        contact_id=None if contact_id is None else ContactId(contact_id),
        name=values.get("name"),
        email=reading.edit.get("email"),
        phone=reading.edit.get("phone"),
        job_title=reading.edit.get("job_title"),
        company=company_name,
        attributes=reading.edit.get("attributes", {}),
    )
    return row, problems


def _attributes(values: Mapping[str, str], problems: list[FieldProblem]) -> dict[str, object]:
    """Those of columns of their own, and those that one column names as a JSON object."""
    attributes: dict[str, object] = {}
    if "attributes" in values:
        try:
            together = json.loads(values["attributes"])
        except (ValueError, RecursionError):
            together = None
        if isinstance(together, dict):
            attributes |= together
        else:
            problems.append(FieldProblem(field="attributes", problem="must be a JSON object of texts"))
    named = {target.removeprefix(ATTRIBUTE): value for target, value in values.items() if target.startswith(ATTRIBUTE)}
    return attributes | named
