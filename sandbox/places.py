"""Where do a generated site's people belong? Its groups with their product access, desks, organizations and domains."""

import dataclasses
import random

from sandbox import accounts, names, place, site

CUSTOMERS_PER_DESK = 150
CUSTOMERS_PER_ORGANIZATION = 20
MIN_DESKS = 2
MIN_ORGANIZATIONS = 2
ADDONS_GROUP = "atlassian-addons-admin"
FIRST_PROJECT_ID = 10000

# Product, name of its group, share of the Atlassian users with access. They overlap, as licences do.
PRODUCT_GROUPS = (
    ("jira-software", "jira-software-users", 0.85),
    ("jira-servicedesk", "jira-servicedesk-users", 0.1),
    ("jira-core", "jira-work-management-users", 0.4),
    ("jira-product-discovery", "jira-product-discovery-users", 0.1),
)
TEAM_GROUPS = (("engineering", 0.3), ("sales", 0.2), ("all-staff", 0.9))
CONTRACTORS_GROUP = "contractors"
CONTRACTORS_SHARE = 0.15


@dataclasses.dataclass(slots=True, kw_only=True)
class Places:
    """Ids of what `build` made. `products` holds the groups in the order of PRODUCT_GROUPS."""

    admins: str = ""
    addons: str = ""
    contractors: str = ""
    products: list[str] = dataclasses.field(default_factory=list)
    teams: list[str] = dataclasses.field(default_factory=list)
    desks: list[str] = dataclasses.field(default_factory=list)
    organizations: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    """Id and email domain."""
    staff_domain: str = ""

    def draw_groups(self, rng: random.Random) -> tuple[str, ...]:
        """The groups of one Atlassian user; at least one of them gives access to a product."""
        shares = [share for _, _, share in PRODUCT_GROUPS]
        chosen = [group for group, share in zip(self.products, shares, strict=True) if rng.random() < share]
        if rng.random() < CONTRACTORS_SHARE:
            chosen.append(self.contractors)
        teams = [group for group, (_, share) in zip(self.teams, TEAM_GROUPS, strict=True) if rng.random() < share]
        return (*(chosen or self.products[:1]), *teams)

    def draw_organization(self, rng: random.Random) -> tuple[str, str]:
        return rng.choice(self.organizations)


def build(
    of_site: site.Site,
    rng: random.Random,
    drawn_names: names.Names,
    *,
    customers: int,
    organizations: int | None = None,
) -> Places:
    """Make groups, desks and organizations for this many customers; nobody is in them yet."""
    if organizations is None:
        organizations = max(MIN_ORGANIZATIONS, customers // CUSTOMERS_PER_ORGANIZATION)
    made = Places(staff_domain=names.domain_of(drawn_names.draw_company(), 0))
    everything = frozenset(
        (product, kind) for product in site.PRODUCTS for kind in (place.USER_ACCESS, place.ADMIN_ACCESS)
    )
    made.admins = _add_group(of_site, rng, "site-admins", everything)
    made.addons = _add_group(of_site, rng, ADDONS_GROUP, frozenset())
    for product, name, _ in PRODUCT_GROUPS:
        made.products.append(_add_group(of_site, rng, name, frozenset({(product, place.USER_ACCESS)})))
    made.contractors = _add_group(
        of_site,
        rng,
        CONTRACTORS_GROUP,
        frozenset({("jira-software", place.USER_ACCESS), ("jira-core", place.USER_ACCESS)}),
    )
    made.teams.extend(_add_group(of_site, rng, name, frozenset()) for name, _ in TEAM_GROUPS)
    for number in range(max(MIN_DESKS, customers // CUSTOMERS_PER_DESK)):
        desk = place.Desk(
            desk_id=str(number + 1),
            project_id=str(FIRST_PROJECT_ID + number),
            project_key=f"SD{number + 1}",
            project_name=drawn_names.draw_project(),
        )
        of_site.desks[desk.desk_id] = desk
        made.desks.append(desk.desk_id)
    for number in range(organizations):
        organization = place.Organization(
            organization_id=str(number + 1),
            uuid=accounts.draw_uuid(rng),
            name=drawn_names.draw_company(),
            desk_ids=frozenset(rng.sample(made.desks, rng.choice((1, 2)))),
        )
        of_site.organizations[organization.organization_id] = organization
        made.organizations.append((organization.organization_id, names.domain_of(organization.name, number + 1)))
    return made


def _add_group(of_site: site.Site, rng: random.Random, name: str, access: frozenset[tuple[str, str]]) -> str:
    group = place.Group(group_id=accounts.draw_uuid(rng), name=name, access=access)
    of_site.groups[group.group_id] = group
    return group.group_id
