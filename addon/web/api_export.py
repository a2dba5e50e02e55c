"""The contacts of a search as one sheet (CSV), however many. Its columns are those that an import understands."""

import json
from collections.abc import AsyncIterator, Collection, Sequence

from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from addon.crm import columns
from addon.crm.contact import Contact
from addon.storage import export, searching
from addon.web import api_contacts, shape, sheet
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

COLUMNS = ("id", "name", "email", "phone", "jobTitle", "company", "origin", "syncedJiraUser", "createdAt", "updatedAt")
REST = "attributes"
"""Holds as JSON what has no column of its own."""


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [api("/api/export/contacts.csv", {"GET": export_contacts}, right=Right.CRM, deps=deps)]


async def export_contacts(visit: Visit) -> Response:
    """The filters are those of the list, and so is the order; `limit` and `cursor` say nothing here."""
    wanted = api_contacts.read_search(visit)
    async with visit.tenant() as scope:
        names = await export.attribute_names(scope)
    return StreamingResponse(
        _write(visit, wanted, names),
        media_type=sheet.MEDIA_TYPE,
        headers={"Content-Disposition": 'attachment; filename="contacts.csv"'},
    )


async def _write(visit: Visit, wanted: searching.Search, names: Sequence[str]) -> AsyncIterator[str]:
    yield sheet.header((*COLUMNS, *(f"{columns.ATTRIBUTE}{name}" for name in names), REST))
    known = frozenset(names)
    async for part in export.parts(visit.tenant, wanted):
        yield "".join(sheet.line(_cells(contact, names, known)) for contact in part)


def _cells(contact: Contact, names: Sequence[str], known: Collection[str]) -> list[str | None]:
    user, company = contact.synced_jira_user, contact.company
    rest = {name: value for name, value in contact.attributes.items() if name not in known}
    return [
        str(contact.contact_id),
        contact.name,
        contact.email,
        contact.phone,
        contact.job_title,
        None if company is None else company.name,
        contact.origin,
        None if user is None else user.account_id,
        shape.moment(contact.created_at),
        shape.moment(contact.updated_at),
        *(contact.attributes.get(name) for name in names),
        json.dumps(rest, ensure_ascii=False) if rest else None,
    ]
