"""What do the issue search and the list of failed webhooks answer? `/search/jql` both ways, its count, `/webhook/failed`."""

import base64
import binascii
import dataclasses
import datetime as dt
import hashlib
import itertools
import json
from typing import Any

from sandbox import errors, issue_search, issue_view, issues, jql, jql_terms, webhooks
from sandbox.call import Answer, Call

DEFAULT_PAGE = 50
IDS_PAGE_CAP = 5000
FIELDS_PAGE_CAP = 100
"""Jira gives fewer issues than asked as soon as there is more to tell than ids; how many is not published."""
TOKEN_LIFETIME = dt.timedelta(days=7)
RECONCILED_CAP = 50
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
    view: issue_view.View
    size: int
    page_token: str | None
    fresh: frozenset[int]


def search_by_query(made: Call) -> Answer:
    """`GET /search/jql`."""
    given = made.parameters
    return _search(
        made,
        _Request(
            text=given["jql"] or "",
            view=issue_view.read_parameters(given, default_fields=()),
            size=DEFAULT_PAGE if given["maxResults"] is None else given["maxResults"],
            page_token=given["nextPageToken"],
            fresh=_read_numbers(given["reconcileIssues"]),
        ),
    )


def search_by_body(made: Call) -> Answer:
    """`POST /search/jql`."""
    body = made.read_json()
    if not isinstance(body, dict) or body.keys() - BODY_FIELDS:
        raise errors.BadRequest("The request body is not a search request.", reason="body")
    text, size, token = body.get("jql", ""), body.get("maxResults", DEFAULT_PAGE), body.get("nextPageToken")
    if (
        not isinstance(text, str)
        or not isinstance(size, int)
        or isinstance(size, bool)
        or not isinstance(token, str | None)
    ):
        raise errors.BadRequest("The request body is not a search request.", reason="body")
    return _search(
        made,
        _Request(
            text=text,
            view=issue_view.read_body(body, default_fields=()),
            size=size,
            page_token=token,
            fresh=_read_numbers(body.get("reconcileIssues", [])),
        ),
    )


def count(made: Call) -> Answer:
    """`POST /search/approximate-count`; here the number is exact, but for what the search does not know yet."""
    body = made.read_json()
    if not isinstance(body, dict) or not isinstance(body.get("jql"), str) or body.keys() - {"jql"}:
        raise errors.BadRequest("The request body is not a query.", reason="body")
    found = issue_search.run(made.site, prepare(made, body["jql"]), now=made.now, sees=made.may_see)
    return Answer(body={"count": sum(1 for _ in found)})


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


def _search(made: Call, asked: _Request) -> Answer:
    if asked.size < 1:
        raise errors.BadRequest("maxResults must be positive.", reason="page-size")
    if len(asked.fresh) > RECONCILED_CAP:
        raise errors.BadRequest(f"At most {RECONCILED_CAP} issues can be reconciled.", reason="reconcile")
    search = prepare(made, asked.text)
    fingerprint = hashlib.sha256(asked.text.encode()).hexdigest()
    after = None if asked.page_token is None else _read_token(made, asked.page_token, search.part.order, fingerprint)
    cap = IDS_PAGE_CAP if asked.view.is_bare else FIELDS_PAGE_CAP
    size = min(asked.size, cap, made.site.faults.page_size or cap)
    found = issue_search.run(made.site, search, now=made.now, sees=made.may_see, after=after, fresh=asked.fresh)
    page = list(itertools.islice(found, size + 1))
    shown = page[:size]
    body: dict[str, Any] = {
        "issues": [issue_view.build(made, each, asked.view) for each in shown],
        "isLast": len(page) == len(shown),
    }
    if not body["isLast"]:
        body["nextPageToken"] = _write_token(made, shown[-1].place(search.part.order), fingerprint)
    return Answer(body=body)


def _read_numbers(found: object) -> frozenset[int]:
    if not isinstance(found, list) or not all(str(each).isdecimal() for each in found):
        raise errors.BadRequest("reconcileIssues must be issue ids.", reason="reconcile")
    return frozenset(int(each) for each in found)


def prepare(made: Call, text: str) -> jql_terms.Search:
    """Raises BadRequest."""
    try:
        return issue_search.prepare(made.site, text, now=made.now, sees=made.may_see)
    except jql.JqlError as exc:
        raise errors.BadRequest(str(exc), reason="jql") from exc


def _write_token(made: Call, place: issues.Place, fingerprint: str) -> str:
    at, number = place
    shown = at.isoformat() if isinstance(at, dt.datetime) else at
    return base64.urlsafe_b64encode(json.dumps([shown, number, fingerprint, made.now.timestamp()]).encode()).decode()


def _read_token(made: Call, token: str, order: issues.Order, fingerprint: str) -> issues.Place:
    """Raises BadRequest for a token that is none or too old, or that another query was given."""
    try:
        at, number, made_for, made_at = json.loads(base64.urlsafe_b64decode(token))
        place = at if order == "key" else dt.datetime.fromisoformat(at), int(number)
        age = dt.timedelta(seconds=made.now.timestamp() - made_at)
    except (binascii.Error, ValueError, TypeError) as exc:
        raise errors.BadRequest("The nextPageToken is invalid.", reason="page-token") from exc
    if made_for != fingerprint:
        raise errors.BadRequest("The nextPageToken belongs to another query.", reason="page-token")
    if age > TOKEN_LIFETIME or made.site.faults.page_tokens_expire:
        raise errors.BadRequest("The nextPageToken has expired.", reason="page-token")
    return place


HANDLERS = {
    "searchAndReconsileIssuesUsingJql": search_by_query,
    "searchAndReconsileIssuesUsingJqlPost": search_by_body,
    "countIssues": count,
    "getFailedWebhooks": list_failed_webhooks,
}
