"""Companies as JSON: list, make, read, change, delete. Rules and SQL are `addon.crm`'s and storage's."""

from http import HTTPStatus

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyId
from addon.storage import companies
from addon.web import body, marks, shape
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps


def routes(deps: WebDeps) -> list[BaseRoute]:
    many, one = "/api/companies", "/api/companies/{id}"
    return [
        api(many, {"GET": list_companies, "POST": create_company}, right=Right.CRM, deps=deps),
        api(one, {"GET": get_company, "PATCH": edit_company, "DELETE": delete_company}, right=Right.CRM, deps=deps),
    ]


def read_search(visit: Visit) -> companies.Search:
    """Raises Invalid."""
    query = body.Query(visit.request)
    wanted = companies.Search(query=query.text("query"), sort=query.sort(), cursor=query.cursor(), limit=query.limit())
    query.check()
    return wanted


async def list_companies(visit: Visit) -> Response:
    wanted = read_search(visit)
    async with visit.tenant() as scope:
        found = await companies.search(scope, wanted)
    return shape.page(found, shape.company)


async def create_company(visit: Visit) -> Response:
    reading = draft.read_new_company(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        made = await companies.create(scope, reading, now=visit.now())
        await marks.follow(visit, scope)
    location = f"/api/companies/{made.company_id}"
    return JSONResponse(shape.company(made), HTTPStatus.CREATED, headers={"Location": location})


async def get_company(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        found = await companies.fetch(scope, _company_id(visit))
    return JSONResponse(shape.company(found))


async def edit_company(visit: Visit) -> Response:
    company_id = _company_id(visit)
    reading = draft.read_company_edit(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        edited = await companies.edit(scope, company_id, reading, now=visit.now())
        await marks.follow(visit, scope)
    return JSONResponse(shape.company(edited))


async def delete_company(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await companies.delete(scope, _company_id(visit), now=visit.now())
        await marks.follow(visit, scope)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _company_id(visit: Visit) -> CompanyId:
    return CompanyId(body.path_id(visit.request))
