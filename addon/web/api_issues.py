"""The company of an issue's reporter as JSON: what an issue says, and a person's word about it (C2, C4).

Whoever calls must see the issue in Jira; a token of the API names no issue, so Jira is asked. To anybody else there is no
such issue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyId
from addon.crm.contact import Contact, ContactId
from addon.errors import FieldProblem, Invalid, NotFound, StaleVersion
from addon.storage import contacts
from addon.storage.database import TenantScope
from addon.web import auth, body, marks, reporter, shape
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps
from addon.web.reporter import Sight

ROOT = "/api/issues"
RULES = "rules"
FIELDS = ("contactId", "companyId", "version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person says of the company of the contact that they saw; the issue may have another reporter since.

    `is_for_rules`: nothing more; the rules choose again.
    """

    contact_id: ContactId
    company_id: CompanyId | None
    is_for_rules: bool
    version: int


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [
        api(f"{ROOT}/{{id}}", {"GET": get_issue}, right=Right.SITE, deps=deps),
        api(f"{ROOT}/{{id}}/company", {"PUT": set_company}, right=Right.CRM, deps=deps),
    ]


async def get_issue(visit: Visit) -> Response:
    issue_id = await seen_issue(visit)
    sight = await reporter.look(visit, issue_id)
    may_see = await auth.may(visit.caller, Right.CRM, deps=visit.deps)
    return JSONResponse(_issue(sight, may_see=may_see))


async def set_company(visit: Visit) -> Response:
    word = read_word(await body.read_json(visit.request))
    issue_id = await seen_issue(visit)
    contact = contact_of(await reporter.look(visit, issue_id))
    if word.contact_id != contact.contact_id:
        raise StaleVersion("The issue has another reporter by now. Load it again, then repeat your change.")
    try:
        async with visit.tenant() as scope:
            await carry_out(visit, scope, contact, word)
    except Invalid as error:
        problems = [replace(each, field="companyId") if each.field == "company" else each for each in error.problems]
        raise Invalid(problems) from error
    return JSONResponse(_issue(await reporter.look(visit, issue_id), may_see=True))


async def seen_issue(visit: Visit) -> int:
    """The issue of the path. Raises NotFound where Jira does not show it to the person, and JiraError."""
    issue_id = body.path_id(visit.request)
    account_id = visit.caller.account_id
    if account_id is None or not await visit.deps.permissions.may_see_issue(visit.caller.tenant, account_id, issue_id):
        raise NotFound("There is no such issue.")
    return issue_id


def contact_of(sight: Sight) -> Contact:
    """Raises NotFound."""
    if sight.contact is None:
        raise NotFound("The reporter of this issue has no contact.")
    return sight.contact


def read_word(sent: Mapping[str, object]) -> Word:
    """Raises Invalid."""
    problems = [FieldProblem(field=name, problem="is not known") for name in sorted(set(sent) - set(FIELDS))]
    contact_id, wanted, version = draft.read_id(sent.get("contactId")), sent.get("companyId"), sent.get("version")
    company_id = draft.read_id(wanted)
    if contact_id is None:
        problems.append(FieldProblem(field="contactId", problem="must be the id of the contact that was read"))
    if "companyId" not in sent or not (wanted is None or wanted == RULES or company_id is not None):
        problems.append(FieldProblem(field="companyId", problem='must be the id of a company, null, or "rules"'))
    if not isinstance(version, int) or isinstance(version, bool):
        problems.append(FieldProblem(field="version", problem="must be the version that was read"))
    if problems or contact_id is None or not isinstance(version, int):
        raise Invalid(problems)
    return Word(
        contact_id=ContactId(contact_id),
        company_id=None if company_id is None else CompanyId(company_id),
        is_for_rules=wanted == RULES,
        version=version,
    )


async def carry_out(visit: Visit, scope: TenantScope, contact: Contact, word: Word) -> None:
    """Raises NotFound, Invalid, StaleVersion."""
    if word.is_for_rules:
        await contacts.let_rules_choose(scope, contact.contact_id, version=word.version, now=visit.now())
    else:
        await contacts.set_company(scope, contact.contact_id, word.company_id, version=word.version, now=visit.now())
    await marks.follow(visit, scope)


def _issue(sight: Sight, *, may_see: bool) -> dict[str, Any]:
    person, contact = sight.person, sight.contact
    return {
        "issueId": str(sight.issue_id),
        "reporter": None if person is None else {"accountId": person.account_id, "name": person.name},
        "contact": shape.contact(contact) if contact is not None and may_see else None,
        "company": None if sight.company is None else shape.company_ref(sight.company),
        "companyBy": contact.company_by if contact is not None and may_see else None,
        "syncOn": sight.is_on,
    }
