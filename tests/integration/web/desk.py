"""Two sites and the people who sit before them: clients with really signed tokens, over the app's own routes."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
from starlette.applications import Starlette

from addon import app
from addon.issues.facts import IssueFacts
from addon.jira.accounts import Described
from addon.jira.errors import JiraError
from addon.jira.names import GROUPS_SHOWN, FoundGroups
from addon.storage.database import Database
from addon.storage.ledger import Ledger
from addon.sync.filters import Named
from addon.web import routes
from addon.web.deps import WebDeps
from lifecycle import qsh, store
from lifecycle.caller import Callers
from lifecycle.tenant import AccountId, ClientKey, State, Tenant, TenantId
from lifecycle.vault import Secret, Vault
from tests.integration.web import contract

BASE_URL = "https://crm.example.com"
HOST_SCRIPT_URL = "https://connect-cdn.atl-paas.net/all.js"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ADMIN = AccountId("5b10:admin")
MEMBER = AccountId("5b10:member")
VAULT = Vault([bytes(range(32))])


@dataclass(slots=True)
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class People:
    """Who administers a site, is in which group and sees which issue, as the site would say; implements `Permissions` and
    `GroupNames`.
    """

    admins: set[tuple[TenantId, AccountId]] = field(default_factory=set)
    groups: dict[tuple[TenantId, AccountId], frozenset[str]] = field(default_factory=dict)
    named: dict[TenantId, list[Named]] = field(default_factory=dict)
    shown: set[tuple[TenantId, AccountId, int]] = field(default_factory=set)
    trouble: JiraError | None = None

    async def is_admin(self, tenant: Tenant, account_id: AccountId) -> bool:
        if self.trouble is not None:
            raise self.trouble
        return (tenant.tenant_id, account_id) in self.admins

    async def groups_of(self, tenant: Tenant, account_id: AccountId) -> frozenset[str]:
        if self.trouble is not None:
            raise self.trouble
        return self.groups.get((tenant.tenant_id, account_id), frozenset())

    async def may_see_issue(self, tenant: Tenant, account_id: AccountId, issue_id: int) -> bool:
        if self.trouble is not None:
            raise self.trouble
        return (tenant.tenant_id, account_id, issue_id) in self.shown

    async def search_groups(self, tenant_id: TenantId, query: str) -> FoundGroups:
        if self.trouble is not None:
            raise self.trouble
        fitting = [group for group in self.named.get(tenant_id, ()) if query.casefold() in group.name.casefold()]
        return FoundGroups(groups=fitting[:GROUPS_SHOWN], total=len(fitting))


@dataclass(slots=True)
class Tracker:
    """A site's issues and accounts as the site would tell of them; implements `Issues` and `Accounts`. `asked` counts."""

    reporters: dict[tuple[TenantId, int], AccountId | None] = field(default_factory=dict)
    accounts: dict[tuple[TenantId, AccountId], Described] = field(default_factory=dict)
    asked: int = 0
    trouble: JiraError | None = None

    async def facts(self, tenant_id: TenantId, issue_ids: Sequence[int]) -> Sequence[IssueFacts]:
        self._ask()
        return [
            IssueFacts(issue_id=issue_id, reporter_id=self.reporters[tenant_id, issue_id], updated_at=NOW)
            for issue_id in issue_ids
            if (tenant_id, issue_id) in self.reporters
        ]

    async def describe(self, tenant_id: TenantId, account_id: AccountId) -> Described | None:
        self._ask()
        return self.accounts.get((tenant_id, account_id))

    def _ask(self) -> None:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One site's person. Every answer of the JSON API is checked against the public interface."""

    tenant: Tenant
    secret: str
    account_id: AccountId | None
    http: httpx.AsyncClient
    clock: Clock
    database: Database

    def token(self, *, query_hash: str = "context-qsh", secret: str | None = None) -> str:
        now = int(self.clock().timestamp())
        claims = {"iss": self.tenant.client_key, "iat": now, "exp": now + 180, "qsh": query_hash}
        if self.account_id is not None:
            claims["sub"] = self.account_id
        return jwt.encode(claims, secret or self.secret, algorithm="HS256")

    def page_token(self, path: str, query: str = "") -> str:
        return self.token(query_hash=qsh.hash_request("GET", path, query))

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        form: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        file: tuple[str, bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent = {"Authorization": f"JWT {self.token()}", **(headers or {})}
        body: dict[str, Any] = {} if json is None else {"json": json}
        if form is not None:
            body = {"data": form}
        if content is not None:
            body = {"content": content}
        if file is not None:
            body["files"] = {"file": file}
        answer = await self.http.request(method, path, params=params, headers=sent, **body)
        if "/fragments/" not in path or answer.is_error:
            contract.check(answer)
        return answer

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def page(self, path: str, query: str = "") -> httpx.Response:
        token = self.page_token(path, query)
        return await self.http.get(f"{path}?{query}&jwt={token}" if query else f"{path}?jwt={token}")

    async def make_contact(self, **attributes: Any) -> dict[str, Any]:
        answer = await self.call("POST", "/api/contacts", json={"name": "Ada Lovelace", **attributes})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def make_company(self, **attributes: Any) -> dict[str, Any]:
        answer = await self.call("POST", "/api/companies", json={"name": "Acme", **attributes})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def link(self, contact_id: str, account_id: str, **columns: Any) -> None:
        """As the sync links: an account whose person the contact is."""
        values = {
            "account_id": account_id,
            "contact_id": int(contact_id),
            "kind": "user",
            "active": True,
            "display_name": "Ada in Jira",
            "linked_at": NOW - timedelta(days=1),
            **columns,
        }
        async with self.database.tenant(self.tenant.tenant_id) as scope:
            await scope.execute(
                """
                INSERT INTO account (tenant_id, account_id, kind, active, display_name, email_state, checked_at,
                                     contact_id, linked_by, linked_at)
                VALUES (:tenant_id, :account_id, :kind, :active, :display_name, 'visible', :linked_at, :contact_id,
                        'email', :linked_at)
                """,
                **values,
            )

    async def turn(self, *, on: bool) -> dict[str, Any]:
        answer = await self.call("PUT", "/api/sync", json={"enabled": on})
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        return status

    def as_person(self, account_id: AccountId | None) -> "Desk":
        """The same site, another person before it."""
        return Desk(
            tenant=self.tenant,
            secret=self.secret,
            account_id=account_id,
            http=self.http,
            clock=self.clock,
            database=self.database,
        )


def build_deps(database: Database, people: People, clock: Clock, tracker: Tracker | None = None) -> WebDeps:
    tracker = tracker or Tracker()
    return WebDeps(
        database=database,
        callers=Callers(database=database.pool, vault=VAULT, base_url=BASE_URL, clock=clock),
        permissions=people,
        names=people,
        issues=tracker,
        accounts=tracker,
        ledger=Ledger(database, quota=65_000),
        enqueue=app.enqueue,
        clock=clock,
        base_url=BASE_URL,
        host_script_url=HOST_SCRIPT_URL,
        descriptor={"key": "crm-contact-sync"},
    )


def build_app(deps: WebDeps) -> Starlette:
    return routes.application(deps, [])


async def install(database: Database, host: str) -> tuple[Tenant, str]:
    """A live tenant, as its installation leaves it."""
    tenant_id, secret = TenantId(uuid.uuid4()), f"shared secret of {host}, thirty-two bytes or more"
    tenant = Tenant(
        tenant_id=tenant_id,
        client_key=ClientKey(f"client-{host}"),
        cloud_id=None,
        base_url=f"https://{host}.atlassian.net",
        display_url=f"https://{host}.atlassian.net",
        oauth_client_id=None,
        state=State.ENABLED,
        installed_at=NOW,
        uninstalled_at=None,
    )
    record = store.Record(
        tenant=tenant,
        sealed_secret=VAULT.seal(Secret(secret), tenant_id=tenant_id),
        previous_sealed_secret=None,
        previous_secret_until=None,
    )
    async with database.transaction() as connection:
        await store.save(connection, record, now=NOW)
    return tenant, secret
