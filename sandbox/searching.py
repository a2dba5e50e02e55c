"""What do the issue search and the list of failed webhooks answer? `/search/jql` both ways, and `/webhook/failed`."""

import base64
import binascii
import collections.abc
import dataclasses
import datetime as dt
import hashlib
import itertools
import json
from typing import Any

from sandbox import errors, issues, jql, records, webhooks
from sandbox.call import Answer, Call

DEFAULT_PAGE = 50
IDS_PAGE_CAP = 5000
FIELDS_PAGE_CAP = 100
"""Jira gives fewer issues than asked as soon as there is more to tell than ids; how many is not published."""
ALL_FIELDS = frozenset({"*all", "*navigable"})
BODY_FIELDS = frozenset(
    {
        "expand",
        "fields",
        "fieldsByKeys",
        "includeArchivedProjects",
        "jql",
        "maxResults",
        "nextPageToken",
        "properties",
        "reconcileIssues",
    }
)
FAILED_PAGE_CAP = 100


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """Both ways of asking, in one form."""

    text: str
    fields: tuple[str, ...]
    size: int
    page_token: str | None


def search_by_query(made: Call) -> Answer:
    """`GET /search/jql`."""
    given = made.parameters
    # Fields may be listed in one parameter or in several.
    fields = [name for each in given["fields"] for name in each.split(",") if name]
    return _search(made, given["jql"], fields, given["maxResults"], given["nextPageToken"])


def search_by_body(made: Call) -> Answer:
    """`POST /search/jql`."""
    body = made.read_json()
    if not isinstance(body, dict) or body.keys() - BODY_FIELDS:
        raise errors.BadRequest("The request body is not a search request.", reason="body")
    fields, size, token = body.get("fields", []), body.get("maxResults", DEFAULT_PAGE), body.get("nextPageToken")
    if (
        not isinstance(fields, list)
        or not all(isinstance(name, str) for name in fields)
        or not isinstance(size, int)
        or not isinstance(body.get("jql", ""), str)
        or not isinstance(token, str | None)
    ):
        raise errors.BadRequest("The request body is not a search request.", reason="body")
    return _search(made, body.get("jql"), fields, size, token)


def list_failed_webhooks(made: Call) -> Answer:
    """`GET /webhook/failed`: the app's own, oldest first. `next` stays good for what fails later."""
    app = made.caller.app
    if app is None:
        raise errors.NotAllowed("Only apps may use this resource.", reason="apps-only")
    size = made.parameters["maxResults"] or FAILED_PAGE_CAP
    after_ms = made.parameters["after"] or 0
    if size < 1:
        raise errors.BadRequest("maxResults must be positive.", reason="page-size")
    found = webhooks.list_failed(made.site, app.addon_key, after_ms=after_ms, now=made.now)
    page = found[: min(size, FAILED_PAGE_CAP)]
    body: dict[str, Any] = {
        "values": [
            {"id": each.identifier, "body": each.body, "url": each.url, "failureTime": webhooks.failure_time(each)}
            for each in page
        ],
        "maxResults": min(size, FAILED_PAGE_CAP),
    }
    if page:
        last = webhooks.failure_time(page[-1])
        body["next"] = f"{made.site.base_url}{made.path}?after={last}&maxResults={body['maxResults']}"
    return Answer(body=body)


def _search(
    made: Call, text: str | None, fields: collections.abc.Sequence[str], size: int, token: str | None
) -> Answer:
    if size < 1:
        raise errors.BadRequest("maxResults must be positive.", reason="page-size")
    try:
        query = jql.parse(text or "", made.now)
    except jql.JqlError as exc:
        raise errors.BadRequest(str(exc), reason="jql") from exc
    _check_projects(made, query)
    wanted = frozenset(fields) - {"id"}
    cap = FIELDS_PAGE_CAP if wanted else IDS_PAGE_CAP
    fingerprint = hashlib.sha256((text or "").encode()).hexdigest()
    after = None if token is None else _read_token(token, fingerprint)
    found = made.site.issues.walk(query.order_by, since=query.since, after=after, descending=query.descending)
    page = list(itertools.islice(filter(query.holds, found), min(size, cap) + 1))
    shown = page[: min(size, cap)]
    body: dict[str, Any] = {
        "issues": [_build_issue(made, each, wanted) for each in shown],
        "isLast": len(page) == len(shown),
    }
    if not body["isLast"]:
        body["nextPageToken"] = _write_token(shown[-1].place(query.order_by), fingerprint)
    return Answer(body=body)


def _check_projects(made: Call, query: jql.Query) -> None:
    known = {name for desk in made.site.desks.values() for name in (desk.project_key.casefold(), desk.project_id)}
    for value in query.projects:
        if value.casefold() not in known:
            raise errors.BadRequest(f"The value '{value}' does not exist for the field 'project'.", reason="jql")


def _build_issue(made: Call, issue: issues.Issue, wanted: frozenset[str]) -> dict[str, Any]:
    if not wanted:
        return {"id": issue.issue_id}
    fields = records.build_issue_fields(made.site, issue)
    return {
        "id": issue.issue_id,
        "key": issue.key,
        "self": f"{made.site.base_url}/rest/api/3/issue/{issue.issue_id}",
        "fields": fields if wanted & ALL_FIELDS else {name: fields[name] for name in wanted & fields.keys()},
    }


def _write_token(place: issues.Place, fingerprint: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([place[0].isoformat(), place[1], fingerprint]).encode()).decode()


def _read_token(token: str, fingerprint: str) -> issues.Place:
    """Raises BadRequest for a token that is none, or that another query was given."""
    try:
        moment, number, made_for = json.loads(base64.urlsafe_b64decode(token))
        place = dt.datetime.fromisoformat(moment), int(number)
    except (binascii.Error, ValueError, TypeError) as exc:
        raise errors.BadRequest("The nextPageToken is invalid.", reason="page-token") from exc
    if made_for != fingerprint:
        raise errors.BadRequest("The nextPageToken belongs to another query.", reason="page-token")
    return place


HANDLERS = {
    "searchAndReconsileIssuesUsingJql": search_by_query,
    "searchAndReconsileIssuesUsingJqlPost": search_by_body,
    "getFailedWebhooks": list_failed_webhooks,
}
