"""How does a call to the hand on a site look? JSON in and out, and plain words for what was wrong with it."""

import collections.abc
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import cloud, errors, payload, site, tracker

Handler = collections.abc.Callable[[Request, cloud.Cloud, site.Site], collections.abc.Awaitable[Response]]


def answering(handle: Handler) -> Handler:
    """Says what was wrong with a call instead of failing."""

    async def guarded(request: Request, of_cloud: cloud.Cloud, here: site.Site) -> Response:
        try:
            return await handle(request, of_cloud, here)
        except errors.Refusal as refusal:
            return JSONResponse({"error": refusal.message}, status_code=refusal.status)
        except site.UnknownPersonError as exc:
            return JSONResponse({"error": f"Nobody has the id {exc}."}, status_code=404)
        except tracker.UnknownIssueError as exc:
            return JSONResponse({"error": f"No issue is {exc}."}, status_code=404)
        except (KeyError, TypeError, ValueError) as exc:
            return JSONResponse({"error": f"Not understood: {exc}"}, status_code=400)

    return guarded


async def read(request: Request) -> dict[str, Any]:
    """The body; an empty one is an empty object. Raises BadRequest, and ValueError for what is no JSON."""
    body = await request.body()
    found = payload.read(body) if body else {}
    if not isinstance(found, dict):
        raise errors.BadRequest("The body must be a JSON object.")
    return found
