"""Why does the site say no? One error with the status and the words of the real one.

Refusal (Exception)  any call that is not carried out
  NotAuthenticated   401: no, foreign, expired or misdirected token; an app that is not enabled
  NotAllowed         403: a scope or permission is missing
  NotFound           404
  BadRequest         400: a parameter or body that the operation does not take
"""

import collections.abc
from typing import Any

JSM_PREFIX = "/rest/servicedeskapi/"
CONNECT_PREFIX = "/rest/atlassian-connect/"


class Refusal(Exception):
    """`reason` is one word for the developer who looks at the `X-Sandbox-Reason` header; Jira has no such header.

    `headers` come with the answer.
    """

    status = 500

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        status: int | None = None,
        headers: collections.abc.Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.status = status or self.status
        self.headers = dict(headers or {})


class NotAuthenticated(Refusal):
    status = 401


class NotAllowed(Refusal):
    status = 403


class NotFound(Refusal):
    status = 404


class BadRequest(Refusal):
    status = 400


def build_body(path: str, status: int, message: str) -> dict[str, Any]:
    """Each family of APIs has its own shape of error."""
    if path.startswith(JSM_PREFIX):
        return {"errorMessage": message, "i18nErrorMessage": {"i18nKey": "sd.error", "parameters": []}}
    if path.startswith(CONNECT_PREFIX):
        return {"message": message, "statusCode": status}
    return {"errorMessages": [message], "errors": {}}
