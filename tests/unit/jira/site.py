"""A tenant's Jira behind `MockTransport`: answers by path, and what it was asked."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from addon.jira.auth import ConnectAuth
from addon.jira.client import JiraClient
from addon.jira.throttle import Gate, Throttle
from lifecycle.tenant import ClientKey, TenantId
from lifecycle.vault import Secret
from tests.support.ledgers import GenerousLedger

BASE_URL = "https://acme.atlassian.net"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECRET = "shared-secret-of-acme-0123456789abcdef"
ADDON_KEY = "crm-contact-sync"
CLIENT_KEY = ClientKey("client-acme")
TENANT = TenantId(UUID(int=1))

Answer = Callable[[httpx.Request], httpx.Response]


class Jira:
    """`answers`: by path; a list is used up call by call, its last entry stays."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers
        self.requests: list[httpx.Request] = []
        self.ledger = GenerousLedger()
        self.throttle = Throttle(self.ledger, lambda: NOW)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers[request.url.path]
        if isinstance(answer, list) and answer and isinstance(answer[0], httpx.Response | Exception | dict | int):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer) and not isinstance(answer, httpx.Response):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def client(self) -> JiraClient:
        return JiraClient(
            http=httpx.AsyncClient(transport=httpx.MockTransport(self)),
            base_url=BASE_URL,
            auth=connect_auth(),
            gate=Gate(throttle=self.throttle, tenant_id=TENANT, is_awaited=False),
        )

    def asked(self, path: str) -> list[httpx.QueryParams]:
        return [request.url.params for request in self.requests if request.url.path == path]


def connect_auth(**changes: Any) -> ConnectAuth:
    facts: dict[str, Any] = {
        "addon_key": ADDON_KEY,
        "client_key": CLIENT_KEY,
        "secret": Secret(SECRET),
        "base_url": BASE_URL,
        "clock": lambda: NOW,
    }
    return ConnectAuth(**(facts | changes))


def a_user(account_id: str = "ana", **fields: Any) -> dict[str, Any]:
    """`UserDetails` as Jira sends it; an email only where told."""
    return {
        "self": f"{BASE_URL}/rest/api/3/user?accountId={account_id}",
        "accountId": account_id,
        "accountType": "atlassian",
        "displayName": "Ana Ruiz",
        "active": True,
    } | fields


def a_customer(account_id: str = "qm:ana", **fields: Any) -> dict[str, Any]:
    """`UserDTO` as Jira Service Management sends it."""
    return {"accountId": account_id, "displayName": "Ana Ruiz", "active": True, "emailAddress": None} | fields


def a_page(values: list[Any], *, start: int = 0, size: int = 50, total: int | None = None) -> dict[str, Any]:
    """A page bean of the platform, the last one unless `total` lies beyond it."""
    known = start + len(values) if total is None else total
    is_last = start + size >= known
    return {"values": values, "startAt": start, "maxResults": size, "total": known, "isLast": is_last}


def a_desk_page(values: list[Any], *, start: int = 0, is_last: bool = True) -> dict[str, Any]:
    return {"values": values, "start": start, "limit": 100, "size": len(values), "isLastPage": is_last}
