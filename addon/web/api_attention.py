"""*Needs attention* as JSON: what waits for an administrator, and what they say to it. Decides nothing itself."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyId
from addon.crm.contact import Contact, ContactId
from addon.errors import FieldProblem, Invalid
from addon.storage import attention, choice
from addon.storage.attention import Item, Subject
from addon.storage.choice import Choice
from addon.web import body, marks, shape
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

FIELDS = ("action", "contactId", "companyId")


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [
        api("/api/attention", {"GET": list_attention}, right=Right.ADMIN, deps=deps),
        api("/api/attention/{id}", {"POST": decide}, right=Right.ADMIN, deps=deps),
    ]


async def list_attention(visit: Visit) -> Response:
    query = body.Query(visit.request)
    cursor, limit = query.cursor(), query.limit()
    query.check()
    async with visit.tenant() as scope:
        found = await attention.page(scope, cursor=cursor, limit=limit)
        candidates = await attention.candidates(scope, found.items)
    return shape.page(found, lambda item: write_item(item, candidates))


async def decide(visit: Visit) -> Response:
    """204 once it is done; 202 for a confirmed unlinking, which goes on in the background."""
    attention_id = body.path_id(visit.request)
    said = read_choice(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        await choice.carry_out(scope, attention_id, said, enqueue=visit.deps.enqueue, now=visit.now())
        await marks.follow(visit, scope)
    if said.action == "confirm":
        return JSONResponse({"id": str(attention_id)}, HTTPStatus.ACCEPTED)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def read_choice(sent: Mapping[str, object]) -> Choice:
    """Raises Invalid."""
    problems = [FieldProblem(field=field, problem="is not known here") for field in sent if field not in FIELDS]
    action = next((known for known in choice.ACTIONS if known == sent.get("action")), None)
    if action is None:
        problems.append(FieldProblem(field="action", problem=f"must be one of {', '.join(choice.ACTIONS)}"))
    contact_id, company_id = draft.read_id(sent.get("contactId")), draft.read_id(sent.get("companyId"))
    if company_id is None and sent.get("companyId") is not None:
        problems.append(FieldProblem(field="companyId", problem="must be the id of a company"))
    elif action == "link" and contact_id is None and company_id is None:
        problems.append(FieldProblem(field="contactId", problem="must be the id of a candidate"))
    if problems or action is None:
        raise Invalid(problems)
    return Choice(
        action=action,
        contact_id=None if contact_id is None else ContactId(contact_id),
        company_id=None if company_id is None else CompanyId(company_id),
    )


def write_item(item: Item, candidates: Mapping[ContactId, Contact]) -> shape.Json:
    return {
        "id": str(item.attention_id),
        "kind": item.kind,
        "account": None if item.account is None else write_subject(item.account),
        "candidates": [shape.contact(candidates[i]) for i in item.candidates if i in candidates],
        "companies": [shape.company_ref(company) for company in item.companies],
        "since": shape.moment(item.since),
    }


def write_subject(subject: Subject) -> shape.Json:
    """An Account; without a link, what is said of the link is null."""
    return {
        "accountId": subject.account_id,
        "displayName": subject.display_name,
        "kind": subject.kind,
        "active": subject.active,
        "emailState": subject.email_state,
        "linkedBy": subject.linked_by,
        "linkedAt": None if subject.linked_at is None else shape.moment(subject.linked_at),
        "checkedAt": shape.moment(subject.checked_at),
    }
