"""How does a REST call get its answer? Faults, then the documented operation, the caller, the scope, the parameters.

The operations themselves are in `groups`, `users`, `permissions`, `properties` and `jsm`; here is only the way to them.
"""

import collections.abc
import urllib.parse

from starlette import requests, responses

from sandbox import (
    auth,
    call,
    cloud,
    errors,
    faults,
    groups,
    jsm,
    operations,
    permissions,
    properties,
    site,
    users,
    viewer,
)

BUILD_NUMBER = 100295
GARBAGE_TYPE = "text/html;charset=UTF-8"


def get_server_info(made: call.Call) -> call.Answer:
    return call.Answer(
        body={
            "baseUrl": made.site.base_url,
            "displayUrl": made.site.base_url,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": "Cloud",
            "buildNumber": BUILD_NUMBER,
            "buildDate": "2026-11-01T00:00:00.000+00:00",
            "serverTime": made.now.isoformat(timespec="milliseconds"),
            "serverTitle": "Jira",
            "serverTimeZone": "Etc/UTC",
        }
    )


HANDLERS: collections.abc.Mapping[str, call.Handler] = {
    "getServerInfo": get_server_info,
    **groups.HANDLERS,
    **users.HANDLERS,
    **permissions.HANDLERS,
    **properties.HANDLERS,
    **jsm.HANDLERS,
}


async def answer(request: requests.Request, of_cloud: cloud.Cloud, of_site: site.Site) -> responses.Response:
    """The site's answer to anything below `/rest`."""
    path = request.scope["raw_path"].decode("ascii")
    interruption = of_site.faults.interrupt(path)
    if interruption is not None:
        return _interrupt(path, interruption)
    body = await request.body()
    try:
        answered = _carry_out(request, path, body, of_cloud, of_site)
    except errors.Refusal as refusal:
        return responses.JSONResponse(
            errors.build_body(path, refusal.status, refusal.message),
            status_code=refusal.status,
            headers={"X-Sandbox-Reason": refusal.reason} if refusal.reason else None,
        )
    if answered.body is None:
        return responses.Response(status_code=answered.status)
    return responses.JSONResponse(answered.body, status_code=answered.status)


def _carry_out(
    request: requests.Request, path: str, body: bytes, of_cloud: cloud.Cloud, of_site: site.Site
) -> call.Answer:
    matched = operations.load_catalogue().find(request.method, path)
    handler = None if matched is None else HANDLERS.get(matched.operation.operation_id)
    if matched is None or handler is None:
        raise errors.NotFound(f"No operation {request.method} {path}.", reason="no-operation")
    query = request.scope["query_string"].decode("latin-1")
    authorization = request.headers.get("authorization", "")
    asked = auth.Request(
        method=request.method,
        path=path,
        query=query,
        authorization=authorization,
        has_body=bool(body),
        viewer_id="" if authorization else _find_viewer_id(request, of_site),
    )
    caller = auth.authenticate(asked, of_site, of_cloud.now())
    auth.authorize(caller, matched.operation, asked, of_site)
    return handler(
        call.Call(
            site=of_site,
            caller=caller,
            path=path,
            query=query,
            parameters=operations.parse_parameters(matched, query),
            headers=request.headers,
            body=body,
            now=of_cloud.now(),
        )
    )


def _find_viewer_id(request: requests.Request, of_site: site.Site) -> str:
    """Whom the cookie of the site's own pages names; nobody is logged in without one."""
    choice = urllib.parse.unquote(request.cookies.get(viewer.cookie_name(of_site), ""))
    chosen = viewer.find_choice(of_site, choice) if choice else None
    return "" if chosen is None else chosen.account_id


def _interrupt(path: str, interruption: faults.Interruption) -> responses.Response:
    """Marked, so that whoever checks answers against the documents knows that this one is wrong on purpose."""
    headers = {"X-Sandbox-Fault": "interruption"}
    if interruption.retry_after_s is not None:
        headers["Retry-After"] = str(interruption.retry_after_s)
    if interruption.body is not None:
        return responses.Response(interruption.body, interruption.status, headers, GARBAGE_TYPE)
    refused = errors.build_body(path, interruption.status, "Something went wrong on this site.")
    return responses.JSONResponse(refused, interruption.status, headers)
