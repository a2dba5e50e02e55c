"""Who lives on a generated site? The same seed gives the same people, groups, desks and organizations.

Shares below are of all accounts unless they say otherwise. Ids, names and addresses: `sandbox.accounts`, `sandbox.names`.
"""

import collections
import dataclasses
import itertools
import random

from sandbox import accounts, names, person, places, site

CUSTOMERS_SHARE = 0.3
APPS_SHARE = 0.01
HIDDEN_EMAILS_SHARE = 0.1
INACTIVE_SHARE = 0.06
DELETED_SHARE = 0.02
SHARED_EMAILS_SHARE = 0.01
"""Portal customers who have the address of an Atlassian account, in other letters' case."""
SAME_NAME_SHARE = 0.02
LONG_NAMES_SHARE = 0.005
WITHOUT_PRODUCT_SHARE = 0.03
"""Of the Atlassian accounts: those without product access, whom only a desk knows as customers."""
ONLY_ORGANIZATION_SHARE = 0.25
"""Of the customers: those whom no desk lists, because they came in through an organization."""
MIN_APPS = 2
TIME_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Jerusalem", "Australia/Sydney", "Etc/UTC")


def populate(
    of_site: site.Site,
    *,
    people: int,
    seed: int,
    customers_share: float = CUSTOMERS_SHARE,
    organizations: int | None = None,
) -> None:
    """Fill an empty site with `people` accounts of all kinds; three well-known ones are always there.

    With a number of `organizations`, every customer belongs to one of them, and to each as many as to the others.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose; nothing secret is drawn from it
    drawn_names = names.Names(rng)
    rest = max(0, people - 3)
    apps = min(rest, max(MIN_APPS, round(people * APPS_SHARE))) if rest else 0
    customers = round((rest - apps) * customers_share)
    built = places.build(of_site, rng, drawn_names, customers=customers, organizations=organizations)
    generator = _Generator(of_site, rng, drawn_names, built)
    generator.add_well_known()
    for _ in range(apps):
        generator.add_app()
    for _ in range(rest - apps - customers):
        generator.add_user()
    for _ in range(customers):
        generator.add_customer()
    if organizations is not None:
        generator.share_customers()
    generator.settle()


class _Generator:
    def __init__(self, of_site: site.Site, rng: random.Random, drawn_names: names.Names, built: places.Places) -> None:
        self.site = of_site
        self.rng = rng
        self.names = drawn_names
        self.places = built
        self._portal = accounts.draw_uuid(rng)
        self._groups: dict[str, list[str]] = collections.defaultdict(list)
        self._desks: dict[str, list[str]] = collections.defaultdict(list)
        self._organizations: dict[str, list[str]] = collections.defaultdict(list)
        self._last_name = "Alex Example"
        self._addresses: list[str] = []

    def add_well_known(self) -> None:
        here = self.places
        for account_id, name, group_ids in (
            (accounts.WELL_KNOWN_ADMIN, "Ada Admin", (here.admins, here.products[0])),
            (accounts.WELL_KNOWN_AGENT, "Anselm Agent", (here.products[0], here.products[1])),
            (accounts.WELL_KNOWN_MEMBER, "Mia Member", (here.products[0],)),
        ):
            known = person.Person(
                account_id=account_id,
                account_type=person.AccountType.ATLASSIAN,
                display_name=name,
                email=self.names.draw_email(name, here.staff_domain),
                username=self._draw_username(),
            )
            self._join(known, group_ids)
        self.site.admin_id = accounts.WELL_KNOWN_ADMIN
        self.site.agent_id = accounts.WELL_KNOWN_AGENT
        self.site.member_id = accounts.WELL_KNOWN_MEMBER

    def add_app(self) -> None:
        app = person.Person(
            account_id=accounts.draw_atlassian_id(self.rng),
            account_type=person.AccountType.APP,
            display_name=f"{self.names.draw_project()} for Jira",
            username=self._draw_username(),
        )
        self._join(app, (self.places.addons, self.places.products[0]))

    def add_user(self) -> None:
        added = self._draw(person.AccountType.ATLASSIAN, accounts.draw_atlassian_id(self.rng), self.places.staff_domain)
        self._addresses.extend([added.email] if added.email else [])
        if self.rng.random() < WITHOUT_PRODUCT_SHARE:
            self._join(added, ())
            self._desks[self.rng.choice(self.places.desks)].append(added.account_id)
        else:
            self._join(added, self.places.draw_groups(self.rng))

    def add_customer(self) -> None:
        organization, domain = self.places.draw_organization(self.rng)
        added = self._draw(person.AccountType.CUSTOMER, accounts.draw_customer_id(self.rng, self._portal), domain)
        if self._addresses and not added.deleted and self.rng.random() < SHARED_EMAILS_SHARE / CUSTOMERS_SHARE:
            added = dataclasses.replace(added, email=self.rng.choice(self._addresses).swapcase())
        self._join(added, ())
        if added.deleted:
            return
        in_desk = self.rng.random() >= ONLY_ORGANIZATION_SHARE
        if in_desk:
            for desk in self.rng.sample(self.places.desks, self.rng.choice((1, 1, 1, 2))):
                self._desks[desk].append(added.account_id)
        if not in_desk or self.rng.random() < 0.5:  # noqa: PLR2004 - every other desk customer has an organization too
            self._organizations[organization].append(added.account_id)

    def share_customers(self) -> None:
        """Into the organizations in turn, wherever chance has put them."""
        customers = [
            each.account_id
            for each in self.site.people.values()
            if each.kind is person.PersonKind.CUSTOMER and each.active
        ]
        self._organizations.clear()
        for account_id, (organization, _) in zip(customers, itertools.cycle(self.places.organizations), strict=False):
            self._organizations[organization].append(account_id)

    def settle(self) -> None:
        """Write the memberships down, all at once: sorting each list once is what makes large sites quick."""
        for roster, memberships in (
            (self.site.group_members, self._groups),
            (self.site.desk_customers, self._desks),
            (self.site.organization_members, self._organizations),
        ):
            for owner, members in memberships.items():
                roster.fill(owner, members)
        self.site.revision += 1

    def _join(self, added: person.Person, group_ids: tuple[str, ...]) -> None:
        """Deleted people stay in their groups' index, as on real sites: lists count them and then leave them out."""
        self.site.people[added.account_id] = added
        for group_id in group_ids:
            self._groups[group_id].append(added.account_id)

    def _draw(self, account_type: person.AccountType, account_id: str, domain: str) -> person.Person:
        chance = self.rng.random()
        if chance >= SAME_NAME_SHARE:
            long = chance < SAME_NAME_SHARE + LONG_NAMES_SHARE
            self._last_name = self.names.draw_long_name() if long else self.names.draw_name()
        drawn = person.Person(
            account_id=account_id,
            account_type=account_type,
            display_name=self._last_name,
            email=self.names.draw_email(self._last_name, domain),
            email_visible=self.rng.random() >= HIDDEN_EMAILS_SHARE,
            active=self.rng.random() >= INACTIVE_SHARE,
            username=self._draw_username(),
            time_zone=self.rng.choice(TIME_ZONES),
        )
        return drawn.as_deleted() if self.rng.random() < DELETED_SHARE else drawn

    def _draw_username(self) -> str:
        return f"ug:{accounts.draw_uuid(self.rng)}"
