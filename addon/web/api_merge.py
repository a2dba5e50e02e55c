"""Two contacts of one person become one, as JSON (D5). For administrators; the rules are `addon.crm.merge`'s."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from addon.crm import draft
from addon.crm.contact import ContactId
from addon.errors import FieldProblem, Invalid
from addon.storage import merging
from addon.web import body, shape
from addon.web.auth import Right, Visit, api
from addon.web.deps import WebDeps

FIELD = "intoContactId"


def routes(deps: WebDeps) -> list[BaseRoute]:
    return [api("/api/contacts/{id}/merge", {"POST": merge_contact}, right=Right.ADMIN, deps=deps)]


async def merge_contact(visit: Visit) -> Response:
    """The contact that is left."""
    contact_id = ContactId(body.path_id(visit.request))
    into = read_target(await body.read_json(visit.request))
    async with visit.tenant() as scope:
        kept = await merging.merge(scope, contact_id, into, now=visit.now())
    return JSONResponse(shape.contact(kept))


def read_target(sent: Mapping[str, object]) -> ContactId:
    """Raises Invalid."""
    problems = [FieldProblem(field=name, problem="is not known here") for name in sent if name != FIELD]
    into = draft.read_id(sent.get(FIELD))
    if into is None:
        problems.append(FieldProblem(field=FIELD, problem="must be the id of a contact"))
    if problems or into is None:
        raise Invalid(problems)
    return ContactId(into)
