"""What may a person write into a contact or a company? Reads an untrusted body and names every problem at once.

Pure. It does not know what is stored: whether the company exists, the version is current or an attribute is read-only
is decided by `addon.storage`, inside the transaction that writes.
"""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypedDict, TypeVar

from addon.crm import company, contact
from addon.crm.company import CompanyId
from addon.errors import FieldProblem
from lifecycle.tenant import AccountId

MAX_ID = 2**63 - 1  # the database's bigint
MAX_ORGANIZATION_ID_LENGTH = 255
MAX_SHOWN = 50  # characters of a refused entry that its problem repeats
UNPRINTABLE = frozenset({"Cc", "Cs"})
# Control characters (NUL cannot be stored at all) and halves of surrogate pairs, which are no characters.

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and a symbol by category, and yet drawn as nothing

CONTACT_FIELDS = frozenset({"name", "email", "phone", "jobTitle", "attributes", "company"})
COMPANY_FIELDS = frozenset({"name", "domains", "organizationId"})


class ContactEdit(TypedDict, total=False):
    """The attributes of a contact that a body names, in our words; what is absent stays as it is."""

    name: str
    email: str | None
    phone: str | None
    job_title: str | None
    attributes: dict[str, str]
    company_id: CompanyId | None
    synced_account_id: AccountId | None


class CompanyEdit(TypedDict, total=False):
    """The attributes of a company that a body names."""

    name: str
    domains: tuple[str, ...]
    organization_id: str | None


Edit = TypeVar("Edit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[Edit]):
    """What a body says and what is wrong with it. `edit` may be used only when `problems` is empty. `sent`: the body."""

    edit: Edit
    problems: Sequence[FieldProblem]
    sent: Mapping[str, object] = field(default_factory=dict)
    version: int | None = None


def read_new_contact(body: Mapping[str, object]) -> Reading[ContactEdit]:
    """A contact to be made: its `name` is present unless that is one of the problems."""
    reader = _Reader(body, known=CONTACT_FIELDS)
    edit = _contact_attributes(reader)
    edit["name"] = reader.name()
    return Reading(edit=edit, problems=reader.problems)


def read_contact_edit(body: Mapping[str, object]) -> Reading[ContactEdit]:
    """A change of a contact, with the version that was read."""
    reader = _Reader(body, known=CONTACT_FIELDS | {"version", "syncedJiraUser"})
    edit = _contact_attributes(reader)
    if "name" in body:
        edit["name"] = reader.name()
    if "syncedJiraUser" in body:
        edit["synced_account_id"] = reader.synced_account_id()
    return Reading(edit=edit, problems=reader.problems, sent=body, version=reader.version())


def leave_out_same(reading: Reading[ContactEdit], *, name: str, email: str | None) -> Reading[ContactEdit]:
    """Without the name and the email if they are those of the contact now: Jira may have given one that nobody can type."""
    edit, same = reading.edit.copy(), set()
    if reading.sent.get("name") == name:
        same.add("name")
        edit.pop("name", None)
    if reading.sent.get("email") == email:
        same.add("email")
        edit.pop("email", None)
    return replace(reading, edit=edit, problems=[problem for problem in reading.problems if problem.field not in same])


def read_new_company(body: Mapping[str, object]) -> Reading[CompanyEdit]:
    """A company to be made: its `name` is present unless that is one of the problems."""
    reader = _Reader(body, known=COMPANY_FIELDS)
    edit = _company_attributes(reader)
    edit["name"] = reader.name()
    return Reading(edit=edit, problems=reader.problems)


def read_company_edit(body: Mapping[str, object]) -> Reading[CompanyEdit]:
    """A change of a company, with the version that was read."""
    reader = _Reader(body, known=COMPANY_FIELDS | {"version"})
    edit = _company_attributes(reader)
    if "name" in body:
        edit["name"] = reader.name()
    return Reading(edit=edit, problems=reader.problems, version=reader.version())


def read_id(text: object) -> int | None:
    """An id as our JSON writes it; None for what cannot be one of ours."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_ID)):
        return None
    number = int(text)
    return number if number <= MAX_ID else None


def text_problem(value: str, *, max_length: int) -> str | None:
    """Why the text cannot be stored or shown; None if it can."""
    if any(unicodedata.category(char) in UNPRINTABLE for char in value):
        return "must not contain control characters or broken Unicode"
    if len(value) > max_length:
        return f"must not be longer than {max_length} characters"
    return None


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(unicodedata.category(char) in INVISIBLE or char in FILLERS for char in text)


def printable(text: str) -> str:
    """The text without what cannot be stored or shown."""
    return "".join(char for char in text if unicodedata.category(char) not in UNPRINTABLE)


def email_problem(email: str) -> str | None:
    """Why the text is no email address. Deliberately small: only the receiving server knows what it takes."""
    local, at, host = email.partition("@")
    if not (local and at and host) or "@" in host or any(char.isspace() for char in email):
        return "must be an email address, such as name@example.com"
    return None


def _contact_attributes(reader: "_Reader") -> ContactEdit:
    """Everything that is optional in a contact."""
    edit = ContactEdit()
    if "email" in reader.body:
        edit["email"] = reader.email()
    if "phone" in reader.body:
        edit["phone"] = reader.text("phone")
    if "jobTitle" in reader.body:
        edit["job_title"] = reader.text("jobTitle")
    if "attributes" in reader.body:
        edit["attributes"] = reader.attributes()
    if "company" in reader.body:
        edit["company_id"] = reader.company_id()
    return edit


def _name_problem(name: str, *, taken: Collection[str]) -> str | None:
    """Why no attribute can have this name beside those that are `taken`."""
    problem = text_problem(name, max_length=contact.MAX_TEXT_LENGTH)
    if problem is not None:
        return f"the name of an attribute {problem}"
    if is_blank(name):
        return "every attribute needs a name"
    return f"names {name!r} twice" if name in taken else None


def _company_attributes(reader: "_Reader") -> CompanyEdit:
    edit = CompanyEdit()
    if "domains" in reader.body:
        edit["domains"] = reader.domains()
    if "organizationId" in reader.body:
        edit["organization_id"] = reader.text("organizationId", max_length=MAX_ORGANIZATION_ID_LENGTH)
    return edit


class _Reader:
    """Takes fields out of a body and collects what is wrong; a refused field reads as empty."""

    def __init__(self, body: Mapping[str, object], *, known: Collection[str]) -> None:
        self.body = body
        self.problems = [
            FieldProblem(field=printable(field), problem="is not an attribute that can be set")
            for field in body
            if field not in known
        ]

    def refuse(self, field: str, problem: str) -> None:
        self.problems.append(FieldProblem(field=field, problem=problem))

    def name(self) -> str:
        name = self.text("name")
        if is_blank(name or "") and not any(problem.field == "name" for problem in self.problems):
            self.refuse("name", "is required")
        return name or ""

    def text(self, field: str, *, max_length: int = contact.MAX_TEXT_LENGTH) -> str | None:
        """The trimmed text; None for an absent, null or empty one."""
        value = self.body.get(field)
        if value is not None and not isinstance(value, str):
            self.refuse(field, "must be a text")
            return None
        trimmed = (value or "").strip()
        problem = text_problem(trimmed, max_length=max_length)
        if problem is not None:
            self.refuse(field, problem)
            return None
        return trimmed or None

    def email(self) -> str | None:
        email = self.text("email", max_length=contact.MAX_EMAIL_LENGTH)
        problem = None if email is None else email_problem(email)
        if problem is not None:
            self.refuse("email", problem)
        return email

    def attributes(self) -> dict[str, str]:
        value = self.body["attributes"]
        if not isinstance(value, dict):
            self.refuse("attributes", "must be an object of texts")
            return {}
        if len(value) > contact.MAX_ATTRIBUTES:
            self.refuse("attributes", f"must not have more than {contact.MAX_ATTRIBUTES} entries")
            return {}
        attributes: dict[str, str] = {}
        for typed, text in value.items():
            name = typed.strip()
            # A refused name is not repeated: problems of imports are stored, and it may be nothing that can be.
            if (problem := _name_problem(name, taken=attributes)) is not None:
                self.refuse("attributes", problem)
            elif not isinstance(text, str):
                self.refuse(f"attributes.{name}", "must be a text")
            elif (problem := text_problem(text, max_length=contact.MAX_TEXT_LENGTH)) is not None:
                self.refuse(f"attributes.{name}", problem)
            else:
                attributes[name] = text
        return attributes

    def company_id(self) -> CompanyId | None:
        value = self.body["company"]
        if value is None:
            return None
        company_id = read_id(value.get("id")) if isinstance(value, dict) else None
        if company_id is None:
            self.refuse("company", "must be null or {id} of a company")
            return None
        return CompanyId(company_id)

    def synced_account_id(self) -> AccountId | None:
        value = self.body["syncedJiraUser"]
        account_id = value.get("accountId") if isinstance(value, dict) else None
        if value is not None and not isinstance(account_id, str):
            self.refuse("syncedJiraUser", "must be null or an account")
            return None
        return None if account_id is None else AccountId(account_id)

    def domains(self) -> tuple[str, ...]:
        value = self.body["domains"]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.refuse("domains", "must be a list of domain names")
            return ()
        if len(value) > company.MAX_DOMAINS:
            self.refuse("domains", f"must not have more than {company.MAX_DOMAINS} entries")
            return ()
        normalized = set()
        for index, typed in enumerate(value):
            try:
                normalized.add(company.normalize_domain(typed))
            except company.DomainNameError as exc:
                self.refuse(f"domains[{index}]", f'"{typed[:MAX_SHOWN]}" {exc}')
        return tuple(sorted(normalized))

    def version(self) -> int | None:
        value = self.body.get("version")
        if not isinstance(value, int) or isinstance(value, bool):
            self.refuse("version", "must be the version that was read")
            return None
        return value
