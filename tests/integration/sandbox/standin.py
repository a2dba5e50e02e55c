"""A stand-in for an app: serves a descriptor, remembers its lifecycle calls, and signs calls to the site as apps do."""

import asyncio
import time
import urllib.parse
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import qsh
from sandbox.installation import Installation

BASE_URL = "http://localhost:8080"
EVENTS = ("installed", "enabled", "disabled", "uninstalled")
WEBHOOKS = {
    "user_created": "/webhooks/user",
    "user_updated": "/webhooks/user",
    "user_deleted": "/webhooks/user",
    "jira:issue_created": "/webhooks/issue",
    "jira:issue_updated": "/webhooks/issue?source=jira",
    "jira:issue_deleted": "/webhooks/issue",
    "issue_property_set": "/webhooks/property",
    "issue_property_deleted": "/webhooks/property",
}
COMPANY = "stand-in-company"
ISSUE_FIELDS = [
    {
        "key": "company",
        "type": "read_only",
        "name": {"value": "Company"},
        "description": {"value": "Whose issue it is"},
        "property": {"key": COMPANY, "path": "name", "type": "string"},
    },
    {
        "key": "rank",
        "type": "read_only",
        "name": {"value": "Rank of the company"},
        "description": {"value": "How important they are"},
        "property": {"key": COMPANY, "path": "rank.number", "type": "number"},
    },
    {"key": "mood", "type": "string", "name": {"value": "Mood"}, "description": {"value": "Written by people"}},
]
ENTITY_PROPERTIES = [
    {
        "key": "company-index",
        "name": {"value": "Company index"},
        "entityType": "issue",
        "keyConfigurations": [
            {
                "propertyKey": COMPANY,
                "extractions": [
                    {"objectName": "id", "type": "string", "alias": "companyId"},
                    {"objectName": "notes", "type": "text"},
                ],
            }
        ],
    }
]


def an_index(**changes: Any) -> dict[str, Any]:
    """An entity property whose only extraction is changed."""
    return {
        "key": "index",
        "name": {"value": "Index"},
        "keyConfigurations": [
            {"propertyKey": COMPANY, "extractions": [{"objectName": "name", "type": "string", **changes}]}
        ],
    }


def a_descriptor(**changes: Any) -> dict[str, Any]:
    return {
        "key": "stand-in",
        "name": "Stand-in",
        "baseUrl": BASE_URL,
        "authentication": {"type": "jwt"},
        "apiMigrations": {"signed-install": True},
        "lifecycle": {event: f"/lifecycle/{event}" for event in EVENTS},
        "modules": {
            "webhooks": [{"event": event, "url": url} for event, url in WEBHOOKS.items()],
            "jiraIssueFields": ISSUE_FIELDS,
            "jiraEntityProperties": ENTITY_PROPERTIES,
        },
        "scopes": ["READ", "WRITE", "ADMIN", "ACCESS_EMAIL_ADDRESSES"],
        **changes,
    }


@dataclass(kw_only=True)
class Heard:
    event: str
    body: dict[str, Any]
    token: str
    path: str


@dataclass(kw_only=True)
class Told:
    """One webhook that came."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    path: str
    query: str

    @property
    def event(self) -> str:
        return str(self.body["webhookEvent"])

    @property
    def identifier(self) -> str:
        return self.headers["x-atlassian-webhook-identifier"]

    @property
    def token(self) -> str:
        return self.headers["authorization"].removeprefix("JWT ")


@dataclass(kw_only=True)
class StandIn:
    descriptor: dict[str, Any] = field(default_factory=a_descriptor)
    statuses: dict[str, int] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    webhook_status: int = 204
    told: list[Told] = field(default_factory=list)
    was_told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[str]:
        return [heard.event for heard in self.heard]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/descriptor.json", self._describe),
                Route("/webhooks/{kind}", self._be_told, methods=["POST"]),
                Route("/{prefix:path}lifecycle/{event}", self._hear, methods=["POST"]),
            ]
        )

    async def _describe(self, _: Request) -> Response:
        return JSONResponse(self.descriptor)

    async def _hear(self, request: Request) -> Response:
        event = request.path_params["event"]
        scheme, _, token = request.headers["authorization"].partition(" ")
        assert scheme == "JWT"
        self.heard.append(Heard(event=event, body=await request.json(), token=token, path=request.url.path))
        return Response(status_code=self.statuses.get(event, 204))

    async def _be_told(self, request: Request) -> Response:
        self.told.append(
            Told(body=await request.json(), headers=request.headers, path=request.url.path, query=request.url.query)
        )
        self.was_told.set()
        if not self.webhook_status:
            raise httpx.ConnectError("nobody listens")
        return Response(status_code=self.webhook_status)


@dataclass(kw_only=True)
class AppAuth(httpx.Auth):
    """Signs each request for itself. `change` spoils claims; `secret` and `algorithm` spoil the rest."""

    issuer: str
    secret: str
    algorithm: str = "HS256"
    change: Callable[[dict[str, Any]], dict[str, Any]] = dict
    clock: Callable[[], float] = time.time

    @classmethod
    def of(cls, installed: Installation, **spoiled: Any) -> "AppAuth":
        return cls(**{"issuer": installed.addon_key, "secret": installed.shared_secret, **spoiled})

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        parts = urllib.parse.urlsplit(str(request.url))
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "iat": now,
            "exp": now + 180,
            "qsh": qsh.compute(request.method, parts.path, parts.query),
        }
        token = jwt.encode(self.change(claims), self.secret, algorithm=self.algorithm)
        request.headers["Authorization"] = f"JWT {token}"
        yield request
