"""What does a handler get, and what does it give back? The border between HTTP and what the site knows."""

import collections.abc
import dataclasses
import datetime as dt
import json
from typing import Any

from sandbox import auth, errors, operations, person, site


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

    def read_json(self) -> Any:
        """The body. Raises BadRequest."""
        try:
            return json.loads(self.body)
        except ValueError as exc:
            raise errors.BadRequest("The request body is not valid JSON.", reason="body") from exc


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`body` is JSON; None sends no body at all."""

    body: Any
    status: int = 200
    headers: collections.abc.Mapping[str, str] = dataclasses.field(default_factory=dict)


Handler = collections.abc.Callable[[Call], Answer]
