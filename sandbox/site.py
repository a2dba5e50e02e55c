"""What does one Jira site hold? People, groups, desks, organizations and installed apps, and the moves between them.

In memory only, and no HTTP: `sandbox.rest` and `sandbox.jsm` show it to apps, `sandbox.control` to tests and the demo.
"""

import collections.abc
import dataclasses
import datetime as dt
import random
import uuid
from typing import Any

from sandbox import events, faults, installation, issues, metering, person, roster, search

USER_ACCESS = "user"
ADMIN_ACCESS = "admin"
PRODUCTS = ("jira-software", "jira-servicedesk", "jira-core", "jira-product-discovery")


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class UnknownPersonError(Exception):
    """No such account on this site, or it was deleted."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`access` says what membership grants: pairs of product key and `user` or `admin`."""

    group_id: str
    name: str
    access: frozenset[tuple[str, str]] = frozenset()

    def grants(self, product: str | None, access: str | None) -> bool:
        return any(product in (None, key) and access in (None, kind) for key, kind in self.access)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    desk_id: str
    project_id: str
    project_key: str
    project_name: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    organization_id: str
    uuid: str
    name: str
    desk_ids: frozenset[str] = frozenset()


class Site:
    """One site. `admin`, `agent` and `member` are people with well-known ids whom every site has.

    `now` is aware UTC; `seed` decides what chance does here. `events` is what happened and no webhook tells yet.
    """

    def __init__(
        self,
        *,
        base_url: str,
        name: str,
        cloud_id: str,
        client_key: str,
        now: collections.abc.Callable[[], dt.datetime] = utc_now,
        seed: int = 1,
    ) -> None:
        self.now = now
        self.dice = random.Random(seed)  # noqa: S311 - reproducible on purpose; nothing secret is drawn from it
        self.base_url = base_url.rstrip("/")
        self.name = name
        self.cloud_id = cloud_id
        self.client_key = client_key
        self.people: dict[str, person.Person] = {}
        self.groups: dict[str, Group] = {}
        self.desks: dict[str, Desk] = {}
        self.organizations: dict[str, Organization] = {}
        self.group_members = roster.Roster(self._username)
        self.desk_customers = roster.Roster(str)
        self.organization_members = roster.Roster(str)
        self.installations: dict[str, installation.Installation] = {}
        self.app_properties: dict[str, dict[str, Any]] = {}
        self.email_api: dict[str, faults.EmailApi] = {}
        self.faults = faults.Faults()
        self.issues = issues.Issues()
        self.events: list[events.Event] = []
        self.failed_webhooks: list[events.FailedWebhook] = []
        self.meter = metering.Meter()
        self.bursts = metering.Bursts()
        self.admin_id = ""
        self.agent_id = ""
        self.member_id = ""
        self.revision = 0
        self._index: tuple[int, search.Index] | None = None

    @property
    def points_spent(self) -> int:
        """What all apps' calls together cost since the site is there."""
        return self.meter.total

    @property
    def admin(self) -> person.Person:
        return self.people[self.admin_id]

    @property
    def agent(self) -> person.Person:
        return self.people[self.agent_id]

    @property
    def member(self) -> person.Person:
        return self.people[self.member_id]

    def email_api_for(self, addon_key: str) -> faults.EmailApi:
        """How the email API answers this app: approval is per app, an outage is for everyone."""
        if self.faults.email_api is faults.EmailApi.DISABLED:
            return faults.EmailApi.DISABLED
        return self.email_api.get(addon_key, self.faults.email_api)

    def is_admin(self, account_id: str) -> bool:
        """Whether this person is a Jira administrator here, and may act at all."""
        found = self.people.get(account_id)
        return (
            found is not None
            and found.active
            and any(self.groups[group].grants(None, ADMIN_ACCESS) for group in self.group_members.owners(account_id))
        )

    def is_reachable(self, account_id: str) -> bool:
        """Whether a Connect app can find this account at all: by product access, a desk or an organization."""
        return (
            any(self.groups[group].grants(None, USER_ACCESS) for group in self.group_members.owners(account_id))
            or bool(self.desk_customers.owners(account_id))
            or bool(self.organization_members.owners(account_id))
        )

    def find_person(self, account_id: str) -> person.Person:
        """Raises UnknownPersonError for one who is not here or not any more."""
        found = self.people.get(account_id)
        if found is None or found.deleted:
            raise UnknownPersonError(account_id)
        return found

    def add_person(
        self,
        added: person.Person,
        *,
        group_ids: collections.abc.Iterable[str] = (),
        desk_ids: collections.abc.Iterable[str] = (),
        organization_ids: collections.abc.Iterable[str] = (),
    ) -> person.Person:
        """A newcomer, or one who comes back. Raises KeyError for a place that the site does not have; then nothing is done.

        One without a username gets any, and so any place in the lists of groups.
        """
        places = (
            (self.group_members, [self.groups[each].group_id for each in group_ids]),
            (self.desk_customers, [self.desks[each].desk_id for each in desk_ids]),
            (self.organization_members, [self.organizations[each].organization_id for each in organization_ids]),
        )
        before = self.people.get(added.account_id)
        username = before.username if before is not None else added.username
        added = dataclasses.replace(added, username=username or f"ug:{uuid.UUID(int=self.dice.getrandbits(128))}")
        self.put_person(added)
        for memberships, owners in places:
            for owner in owners:
                memberships.add(owner, added.account_id)
        return added

    def put_person(self, changed: person.Person) -> person.Person:
        """Replace an account's record; its memberships stay. Apps hear of what Jira tells them."""
        event = events.name_change(self.people.get(changed.account_id), changed)
        self.people[changed.account_id] = changed
        self.revision += 1
        listeners = self._listeners()
        if event is not None and listeners:
            self.events.append(
                events.UserEvent(name=event, at=self.now(), addon_keys=listeners, person=changed),
            )
        return changed

    def change_person(
        self,
        account_id: str,
        *,
        display_name: str | None = None,
        email: str | None = None,
        email_visible: bool | None = None,
        active: bool | None = None,
    ) -> person.Person:
        """Change what is given and leave the rest."""
        given = {"display_name": display_name, "email": email, "email_visible": email_visible, "active": active}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return self.put_person(dataclasses.replace(self.find_person(account_id), **changes))

    def deactivate_person(self, account_id: str) -> person.Person:
        """They stay where they are listed; they only may not act any more."""
        return self.change_person(account_id, active=False)

    def delete_person(self, account_id: str) -> person.Person:
        return self._bury(self.find_person(account_id).as_deleted())

    def close_person(self, account_id: str) -> person.Person:
        """Delete under privacy law; one who is deleted already can still be closed."""
        found = self.people.get(account_id)
        if found is None:
            raise UnknownPersonError(account_id)
        return self._bury(found.as_closed())

    def migrate_customer(self, customer_id: str, account_id: str) -> person.Person:
        """Jira's *migrate to Atlassian account*: the portal account ends, its memberships go over to `account_id`."""
        customer = self.find_person(customer_id)
        atlassian = self.find_person(account_id)
        for memberships in (self.desk_customers, self.organization_members):
            for owner in memberships.owners(customer.account_id):
                memberships.add(owner, atlassian.account_id)
        self._bury(customer.as_deleted())
        return atlassian

    def create_issue(
        self, reporter_id: str, *, project: str | None = None, summary: str = "Help", at: dt.datetime | None = None
    ) -> issues.Issue:
        """`project` is a desk's id or project key, the first desk's by default. Raises KeyError for one that is not here."""
        reporter = self.find_person(reporter_id)
        desk = self.find_desk(project) if project is not None else next(iter(self.desks.values()))
        created = self.issues.create(
            project_id=desk.project_id,
            project_key=desk.project_key,
            reporter_id=reporter.account_id,
            summary=summary,
            at=at or self.now(),
        )
        self._tell_of_issue(events.EventName.ISSUE_CREATED, created, before=None)
        return created

    def change_reporter(self, id_or_key: str, reporter_id: str) -> issues.Issue:
        """Raises KeyError for an issue that is not here."""
        before = self.issues.find(id_or_key)
        if before is None:
            raise KeyError(id_or_key)
        reporter = self.find_person(reporter_id)
        changed = self.issues.change_reporter(before.number, reporter.account_id, at=self.now())
        self._tell_of_issue(events.EventName.ISSUE_UPDATED, changed, before=self.people[before.reporter_id])
        return changed

    def find_desk(self, id_or_key: str) -> Desk:
        """By id or, as Jira allows, by the project's key. Raises KeyError."""
        for desk in self.desks.values():
            if id_or_key in (desk.desk_id, desk.project_key):
                return desk
        raise KeyError(id_or_key)

    def search_index(self) -> search.Index:
        """Words to people, as the site is now; kept until somebody changes."""
        if self._index is None or self._index[0] != self.revision:
            self._index = (self.revision, search.Index(self.people.values()))
        return self._index[1]

    def licence_group_id(self, product: str) -> str | None:
        """The group that newcomers join to get access to a product; administrators have another."""
        for group in self.groups.values():
            if group.grants(product, USER_ACCESS) and not group.grants(None, ADMIN_ACCESS):
                return group.group_id
        return None

    def _bury(self, tombstone: person.Person) -> person.Person:
        for memberships in (self.group_members, self.desk_customers, self.organization_members):
            memberships.drop(tombstone.account_id)
        return self.put_person(tombstone)

    def _tell_of_issue(self, name: events.EventName, issue: issues.Issue, *, before: person.Person | None) -> None:
        listeners = self._listeners()
        if listeners:
            self.events.append(
                events.IssueEvent(
                    name=name,
                    at=self.now(),
                    addon_keys=listeners,
                    issue=issue,
                    reporter=self.people[issue.reporter_id],
                    reporter_before=before,
                )
            )

    def _listeners(self) -> tuple[str, ...]:
        """The apps that are there to hear of something that happens now."""
        return tuple(key for key, app in self.installations.items() if app.state is installation.State.ENABLED)

    def _username(self, account_id: str) -> str:
        return self.people[account_id].username or account_id
