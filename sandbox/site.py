"""What does one Jira site hold? People, groups, desks, organizations and installed apps, and the moves between them.

In memory only, and no HTTP: `sandbox.rest` and `sandbox.jsm` show it to apps, `sandbox.control` to tests and the demo.
"""

import collections.abc
import dataclasses
import datetime as dt
import random
import types
import uuid
from typing import Any

from sandbox import events, faults, installation, issues, metering, person, place, roster, search, tasks, tracker

PRODUCTS = ("jira-software", "jira-servicedesk", "jira-core", "jira-product-discovery")


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class UnknownPersonError(Exception):
    """No such account on this site, or it was deleted."""


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
        self.groups: dict[str, place.Group] = {}
        self.desks: dict[str, place.Desk] = {}
        self._register = place.Register()
        self.organizations = self._register.organizations
        self.group_members = roster.Roster(self._username)
        self.desk_customers = roster.Roster(str)
        self.organization_members = self._register.members
        self.installations: dict[str, installation.Installation] = {}
        self.app_properties: dict[str, dict[str, Any]] = {}
        self.email_api: dict[str, faults.EmailApi] = {}
        self.faults = faults.Faults()
        self.events: list[events.Event] = []
        self.tracker = tracker.Tracker(
            now=now, people=self.people, find_listeners=self._find_listeners, publish=self.events.append
        )
        self.issues = self.tracker.issues
        self.field_numbers: dict[str, int] = {}
        self.hidden_projects: set[str] = set()
        self.locked_projects: set[str] = set()
        self.failed_webhooks: list[events.FailedWebhook] = []
        self.meter = metering.Meter()
        self.bursts = metering.Bursts()
        self.issue_writes = metering.IssueWrites()
        self.tasks = tasks.Tasks()
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
            and any(
                self.groups[group].grants(None, place.ADMIN_ACCESS) for group in self.group_members.owners(account_id)
            )
        )

    def is_reachable(self, account_id: str) -> bool:
        """Whether a Connect app can find this account at all: by product access, a desk or an organization."""
        return (
            any(self.groups[group].grants(None, place.USER_ACCESS) for group in self.group_members.owners(account_id))
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
        listeners = () if event is None else self._find_listeners(event)
        if event is not None and listeners:
            self.events.append(events.UserEvent(name=event, at=self.now(), addon_keys=listeners, person=changed))
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
        self,
        reporter_id: str | None,
        *,
        project: str | None = None,
        summary: str = "Help",
        status: str = "new",
        at: dt.datetime | None = None,
    ) -> issues.Issue:
        """`project` is a desk's id or project key, the first desk's by default. Raises KeyError for one that is not here."""
        desk = self.find_desk(project) if project is not None else next(iter(self.desks.values()))
        return self.tracker.create(
            project_id=desk.project_id,
            project_key=desk.project_key,
            reporter_id=None if reporter_id is None else self.find_person(reporter_id).account_id,
            summary=summary,
            status=issues.StatusCategory(status),
            at=at,
        )

    def edit_issue(
        self,
        id_or_key: str,
        *,
        summary: str | None = None,
        status: str | None = None,
        reporter_id: str | types.EllipsisType | None = tracker.UNCHANGED,
    ) -> issues.Issue:
        """Change what is given; a reporter None is nobody. Raises tracker.UnknownIssueError and UnknownPersonError."""
        if isinstance(reporter_id, str):
            self.find_person(reporter_id)
        return self.tracker.edit(
            id_or_key,
            summary=summary,
            status=None if status is None else issues.StatusCategory(status),
            reporter_id=reporter_id,
        )

    def change_reporter(self, id_or_key: str, reporter_id: str | None) -> issues.Issue:
        return self.edit_issue(id_or_key, reporter_id=reporter_id)

    def delete_issue(self, id_or_key: str) -> issues.Issue:
        return self.tracker.delete(id_or_key)

    def create_organization(
        self, name: str, *, desk_ids: collections.abc.Iterable[str] = (), members: collections.abc.Iterable[str] = ()
    ) -> place.Organization:
        """Raises KeyError and UnknownPersonError for a desk or a person that is not here; then nothing is done."""
        accounts = [self.find_person(each).account_id for each in members]
        desks = frozenset(self.desks[each].desk_id for each in desk_ids)
        number = uuid.UUID(int=self.dice.getrandbits(128))
        return self._register.create(name, uuid=str(number), desk_ids=desks, account_ids=accounts)

    def rename_organization(self, organization_id: str, name: str) -> place.Organization:
        return self._register.rename(organization_id, name)

    def delete_organization(self, organization_id: str) -> None:
        self._register.delete(organization_id)

    def add_to_organization(self, organization_id: str, account_id: str) -> None:
        self._register.add_member(organization_id, self.find_person(account_id).account_id)

    def remove_from_organization(self, organization_id: str, account_id: str) -> None:
        self._register.remove_member(organization_id, account_id)

    def find_desk(self, id_or_key: str) -> place.Desk:
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
            if group.grants(product, place.USER_ACCESS) and not group.grants(None, place.ADMIN_ACCESS):
                return group.group_id
        return None

    def _bury(self, tombstone: person.Person) -> person.Person:
        left = () if self.faults.tombstones else (self.desk_customers, self.organization_members)
        for memberships in (self.group_members, *left):
            memberships.drop(tombstone.account_id)
        return self.put_person(tombstone)

    def _find_listeners(self, name: events.EventName) -> tuple[str, ...]:
        """The apps that are there to hear of something that happens now, and want to."""
        enabled = installation.State.ENABLED
        return tuple(key for key, app in self.installations.items() if app.state is enabled and app.hears(name))

    def _username(self, account_id: str) -> str:
        return self.people[account_id].username or account_id
