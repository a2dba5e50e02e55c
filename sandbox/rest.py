"""How does a REST call get its answer? Faults, then the documented operation, the caller, the scope, the parameters.

The operations themselves are in `groups`, `users`, `jsm`, `searching`, `issue_view`, `issue_properties` and their like; here is only the way to them.
"""

import asyncio
import collections.abc
import dataclasses
import datetime as dt
import http
import urllib.parse

from starlette import requests, responses

from sandbox import (
    auth,
    bulk_properties,
    call,
    cloud,
    errors,
    faults,
    groups,
    issue_properties,
    issue_view,
    jsm,
    limits,
    metering,
    operations,
    permissions,
    properties,
    searching,
    severing,
    site,
    users,
    viewer,
)

BUILD_NUMBER = 100295
GARBAGE_TYPE = "text/html;charset=UTF-8"

COOKIE = "atlassian.xsrf.token"
# Jira sets it on every answer. Cookies know no ports: a client that keeps it brings it to the next site of this host, as it
# brings a cookie of the domain `.atlassian.net` to everybody's site there.


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


def refuse_unserved(_: call.Call) -> call.Answer:
    """Documented, and so checked as every call is, but not built here: no 404, which would say something of the site."""
    raise errors.Refusal(
        "The sandbox does not serve this operation.", status=http.HTTPStatus.NOT_IMPLEMENTED, reason="not-served"
    )


HANDLERS: collections.abc.Mapping[str, call.Handler] = {
    "getServerInfo": get_server_info,
    **groups.HANDLERS,
    **users.HANDLERS,
    **permissions.HANDLERS,
    **properties.HANDLERS,
    **jsm.HANDLERS,
    **searching.HANDLERS,
    **issue_view.HANDLERS,
    **issue_properties.HANDLERS,
    **bulk_properties.HANDLERS,
}


async def answer(request: requests.Request, of_cloud: cloud.Cloud, of_site: site.Site) -> responses.Response:
    """The site's answer to anything below `/rest`."""
    path = request.scope["raw_path"].decode("ascii")
    present = of_site.faults
    if present.delay_s:
        await asyncio.sleep(present.delay_s)
    interruption = present.interrupt(path)
    if interruption is None and of_site.dice.random() < present.error_share:
        interruption = faults.Interruption(path_prefix=path, status=of_site.dice.choice(faults.ERROR_STATUSES))
    if interruption is not None:
        return _interrupt(path, interruption, of_site)
    answered = await _answer_truly(request, path, of_cloud, of_site)
    answered.set_cookie(COOKIE, of_site.cloud_id)
    return severing.SeveredResponse(answered) if of_site.dice.random() < present.cut_share else answered


async def _answer_truly(
    request: requests.Request, path: str, of_cloud: cloud.Cloud, of_site: site.Site
) -> responses.Response:
    body = await request.body()
    try:
        answered = _carry_out(request, path, body, of_cloud, of_site)
    except errors.Refusal as refusal:
        return responses.JSONResponse(
            errors.build_body(path, refusal.status, refusal.message),
            status_code=refusal.status,
            headers={**refusal.headers, **({"X-Sandbox-Reason": refusal.reason} if refusal.reason else {})},
        )
    if answered.body is None:
        return responses.Response(status_code=answered.status, headers=answered.headers)
    return responses.JSONResponse(answered.body, status_code=answered.status, headers=answered.headers)


def _carry_out(
    request: requests.Request, path: str, body: bytes, of_cloud: cloud.Cloud, of_site: site.Site
) -> call.Answer:
    matched = operations.load_catalogue().find(request.method, path)
    if matched is None:
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
    now = of_cloud.now()
    caller = auth.authenticate(asked, of_site, now)
    if caller.app is not None and "cookie" in request.headers:
        raise errors.BadRequest("An app proves itself by its token, and brings no cookie.", reason="cookie")
    tab = None if caller.app is None else _Tab(cloud=of_cloud, site=of_site, addon_key=caller.app.addon_key, now=now)
    if tab is not None:
        tab.admit(matched.operation)
    try:
        auth.authorize(caller, matched.operation, asked, of_site)
        answered = HANDLERS.get(matched.operation.operation_id, refuse_unserved)(
            call.Call(
                site=of_site,
                caller=caller,
                path=path,
                query=query,
                parameters=operations.parse_parameters(matched, query),
                headers=request.headers,
                body=body,
                now=now,
            )
        )
    except errors.Refusal as refusal:
        if tab is not None:
            refusal.headers.update(tab.charge(metering.REQUEST))
        raise
    if tab is None:
        return answered
    charged = tab.charge(metering.price(matched.operation.operation_id, answered.body))
    return dataclasses.replace(answered, headers={**answered.headers, **charged})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Tab:
    """What one call of an app is charged to."""

    cloud: cloud.Cloud
    site: site.Site
    addon_key: str
    now: dt.datetime

    def admit(self, operation: operations.Operation) -> None:
        """Raises Refusal, which costs nothing, for a call over a limit."""
        exhausted = limits.find_exhausted(
            self.addon_key,
            here=self.site.meter,
            quota_here=self.site.faults.quota_per_hour,
            everywhere=self.cloud.meter,
            quota_everywhere=self.cloud.quota_per_hour,
            now=self.now,
        )
        if exhausted is not None:
            limit, quota = exhausted
            raise limits.turn_away(limit, now=self.now, quota=quota)
        is_enforced = self.site.faults.enforce_bursts
        if is_enforced and not self.site.bursts.admit(operation.operation_id, operation.method, self.now):
            raise limits.turn_away(faults.Limit.BURST, now=self.now)

    def charge(self, points: int) -> dict[str, str]:
        """The headers that say what is left."""
        self.site.meter.charge(self.addon_key, points, self.now)
        self.cloud.meter.charge(self.addon_key, points, self.now)
        for limit, quota, meter in (
            (faults.Limit.TENANT_QUOTA, self.site.faults.quota_per_hour, self.site.meter),
            (faults.Limit.GLOBAL_QUOTA, self.cloud.quota_per_hour, self.cloud.meter),
        ):
            if quota is not None:
                return limits.build_remaining(limit, quota, meter.spent(self.addon_key, self.now), self.now)
        return {}


def _find_viewer_id(request: requests.Request, of_site: site.Site) -> str:
    """Whom the cookie of the site's own pages names; nobody is logged in without one."""
    choice = urllib.parse.unquote(request.cookies.get(viewer.cookie_name(of_site), ""))
    chosen = viewer.find_choice(of_site, choice) if choice else None
    return "" if chosen is None else chosen.account_id


def _interrupt(path: str, interruption: faults.Interruption, of_site: site.Site) -> responses.Response:
    """Marked, so that whoever checks answers against the documents knows that this one is wrong on purpose."""
    headers = {"X-Sandbox-Fault": "interruption"}
    if interruption.limit is not None:
        refusal = limits.build_refusal(
            interruption.limit,
            now=of_site.now(),
            quota=of_site.faults.quota_per_hour,
            pause_s=interruption.retry_after_s,
        )
        body = errors.build_body(path, http.HTTPStatus.TOO_MANY_REQUESTS, "Rate limit exceeded.")
        return responses.JSONResponse(body, http.HTTPStatus.TOO_MANY_REQUESTS, {**headers, **refusal})
    if interruption.retry_after_s is not None:
        headers["Retry-After"] = str(interruption.retry_after_s)
    if interruption.body is not None:
        return responses.Response(interruption.body, interruption.status, headers, GARBAGE_TYPE)
    refused = errors.build_body(path, interruption.status, "Something went wrong on this site.")
    return responses.JSONResponse(refused, interruption.status, headers)
