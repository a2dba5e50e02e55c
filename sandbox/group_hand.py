"""The hand on a site's groups: how does a test make one with members in it, and delete one?"""

import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import cloud, errors, hand, place, site, truth


async def list_all(_: Request, __: cloud.Cloud, here: site.Site) -> Response:
    return JSONResponse({"groups": [truth.build_group(here, each) for each in here.groups.values()]})


async def create(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """`{name, products?, members?}`: whoever is in it is a user of these products."""
    body = await hand.read(request)
    name, products, members = body["name"], body.get("products", []), body.get("members", [])
    if not isinstance(name, str) or not name.strip():
        raise errors.BadRequest("A group needs a name.")
    if any(each.name == name for each in here.groups.values()):
        raise errors.Refusal(f"The group {name!r} exists already.", status=409)
    if not set(products) <= set(site.PRODUCTS):
        raise errors.BadRequest(f"The products are {', '.join(site.PRODUCTS)}.")
    accounts = [here.find_person(each).account_id for each in members]
    created = place.Group(
        group_id=str(uuid.UUID(int=here.dice.getrandbits(128))),
        name=name,
        access=frozenset((product, place.USER_ACCESS) for product in products),
    )
    here.groups[created.group_id] = created
    here.group_members.fill(created.group_id, accounts)
    return JSONResponse(truth.build_group(here, created), status_code=201)


async def delete(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """Its members stay on the site, and in their other groups."""
    wanted = request.path_params["group"]
    if here.groups.pop(wanted, None) is None:
        raise errors.NotFound(f"No group has the id {wanted}.")
    here.group_members.dissolve(wanted)
    return Response(status_code=204)


ENDPOINTS = (
    ("GET", "/sandbox/groups", list_all),
    ("POST", "/sandbox/groups", create),
    ("DELETE", "/sandbox/groups/{group}", delete),
)
