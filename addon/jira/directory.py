"""How are a site's people listed by a Connect app? It may not call `/users/search`, so it reads the groups that grant
access to a product, the customers of each service desk, and the members of each organization.

Implements `addon.sync.ports.Directory`. Source for caps and quirks: docs/decisions/0004-reading-people.md.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, TypeVar

from addon.crm import contact as crm
from addon.jira import answers, budget, errors
from addon.jira.client import JiraClient, Params
from addon.sync import pages
from addon.sync.people import Kind, Sighting
from addon.sync.ports import Containers, Emails, ListClosed, People
from lifecycle.tenant import AccountId

USERS = "users"
CUSTOMERS = "customers"
ORGANIZATIONS = "organizations"

PRODUCTS = ("jira-software", "jira-servicedesk", "jira-core", "jira-product-discovery")
GROUP_PAGE = 50  # the most that GET /group/bulk and /group/member give
DESK_PAGE = 100  # asked for; each JSM list has a lower cap of its own, and says so by `size`
EMAIL_BATCH = 90  # the most that GET /user/email/bulk takes
STEP_POINTS = pages.AT_ONCE * 2 * budget.identities(DESK_PAGE).most
# What the pages that a run reads side by side cost at most, with the emails of those whom they list.

OPT_IN = {"X-ExperimentalApi": "opt-in"}

BROWSE_USERS = "USER_PICKER"
NOBODY = "unknown"
# What Jira gives for a record that is corrupted (schema `User`, accountId) and for a type it cannot tell.

APP = "app"

GONE = 404

NUL = "\0"
# JSON can hold it and PostgreSQL cannot: one such record must not stop the whole site's sync.

Turn = Callable[[], AbstractAsyncContextManager[None]]
"""The time of one call, which is waited for."""

Item = TypeVar("Item")
Person = TypeVar("Person", answers.User, answers.Customer)


class ConnectDirectory:
    """Reads one site through one client. `customer_turn` holds the burst limit of the desks' customer lists."""

    phases = (USERS, CUSTOMERS, ORGANIZATIONS)

    def __init__(self, client: JiraClient, customer_turn: Turn) -> None:
        self._client = client
        self._customer_turn = customer_turn
        self._emails_refused: Literal["hidden", "unavailable"] | None = None

    @property
    def points(self) -> int:
        return self._client.points

    def page_size(self, phase: str) -> int | None:
        return GROUP_PAGE if phase == USERS else None

    async def may_browse(self) -> bool:
        found = await self._client.get(
            "/rest/api/3/mypermissions",
            answers.PERMISSIONS,
            {"permissions": BROWSE_USERS},
            price=budget.fixed(budget.REQUEST + budget.IDENTITY),
        )
        permission = found.permissions.get(BROWSE_USERS)
        return permission is not None and permission.have_permission

    async def containers(self, phase: str, start: int) -> Containers:
        if phase == USERS:
            return await self._groups()
        try:
            return await self._places(phase, start)
        except errors.JiraError as refusal:
            if not _is_closed(refusal):
                raise
            # As far as the app can see, the site has no service management, or not any more.
            return Containers(ids=(), next_start=None, is_refused=True)

    async def _places(self, phase: str, start: int) -> Containers:
        match phase:
            case "customers":
                desks = await self._client.get(
                    "/rest/servicedeskapi/servicedesk", answers.DESKS, _desk_page(start), price=budget.core(DESK_PAGE)
                )
                return Containers(ids=[desk.id for desk in desks.values], next_start=following(desks, start))
            case "organizations":
                found = await self._client.get(
                    "/rest/servicedeskapi/organization",
                    answers.ORGANIZATIONS,
                    _desk_page(start),
                    price=budget.core(DESK_PAGE),
                )
                return Containers(ids=[item.id for item in found.values], next_start=following(found, start))
            case _:
                raise ValueError(f"no such phase: {phase}")

    async def _groups(self) -> Containers:
        """The groups that grant access to any product, each once."""
        groups: dict[str, None] = {}
        for product in PRODUCTS:
            start: int | None = 0
            while start is not None:
                params: Params = {
                    "accessType": "user",
                    "applicationKey": product,
                    "startAt": start,
                    "maxResults": GROUP_PAGE,
                }
                page = await self._client.get(
                    "/rest/api/3/group/bulk", answers.GROUPS, params, price=budget.identities(GROUP_PAGE)
                )
                groups.update({group.group_id: None for group in page.values if group.group_id})
                start = _after(page, start)
        return Containers(ids=list(groups), next_start=None)

    async def people(self, phase: str, container: str, start: int) -> People:
        match phase:
            case "users":
                return await self._members(container, start)
            case "customers":
                async with self._customer_turn():
                    path = f"/rest/servicedeskapi/servicedesk/{container}/customer"
                    return await self._customers(path, start, OPT_IN)
            case "organizations":
                return await self._customers(f"/rest/servicedeskapi/organization/{container}/user", start, {})
            case _:
                raise ValueError(f"no such phase: {phase}")

    async def _members(self, group_id: str, start: int) -> People:
        params: Params = {"groupId": group_id, "includeInactiveUsers": True, "startAt": start, "maxResults": GROUP_PAGE}
        try:
            page = await self._client.get(
                "/rest/api/3/group/member", answers.USERS, params, price=budget.identities(GROUP_PAGE)
            )
        except errors.Rejected as refusal:
            # The group was deleted since it was listed. A 403 is about the app and all groups.
            if refusal.status == GONE:
                raise ListClosed(refusal) from refusal
            raise
        sightings, unreadable = _read(page.values, lambda user: _kind(user.account_type))
        return People(
            sightings=sightings,
            unreadable=unreadable,
            next_start=_after(page, start),
            total=page.total,
            listed=_listed(page.values),
            slots=max(0, min(page.max_results, page.total - page.start_at)),
        )

    async def _customers(self, path: str, start: int, headers: dict[str, str]) -> People:
        """A list that is not there any more, or whose project has taken the app's role away, says nothing of the others."""
        price = budget.identities(DESK_PAGE)
        try:
            page = await self._client.get(path, answers.CUSTOMERS, _desk_page(start), price=price, headers=headers)
        except errors.JiraError as refusal:
            if _is_closed(refusal):
                raise ListClosed(refusal) from refusal
            raise
        sightings, unreadable = _read(page.values, lambda _: "customer")
        return People(
            sightings=sightings,
            unreadable=unreadable,
            next_start=following(page, start),
            listed=_listed(page.values),
            slots=page.size,
        )

    async def emails(self, account_ids: Sequence[AccountId]) -> Emails:
        """An app that Atlassian has not approved for the email API gets 400 (or 403 without the scope); 503 says that
        the API is switched off. Neither stops a run: such accounts are linked without an email (D5).
        """
        found: dict[AccountId, str] = {}
        for first in range(0, len(account_ids), EMAIL_BATCH):
            if self._emails_refused is not None:
                return Emails(found=found, otherwise=self._emails_refused)
            batch = account_ids[first : first + EMAIL_BATCH]
            price = budget.bare_identities(len(batch))
            try:
                listed = await self._client.get(
                    "/rest/api/3/user/email/bulk", answers.EMAILS, {"accountId": batch}, price=price
                )
            except (errors.Rejected, errors.Forbidden):
                self._emails_refused = "hidden"
            except errors.Troubled:
                self._emails_refused = "unavailable"
            else:
                told = {readable_id(item.account_id): _storable_email(item.email) for item in listed}
                found.update({account_id: email for account_id, email in told.items() if account_id and email})
        return Emails(found=found, otherwise=self._emails_refused or "hidden")

    async def lookup(self, account_ids: Sequence[AccountId]) -> People:
        """Jira leaves out of the answer whom it does not know any more, or says only that there was somebody."""
        found: list[answers.User] = []
        start: int | None = 0
        while start is not None:
            params: Params = {"accountId": account_ids, "startAt": start, "maxResults": len(account_ids)}
            page = await self._client.get(
                "/rest/api/3/user/bulk", answers.USERS, params, price=budget.identities(len(account_ids))
            )
            found.extend(page.values)
            start = _after(page, start)
        sightings, unreadable = _read(found, lambda user: _kind(user.account_type))
        return People(sightings=sightings, unreadable=unreadable)


def _is_closed(refusal: errors.JiraError) -> bool:
    """Whether it is about the list and not about the call."""
    match refusal:
        case errors.Forbidden():
            return True
        case errors.Rejected(status=status):
            return status == GONE
        case _:
            return False


def _desk_page(start: int) -> dict[str, int]:
    return {"start": start, "limit": DESK_PAGE}


def _after(page: answers.PlatformPage[Item], start: int) -> int | None:
    """Where a list of the platform goes on: filtering comes after paging, so a page may be short, even empty, and not be
    the last. One that leads nowhere new would be read for ever, so it breaks the document. Raises Corrupt.
    """
    if page.is_last:
        return None
    following = page.start_at + page.max_results
    if following <= start:
        raise errors.Corrupt("a page that leads back")
    return following


def following(page: answers.DeskPage[Item], start: int) -> int | None:
    """Where a JSM list goes on: by what the page held, since its cap is Jira's own affair. An empty page that claims
    not to be the last would be read for ever, so it breaks the document. Raises Corrupt.
    """
    if page.is_last:
        return None
    if page.size == 0:
        raise errors.Corrupt("an empty page that is not the last")
    return start + page.size


def _kind(account_type: str) -> Kind:
    return "customer" if account_type == "customer" else "user"


def _listed(found: Sequence[Person]) -> list[AccountId]:
    ids = (readable_id(person.account_id) for person in found)
    return [account_id for account_id in ids if account_id is not None]


def readable_id(account_id: str) -> AccountId | None:
    """None for what a corrupted record holds instead of an id, and for what the database cannot keep."""
    return None if account_id in {"", NOBODY} or NUL in account_id else AccountId(account_id)


def _read(found: Sequence[Person], kind: Callable[[Person], Kind]) -> tuple[list[Sighting], list[AccountId]]:
    """What the records say, and the accounts of those that hold fallback values (D8). Apps and nobodies are left out (D6),
    and so are deleted accounts that Jira still shows: what is left of one is no news of a person (S10).
    """
    sightings: list[Sighting] = []
    unreadable: list[AccountId] = []
    for person in found:
        account_type = person.account_type if isinstance(person, answers.User) else ""
        account_id = readable_id(person.account_id)
        if account_id is None or account_type == APP or person.is_former:
            continue
        is_storable = NUL not in person.display_name and NUL not in (person.email or "")
        is_whole = person.active is not None and person.display_name.strip() != ""
        if account_type == NOBODY or not is_whole or not is_storable:
            unreadable.append(account_id)
            continue
        sightings.append(
            Sighting(
                account_id=account_id,
                kind=kind(person),
                active=bool(person.active),
                display_name=person.display_name.strip(),
                email=_storable_email(person.email),
            )
        )
    return sightings, unreadable


def _storable_email(shown: str | None) -> str | None:
    """None for an empty one, and for what is none: nothing can be sent to it, and an index of the database can't hold it."""
    email = (shown or "").strip()
    return email if email and NUL not in email and len(email) <= crm.MAX_EMAIL_LENGTH else None
