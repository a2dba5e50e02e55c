"""Do a call to Jira and Jira's answer agree with Atlassian's own OpenAPI documents? Checked on every call that passes.

Wrap it around any httpx transport; it changes neither request nor answer, and raises AssertionError on a disagreement.
"""

import functools
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import httpx
import openapi_core
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from sandbox import operations

DOCUMENTED_HOST = "https://your-domain.atlassian.net"
CHECKED_PREFIX = "/rest/"
FAULT_HEADER = "x-sandbox-fault"

# What the real site does although its document says something else: operation or schema, the part of the document that
# is wrong, what is right, and where that is known from.
DEVIATIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "#/paths/~1rest~1api~13~1user~1email~1bulk/get/responses/200/content/application~1json/schema",
        {"type": "array", "items": {"$ref": "#/components/schemas/UnrestrictedUserEmail"}},
        "the endpoint answers an array; Confluence's twin is documented so, and every public client expects it",
    ),
    (
        "#/components/schemas/JsonNode",
        {},
        "the schema is a Java class looked at from outside; the operations take any JSON value, as their texts say",
    ),
    (
        "#/components/schemas/UserDTO/properties/emailAddress",
        {"type": "string", "nullable": True},
        "the schema's own text: \"Depending on the customer's privacy settings, this may be returned as null\"",
    ),
    (
        "#/components/schemas/IssueBean/properties/fields",
        {
            "type": "object",
            "properties": {
                "reporter": {"anyOf": [{"$ref": "#/components/schemas/User"}, {"enum": [None], "nullable": True}]}
            },
            "additionalProperties": {},
        },
        "the document leaves the fields open; the reporter is a user as everywhere, or nobody",
    ),
)

# Statuses that an operation may answer although its entry does not list them: everywhere, with a body, or by these alone.
UNLISTED_STATUSES = {
    "400": "parameters of the wrong type are refused everywhere",
    "401": "the authentication filter stands before every operation",
    "403": "the scope filter stands before every operation; GET with a body (CHANGE-2328)",
    "429": "limits stand before every operation; Rate limiting",
}
UNLISTED_WITH_BODY = {"415": "a body that does not say that it is JSON is refused everywhere"}
UNLISTED_OF_OPERATION = {
    "getCustomers": {"412": "no opt-in header; JSM guide, section Experimental methods"},
    "AddonPropertiesResource.getAddonProperties_get": {"404": "the key of another app, as for each single property"},
}


class CheckedTransport(httpx.AsyncBaseTransport):
    """Passes every call on to `inner`; what goes to `/rest/` is checked on the way out and on the way back.

    `checks_requests` is for tests that send something wrong on purpose and look at the refusal. Answers that the
    sandbox marks as injected faults are not checked: they are wrong on purpose too.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, checks_requests: bool = True) -> None:
        self._inner = inner
        self._checks_requests = checks_requests
        self.calls: list[tuple[str, str, int]] = []
        """Method, raw path and status of every checked call, in order."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        if not path.startswith(CHECKED_PREFIX):
            return await self._inner.handle_async_request(request)
        await request.aread()
        if self._checks_requests:
            check_request(request)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self.calls.append((request.method, path, response.status_code))
        if FAULT_HEADER not in response.headers:
            check_answer(request, response, is_request_valid=self._checks_requests)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def check_request(request: httpx.Request) -> None:
    asked = _Asked(request)
    document = _find_document(asked)
    assert document is not None, f"no document knows {request.method} {asked.path}"
    described = document.described(asked)
    assert not request.content or "requestBody" in described, f"{request.method} {asked.path} has a body"
    known = {parameter["name"]: parameter for parameter in described.get("parameters", ())}
    unknown = set(request.url.params.keys()) - known.keys() - {"jwt"}
    assert not unknown, f"{request.method} {asked.path} takes no parameters {sorted(unknown)}"
    repeated = [
        name
        for name in request.url.params
        if len(request.url.params.get_list(name)) > 1 and known.get(name, {}).get("schema", {}).get("type") != "array"
    ]
    assert not repeated, f"{request.method} {asked.path} takes one value of {repeated}"
    try:
        document.openapi.validate_request(asked)
    except OpenAPIError as exc:
        raise AssertionError(f"{request.method} {request.url}: {_explain(exc)}") from exc


def check_answer(request: httpx.Request, response: httpx.Response, *, is_request_valid: bool = True) -> None:
    asked = _Asked(request)
    document = _find_document(asked)
    if document is None and not is_request_valid:
        return
    assert document is not None, f"no document knows {request.method} {asked.path}"
    called = f"{request.method} {request.url} answered {response.status_code}"
    is_redirect = response.status_code == httpx.codes.SEE_OTHER
    assert not is_redirect or response.headers.get("location"), f"{called}: it does not say where"
    assert response.status_code != httpx.codes.NO_CONTENT or not response.content, f"{called}: with content"
    try:
        document.openapi.validate_response(asked, _Answered(response))
    except OpenAPIError as exc:
        raise AssertionError(f"{called}: {_explain(exc)}\n{response.text[:500]}") from exc


class _Asked:
    """An httpx request as openapi-core wants to see one, sent to the documents' own host."""

    def __init__(self, request: httpx.Request) -> None:
        raw_path, _, query = request.url.raw_path.decode("ascii").partition("?")
        self.host_url = DOCUMENTED_HOST
        self.path = raw_path
        self.method = request.method.lower()
        self.body = request.content or None
        self.content_type = request.headers.get("content-type", "application/json")
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(urllib.parse.parse_qsl(query, keep_blank_values=True)),
            header=Headers(list(request.headers.multi_items())),
            cookie=ImmutableMultiDict(),
        )


class _Answered:
    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.headers = Headers(list(response.headers.multi_items()))
        self.content_type = response.headers.get("content-type", "")
        self.data = response.content


class _Document:
    def __init__(self, read: dict[str, Any]) -> None:
        self._paths = read["paths"]
        self.openapi = openapi_core.OpenAPI.from_dict(read)

    def described(self, asked: _Asked) -> dict[str, Any]:
        """The operation's own entry; empty for one that is not in this document."""
        wanted = asked.path.split("/")
        for template, methods in self._paths.items():
            parts = template.split("/")
            if len(parts) == len(wanted) and asked.method in methods and all(map(_fits, parts, wanted)):
                found: dict[str, Any] = methods[asked.method]
                return found
        return {}


@functools.cache
def _documents() -> tuple[_Document, ...]:
    return tuple(
        _Document(_correct(json.loads((operations.FOLDER / name).read_text("utf-8")))) for name in operations.DOCUMENTS
    )


def _find_document(asked: _Asked) -> _Document | None:
    return next((document for document in _documents() if document.described(asked)), None)


def _fits(part: str, wanted: str) -> bool:
    return part == wanted or (part.startswith("{") and bool(wanted))


def _correct(read: dict[str, Any]) -> dict[str, Any]:
    """The document with DEVIATIONS and the unlisted statuses written in.

    Its security schemes are taken out: openapi-core knows no `Authorization: JWT`; the sandbox checks every token.
    """
    read.pop("security", None)
    for pointer, right, _ in DEVIATIONS:
        keys = [key.replace("~1", "/") for key in pointer.removeprefix("#/").split("/")]
        place = read
        for key in keys[:-1]:
            place = place.get(key, {})
        if keys[-1] in place:
            place[keys[-1]] = right
    for methods in read["paths"].values():
        for described in methods.values():
            described.pop("security", None)
            with_body = UNLISTED_WITH_BODY if "requestBody" in described else {}
            its_own = UNLISTED_OF_OPERATION.get(described["operationId"], {})
            for status, source in {**UNLISTED_STATUSES, **with_body, **its_own}.items():
                described["responses"].setdefault(status, {"description": source})
    return read


def _explain(exc: BaseException) -> str:
    return "; ".join(_causes(exc))


def _causes(exc: BaseException | None) -> Iterator[str]:
    while exc is not None:
        yield str(exc)
        errors = getattr(exc, "schema_errors", None)
        if errors is not None:
            yield from (str(error.message) for error in errors)
        exc = exc.__cause__
