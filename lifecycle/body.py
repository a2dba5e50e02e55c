"""What does the body of a lifecycle call say?

Pure. Unknown fields are welcome, since Atlassian adds some; all that lack or have the wrong type are named at once.
Believes nothing: who sent the body is for `install` and `caller` to find out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from lifecycle import errors
from lifecycle.tenant import ClientKey, CloudId
from lifecycle.vault import Secret

MAX_TEXT_CHARS = 1024
WEB_URL = re.compile(r"https?://[^\s\"'<>\\]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallBody:
    """`installed`. `base_url` is as sent: `hosts.accept` decides on it. Source: Atlassian, "Lifecycle events"."""

    client_key: ClientKey
    shared_secret: Secret
    base_url: str
    display_url: str | None
    cloud_id: CloudId | None
    oauth_client_id: str | None


def read_install(raw_body: bytes) -> InstallBody:
    """Raises MalformedBody, InvalidFields."""
    fields = _Fields(_read_object(raw_body))
    client_key = fields.required("clientKey")
    shared_secret = fields.required("sharedSecret")
    base_url = fields.required("baseUrl")
    display_url = fields.optional("displayUrl")
    cloud_id = fields.optional("cloudId")
    oauth_client_id = fields.optional("oauthClientId")
    if display_url is not None and not WEB_URL.fullmatch(display_url):
        fields.refuse("displayUrl", "is not a web address")
    fields.finish()
    return InstallBody(
        client_key=ClientKey(client_key),
        shared_secret=Secret(shared_secret),
        base_url=base_url,
        display_url=display_url.rstrip("/") if display_url else None,
        cloud_id=CloudId(cloud_id) if cloud_id else None,
        oauth_client_id=oauth_client_id,
    )


def read_client_key(raw_body: bytes) -> ClientKey:
    """`enabled`, `disabled`, `uninstalled`: of these only the sender matters. Raises MalformedBody, InvalidFields."""
    fields = _Fields(_read_object(raw_body))
    client_key = fields.required("clientKey")
    fields.finish()
    return ClientKey(client_key)


def _read_object(raw_body: bytes) -> Mapping[str, Any]:
    try:
        # Given bytes, Python would take UTF-16 and UTF-32, too, which RFC 8259 forbids.
        value = json.loads(raw_body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise errors.MalformedBody("not JSON") from exc
    if not isinstance(value, dict):
        raise errors.MalformedBody("not an object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    # Python's reader takes NaN and Infinity, which are not JSON.
    raise ValueError(name)


class _Fields:
    """Reads texts out of an object and collects what is wrong with them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._problems: list[errors.FieldProblem] = []

    def required(self, name: str) -> str:
        value = self.optional(name)
        if value is None and not any(problem.field == name for problem in self._problems):
            self.refuse(name, "is missing")
        return value or ""

    def optional(self, name: str) -> str | None:
        """None for what is absent, null or empty. Printable: PostgreSQL takes neither NUL nor lone surrogates."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.refuse(name, "is not a text")
            return None
        if len(value) > MAX_TEXT_CHARS or not value.isprintable():
            self.refuse(name, f"is longer than {MAX_TEXT_CHARS} characters or holds control characters")
            return None
        return value

    def refuse(self, name: str, problem: str) -> None:
        self._problems.append(errors.FieldProblem(field=name, problem=problem))

    def finish(self) -> None:
        if self._problems:
            raise errors.InvalidFields(self._problems)
