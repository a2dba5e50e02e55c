"""Two contacts of one person become one (D5), and two records of one company, as JSON.

Contacts are merged by administrators alone. The rules are `addon.crm.merge`'s and storage's.
"""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.errors import FieldProblem, Invalid
from addon.storage import company_merging, merging
from addon.web import body, marks, shape
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

INTO_CONTACT, INTO_COMPANY = "intoContactId", "intoCompanyId"


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [
        api("/api/contacts/{id}/merge", {"POST": merge_contact}, right=Right.ADMIN, deps=deps),
        api("/api/companies/{id}/merge", {"POST": merge_company}, right=Right.CRM, deps=deps),
    ]


async def merge_contact(visit: Visit) -> Response:
    """The contact that is left."""
    contact_id = ContactId(body.path_id(visit.request))
    into = read_contact(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        kept = await merging.merge(scope, contact_id, into, now=visit.now())
        await marks.follow(visit, scope)
    return JSONResponse(shape.contact(kept))


async def merge_company(visit: Visit) -> Response:
    """The company that is left."""
    company_id = CompanyId(body.path_id(visit.request))
    into = read_company(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        kept = await company_merging.merge(scope, company_id, into, now=visit.now())
        await marks.follow(visit, scope)
    return JSONResponse(shape.company(kept))


def read_contact(sent: Mapping[str, object]) -> ContactId:
    """Raises Invalid."""
    return ContactId(_read_target(sent, INTO_CONTACT, "must be the id of a contact"))


def read_company(sent: Mapping[str, object]) -> CompanyId:
    """Raises Invalid."""
    return CompanyId(_read_target(sent, INTO_COMPANY, "must be the id of a company"))


def _read_target(sent: Mapping[str, object], field: str, otherwise: str) -> int:
    problems = [FieldProblem(field=name, problem="is not known here") for name in sent if name != field]
    into = draft.read_id(sent.get(field))
    if into is None:
        problems.append(FieldProblem(field=field, problem=otherwise))
    if problems or into is None:
        raise Invalid(problems)
    return into
