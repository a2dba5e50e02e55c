"""The hand on a site's issues: how do a test and a page make, change and delete them, and look at one?"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import cloud, errors, hand, site, switches, truth

EDITABLE: switches.Known = {
    "summary": ("summary", str),
    "status": ("status", str),
    "reporterId": ("reporter_id", str | None),
}


async def create(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """`{reporterId, project?, summary?, status?}`; `project` is a desk's id or project key, nobody reports for null."""
    body = await hand.read(request)
    fields = switches.read_fields(body, EDITABLE)
    created = here.create_issue(fields.pop("reporter_id"), project=body.get("project"), **fields)
    return JSONResponse(truth.build_issue(created), status_code=201)


async def show(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    return JSONResponse(truth.build_issue(here.tracker.find(request.path_params["issue"])))


async def edit(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """`{summary?, status?, reporterId?}`."""
    body = await hand.read(request)
    unknown = body.keys() - EDITABLE.keys()
    if unknown:
        raise errors.BadRequest(f"Unknown fields: {', '.join(sorted(unknown))}")
    changed = here.edit_issue(request.path_params["issue"], **switches.read_fields(body, EDITABLE))
    return JSONResponse(truth.build_issue(changed))


async def delete(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    here.delete_issue(request.path_params["issue"])
    return Response(status_code=204)


async def change_project(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """`{locked?, hidden?}`: whether apps may edit the project's issues, and whether they see them at all."""
    body = await hand.read(request)
    key = here.find_desk(request.path_params["project"]).project_key
    for name, projects in (("locked", here.locked_projects), ("hidden", here.hidden_projects)):
        if name in body:
            (projects.add if body[name] else projects.discard)(key)
    return JSONResponse({"key": key, "locked": key in here.locked_projects, "hidden": key in here.hidden_projects})


ENDPOINTS = (
    ("POST", "/sandbox/issues", create),
    ("GET", "/sandbox/issues/{issue}", show),
    ("PATCH", "/sandbox/issues/{issue}", edit),
    ("DELETE", "/sandbox/issues/{issue}", delete),
    ("PATCH", "/sandbox/projects/{project}", change_project),
)
