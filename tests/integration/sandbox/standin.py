"""A stand-in for an app: serves a descriptor, remembers its lifecycle calls, and signs calls to the site as apps do."""

import time
import urllib.parse
from collections.abc import Callable, Generator
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


def a_descriptor(**changes: Any) -> dict[str, Any]:
    return {
        "key": "stand-in",
        "name": "Stand-in",
        "baseUrl": BASE_URL,
        "authentication": {"type": "jwt"},
        "apiMigrations": {"signed-install": True},
        "lifecycle": {event: f"/lifecycle/{event}" for event in EVENTS},
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
class StandIn:
    descriptor: dict[str, Any] = field(default_factory=a_descriptor)
    statuses: dict[str, int] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        return [heard.event for heard in self.heard]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/descriptor.json", self._describe),
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


@dataclass(kw_only=True)
class AppAuth(httpx.Auth):
    """Signs each request for itself. `change` spoils claims; `secret` and `algorithm` spoil the rest."""

    issuer: str
    secret: str
    algorithm: str = "HS256"
    change: Callable[[dict[str, Any]], dict[str, Any]] = dict

    @classmethod
    def of(cls, installed: Installation, **spoiled: Any) -> "AppAuth":
        return cls(**{"issuer": installed.addon_key, "secret": installed.shared_secret, **spoiled})

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        parts = urllib.parse.urlsplit(str(request.url))
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "iat": now,
            "exp": now + 180,
            "qsh": qsh.compute(request.method, parts.path, parts.query),
        }
        token = jwt.encode(self.change(claims), self.secret, algorithm=self.algorithm)
        request.headers["Authorization"] = f"JWT {token}"
        yield request
