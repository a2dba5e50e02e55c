"""The hand on a site's organizations: how do a test and a page make, rename and delete them, and move their members?"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import cloud, errors, hand, place, site, truth


async def list_all(_: Request, __: cloud.Cloud, here: site.Site) -> Response:
    return JSONResponse(
        {"organizations": [truth.build_organization(here, each) for each in here.organizations.values()]}
    )


async def create(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """`{name, desks?, members?}`."""
    body = await hand.read(request)
    created = here.create_organization(
        str(body["name"]), desk_ids=body.get("desks", []), members=body.get("members", [])
    )
    return JSONResponse(truth.build_organization(here, created), status_code=201)


async def show(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    return JSONResponse(truth.build_organization(here, _find(request, here)))


async def rename(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """`{name}`."""
    body = await hand.read(request)
    renamed = here.rename_organization(_find(request, here).organization_id, str(body["name"]))
    return JSONResponse(truth.build_organization(here, renamed))


async def delete(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    here.delete_organization(_find(request, here).organization_id)
    return Response(status_code=204)


async def add_member(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    here.add_to_organization(_find(request, here).organization_id, request.path_params["account_id"])
    return Response(status_code=204)


async def remove_member(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    here.remove_from_organization(_find(request, here).organization_id, request.path_params["account_id"])
    return Response(status_code=204)


def _find(request: Request, here: site.Site) -> place.Organization:
    wanted = request.path_params["organization"]
    found = here.organizations.get(wanted)
    if found is None:
        raise errors.NotFound(f"No organization has the id {wanted}.")
    return found


ENDPOINTS = (
    ("GET", "/sandbox/organizations", list_all),
    ("POST", "/sandbox/organizations", create),
    ("GET", "/sandbox/organizations/{organization}", show),
    ("PATCH", "/sandbox/organizations/{organization}", rename),
    ("DELETE", "/sandbox/organizations/{organization}", delete),
    ("PUT", "/sandbox/organizations/{organization}/members/{account_id}", add_member),
    ("DELETE", "/sandbox/organizations/{organization}/members/{account_id}", remove_member),
)
