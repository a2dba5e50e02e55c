"""The JSON of the public interface, written down a second time, so that any drift of the product is seen."""

import re
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, TypeAdapter
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
    ]
    errors: list[FieldProblem] | None = None
    attributes: list[str] | None = None


ANSWERS: list[tuple[str, int, TypeAdapter[Any]]] = [
    (r"GET /api/contacts", 200, TypeAdapter(Listed[Contact])),
    (r"POST /api/contacts", 201, TypeAdapter(Contact)),
    (r"(GET|PATCH) /api/contacts/[^/]+", 200, TypeAdapter(Contact)),
    (r"GET /api/contacts/[^/]+/changes", 200, TypeAdapter(Listed[Change])),
    (r"POST /api/contacts/[^/]+/merge", 200, TypeAdapter(Contact)),
    (r"POST /api/import/contacts", 201, TypeAdapter(Import)),
    (r"GET /api/import/contacts/[^/]+", 200, TypeAdapter(Import)),
    (r"(PUT /api/import/contacts/[^/]+|POST /api/import/contacts/[^/]+/start)", 202, TypeAdapter(Import)),
    (r"GET /api/import/contacts/[^/]+/problems", 200, TypeAdapter(Listed[RowProblem])),
    (r"GET /api/companies", 200, TypeAdapter(Listed[Company])),
    (r"POST /api/companies", 201, TypeAdapter(Company)),
    (r"(GET|PATCH) /api/companies/[^/]+", 200, TypeAdapter(Company)),
    (r"POST /api/companies/[^/]+/merge", 200, TypeAdapter(Company)),
    (r"(GET|PUT) /api/company-rules", 200, TypeAdapter(CompanyRules)),
    (r"GET /api/company-rules/preview", 200, TypeAdapter(RuleWork)),
    (r"POST /api/company-rules/(preview|apply|undo)", 202, TypeAdapter(RuleWork)),
    (r"GET /api/company-rules/preview/changes", 200, TypeAdapter(Listed[RuleChange])),
    (r"GET /api/issues/[^/]+|PUT /api/issues/[^/]+/company", 200, TypeAdapter(Issue)),
    (r"(GET|PUT) /api/sync", 200, TypeAdapter(Sync)),
    (r"GET /api/sync/runs", 200, TypeAdapter(Listed[Run])),
    (r"POST /api/sync/runs", 202, TypeAdapter(Run)),
    (r"GET /api/sync/runs/[^/]+", 200, TypeAdapter(Run)),
    (r"GET /api/sync/runs/[^/]+/changes", 200, TypeAdapter(Listed[Change])),
    (r"POST /api/sync/runs/[^/]+/undo", 202, TypeAdapter(Sync)),
    (r"POST /api/sync/preview", 202, TypeAdapter(Preview)),
    (r"GET /api/sync/preview", 200, TypeAdapter(Preview)),
    (r"GET /api/attention", 200, TypeAdapter(Listed[Attention])),
]
PROBLEM: TypeAdapter[Problem] = TypeAdapter(Problem)


def check(answer: httpx.Response) -> None:
    """An answer of the JSON API has exactly the shape, status and type that the interface promises."""
    if answer.is_error:
        assert answer.headers["content-type"] == "application/problem+json"
        assert PROBLEM.validate_json(answer.content).status == answer.status_code
        return
    if answer.status_code == 204 or answer.headers["content-type"].startswith("text/csv"):
        return
    assert answer.headers["content-type"] == "application/json"
    call = f"{answer.request.method} {answer.request.url.path}"
    expected = [(status, shape) for pattern, status, shape in ANSWERS if re.fullmatch(pattern, call)]
    assert len(expected) == 1, call
    status, shape = expected[0]
    assert answer.status_code == status
    shape.validate_json(answer.content)
