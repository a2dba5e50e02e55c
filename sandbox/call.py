"""What does a handler get, and what does it give back? The border between HTTP and what the site knows."""

import collections.abc
import dataclasses
import datetime as dt
import http
from typing import Any

from sandbox import auth, errors, faults, issues, limits, operations, payload, person, site

TRACE_HEADER = "x-atlassian-webhook-trace"
MAX_TRACE_CHARS = 1024
JSON = "application/json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An authenticated and allowed call; `parameters` are typed, `headers` have lower-case names, `now` is aware UTC."""

    site: site.Site
    caller: auth.Caller
    path: str
    query: str
    parameters: operations.Parameters
    headers: collections.abc.Mapping[str, str]
    body: bytes
    now: dt.datetime

    @property
    def may_browse(self) -> bool:
        """Whether the caller has *Browse users and groups*; without it, people lists are empty, not refused."""
        if self.caller.app is not None:
            return not self.site.faults.no_browse_permission
        return self.caller.person.kind is person.PersonKind.USER

    @property
    def may_administer(self) -> bool:
        if self.caller.app is not None:
            return "ADMIN" in self.caller.app.scopes
        return self.site.is_admin(self.caller.person.account_id)

    @property
    def trace(self) -> str | None:
        """What the app wants to find on the webhooks of what this call does; Jira drops what it does not take."""
        given = self.headers.get(TRACE_HEADER)
        if self.caller.app is None or given is None or not given.isascii() or len(given) > MAX_TRACE_CHARS:
            return None
        return given

    def may_see(self, issue: issues.Issue) -> bool:
        """*Browse projects*: agents have it everywhere, customers nowhere, apps where it was not taken from them."""
        if self.caller.app is not None:
            return issue.project_key not in self.site.hidden_projects
        return self.caller.person.kind is person.PersonKind.USER

    def may_edit(self, issue: issues.Issue) -> bool:
        if self.caller.app is not None and issue.project_key in self.site.locked_projects:
            return False
        return self.may_see(issue)

    def find_issue(self) -> issues.Issue:
        """The issue that the path names. Raises NotFound for one that is not there or that the caller may not see."""
        found = self.site.issues.find(self.parameters["issueIdOrKey"])
        if found is None or not self.may_see(found):
            raise errors.NotFound("Issue does not exist or you do not have permission to see it.", reason="no-issue")
        return found

    def count_write(self, issue: issues.Issue) -> None:
        """Raises Refusal, a 429, for a write to an issue that was written to too often."""
        if not self.site.issue_writes.admit(issue.number, self.now):
            raise limits.turn_away(faults.Limit.PER_ISSUE, now=self.now)

    def read_json(self) -> Any:
        """The body. Raises Refusal for what does not say that it is JSON, and BadRequest for what says so and is none."""
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise errors.Refusal(
                "Unsupported Media Type", status=http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason="content-type"
            )
        try:
            return payload.read(self.body)
        except ValueError as exc:
            raise errors.BadRequest("The request body is not valid JSON.", reason="body") from exc


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`body` is JSON; None sends no body at all."""

    body: Any
    status: int = 200
    headers: collections.abc.Mapping[str, str] = dataclasses.field(default_factory=dict)


Handler = collections.abc.Callable[[Call], Answer]
