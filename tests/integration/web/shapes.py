"""The shapes of the JSON of the public interface, written down a second time: `contract` says which answer has which."""

import re
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


def _read_moment(text: object) -> datetime:
    assert isinstance(text, str)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), "RFC 3339, UTC"
    return datetime.fromisoformat(text)


Moment = Annotated[AwareDatetime, BeforeValidator(_read_moment)]
Item = TypeVar("Item")


class Listed(Strict, Generic[Item]):
    values: list[Item]
    next: str | None


class Account(Strict):
    account_id: str
    display_name: str
    kind: Literal["user", "customer"]
    active: bool
    email_state: Literal["visible", "hidden", "unavailable"]
    linked_by: Literal["email", "account", "person"]
    linked_at: Moment
    checked_at: Moment


class Subject(Strict):
    """An account that waits for a decision: linked or not."""

    account_id: str
    display_name: str
    kind: Literal["user", "customer"]
    active: bool
    email_state: Literal["visible", "hidden", "unavailable"]
    linked_by: Literal["email", "account", "person"] | None
    linked_at: Moment | None
    checked_at: Moment


CompanyBy = Literal["organization", "domain", "person"]


class CompanyRef(Strict):
    id: str
    name: str


class Contact(Strict):
    id: str
    name: str
    email: str | None
    phone: str | None
    job_title: str | None
    attributes: dict[str, str]
    company: CompanyRef | None
    company_by: CompanyBy | None
    origin: Literal["manual", "sync", "import"]
    synced_jira_user: Account | None
    linked_accounts: list[Account]
    read_only: list[Literal["name", "email", "syncedJiraUser"]]
    deletable: bool
    version: int
    created_at: Moment
    updated_at: Moment


class Company(Strict):
    id: str
    name: str
    domains: list[str]
    organization_id: str | None
    contacts: int
    version: int


class Run(Strict):
    id: str
    trigger: Literal["turned-on", "schedule", "person", "webhook"]
    state: Literal["running", "done", "failed", "cancelled"]
    phase: str
    seen: int
    total: int | None
    linked: int
    created: int
    updated: int
    unlinked: int
    held: int
    points: int
    started_at: Moment
    finished_at: Moment | None
    error: str | None


class Counts(Strict):
    contacts: int
    linked: int


class Sync(Strict):
    enabled: bool
    filters: dict[str, Any]
    include_inactive: bool
    state: Literal["off", "running", "idle", "waiting", "failing"]
    run: Run | None
    last_run: Run | None
    attention: int
    counts: Counts
    crm_groups: list[str]


class Attention(Strict):
    id: str
    kind: Literal["ambiguous-email", "email-collision", "mass-unlink", "company-tie"]
    account: Subject | None
    candidates: list[Contact]
    companies: list[CompanyRef]
    since: Moment


class CompanyRules(Strict):
    by_organization: bool
    by_domain: bool
    issue_share_percent: int


class RuleWork(Strict):
    """What the company rules would change, or changed, of the contacts that are there."""

    id: str | None
    state: Literal["none", "previewing", "ready", "applying", "applied", "undoing", "undone", "failed"]
    checked: int
    total: int
    changes: int
    by_organization: int
    by_domain: int
    emptied: int
    ties: int
    applied: int
    undone: int
    left_alone: int
    started_at: Moment | None
    finished_at: Moment | None


class RuleChange(Strict):
    contact_id: str
    contact_name: str
    email: str | None
    before: CompanyRef | None
    before_by: CompanyBy | None
    after: CompanyRef | None
    after_by: CompanyBy | None
    is_tie: bool
    state: Literal["planned", "applied", "undone", "left"]


class Reporter(Strict):
    account_id: str
    name: str


class Issue(Strict):
    issue_id: str
    reporter: Reporter | None
    contact: Contact | None
    company: CompanyRef | None
    company_by: CompanyBy | None
    sync_on: bool


class Preview(Strict):
    state: Literal["none", "running", "done", "failed"]
    link: int
    create: int
    held: int
    no_email: int
    excluded: int


class ContactRef(Strict):
    id: str
    name: str | None


class PreviewLine(Strict):
    account_id: str
    display_name: str
    kind: Literal["user", "customer"]
    active: bool
    email: str | None
    email_state: Literal["visible", "hidden", "unavailable"]
    contact: ContactRef | None


class Change(Strict):
    id: str
    run_id: str | None
    contact_id: str
    contact_name: str | None
    account_id: str | None
    field: str
    old: str | None
    new: str | None
    cause: str
    at: Moment


class Column(Strict):
    name: str
    target: str | None
    samples: list[str]


class Import(Strict):
    id: str
    state: Literal["mapping", "checking", "refused", "ready", "writing", "done", "failed", "cancelled"]
    progress: float
    file_name: str
    bytes: int
    encoding: str
    delimiter: str
    existing: Literal["update", "skip"]
    columns: list[Column]
    rows: int
    problems: int
    to_create: int
    to_update: int
    to_skip: int
    new_companies: int
    created: int
    updated: int
    skipped: int
    left_out: int
    error: str | None
    created_at: Moment
    finished_at: Moment | None


class RowProblem(Strict):
    row: int
    field: str
    problem: str


class FieldProblem(Strict):
    field: str
    problem: str


class Problem(Strict):
    type: str
    title: str
    status: int
    detail: str
    code: Literal[
        "not-authenticated",
        "not-allowed",
        "not-found",
        "read-only-attribute",
        "contact-synced",
        "stale-version",
        "invalid",
        "too-many-requests",
        "busy",
        "internal",
    ]
    errors: list[FieldProblem] | None = None
    attributes: list[str] | None = None
