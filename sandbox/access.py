"""Which service desks and organizations are there for somebody? Jira Service Management's rules for apps, agents and customers.

Source: its REST API, "Permissions required" of each operation. People with Jira reach every desk's portal here.
"""

from sandbox import person, place, site
from sandbox.call import Call

SERVICE_PRODUCT = "jira-servicedesk"


def list_portals(of_site: site.Site, account_id: str) -> list[place.Desk]:
    """Where a customer may ask: the desks that list them, and those that their organizations are shared with."""
    by_organization = {
        desk_id
        for organization_id in of_site.organization_members.owners(account_id)
        for desk_id in of_site.organizations[organization_id].desk_ids
    }
    own = by_organization.union(of_site.desk_customers.owners(account_id))
    return [desk for desk in of_site.desks.values() if desk.desk_id in own]


def list_desks(made: Call) -> list[place.Desk]:
    """Those that the caller may see at all; an app sees no hidden project."""
    if made.caller.app is not None:
        return [desk for desk in made.site.desks.values() if desk.project_key not in made.site.hidden_projects]
    if made.caller.person.kind is person.PersonKind.USER:
        return list(made.site.desks.values())
    return list_portals(made.site, made.caller.person.account_id)


def list_organizations(made: Call) -> list[place.Organization]:
    """All of them for apps and agents, and for everybody else their own."""
    organizations = made.site.organizations
    if is_agent(made):
        return list(organizations.values())
    return [organizations[each] for each in made.site.organization_members.owners(made.caller.person.account_id)]


def is_agent(made: Call) -> bool:
    """Whether the caller may look behind the portals, where no project is hidden from it."""
    if made.caller.app is not None or made.may_administer:
        return True
    groups = made.site.group_members.owners(made.caller.person.account_id)
    return any(made.site.groups[group].grants(SERVICE_PRODUCT, place.USER_ACCESS) for group in groups)
