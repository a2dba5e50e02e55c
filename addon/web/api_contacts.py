"""Contacts as JSON: list, make, read, change, delete, and their history. Rules and SQL are `addon.crm`'s and storage's."""

from http import HTTPStatus

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.company import CompanyId
from addon.crm.contact import ContactId
from addon.storage import contacts, history, searching
from addon.web import body, freshness, marks, shape
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps


def routes(deps: WebDeps) -> list[BaseRoute]:
    one = "/api/contacts/{id}"
    return [
        api("/api/contacts", {"GET": list_contacts, "POST": create_contact}, right=Right.CRM, deps=deps),
        api(one, {"GET": get_contact, "PATCH": edit_contact, "DELETE": delete_contact}, right=Right.CRM, deps=deps),
        api(f"{one}/changes", {"GET": list_changes}, right=Right.CRM, deps=deps),
    ]


def read_search(visit: Visit) -> searching.Search:
    """Raises Invalid."""
    query = body.Query(visit.request)
    company_id = query.row_id("companyId")
    wanted = searching.Search(
        query=query.text("query"),
        linked=query.flag("linked"),
        company_id=None if company_id is None else CompanyId(company_id),
        attention=query.flag("attention") or None,
        sort=query.sort(),
        cursor=query.cursor(),
        limit=query.limit(),
    )
    query.check()
    return wanted


async def list_contacts(visit: Visit) -> Response:
    wanted = read_search(visit)
    async with visit.tenant() as scope:
        found = await searching.search(scope, wanted)
        await freshness.renew(visit, scope, found.items)
    return shape.page(found, shape.contact)


async def create_contact(visit: Visit) -> Response:
    reading = draft.read_new_contact(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        made = await contacts.create(scope, reading, now=visit.now())
        await marks.follow(visit, scope)
    location = f"/api/contacts/{made.contact_id}"
    return JSONResponse(shape.contact(made), HTTPStatus.CREATED, headers={"Location": location})


async def get_contact(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        found = await contacts.fetch(scope, _contact_id(visit))
    return JSONResponse(shape.contact(found))


async def edit_contact(visit: Visit) -> Response:
    contact_id = _contact_id(visit)
    reading = draft.read_contact_edit(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        edited = await contacts.edit(scope, contact_id, reading, now=visit.now())
        await marks.follow(visit, scope)
    return JSONResponse(shape.contact(edited))


async def delete_contact(visit: Visit) -> Response:
    async with visit.tenant() as scope:
        await contacts.delete(scope, _contact_id(visit))
        await marks.follow(visit, scope)
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def list_changes(visit: Visit) -> Response:
    contact_id = _contact_id(visit)
    query = body.Query(visit.request)
    cursor, limit = query.cursor(), query.limit()
    query.check()
    async with visit.tenant() as scope:
        await contacts.fetch(scope, contact_id)
        found = await history.of_contact(scope, contact_id, cursor=cursor, limit=limit)
    return shape.page(found, shape.change)


def _contact_id(visit: Visit) -> ContactId:
    return ContactId(body.path_id(visit.request))
