"""What does the site really hold? The numbers and lists that a test or a demo compares the add-on's work with.

Nothing here is shown to apps: it knows hidden addresses and deleted people.
"""

import collections
from typing import Any

from sandbox import installation, issues, person, place, site


def build_state(here: site.Site, *, with_people: bool) -> dict[str, Any]:
    """`reachable` counts the living whom a Connect app can find at all, which is whom a complete sync has to know."""
    state = {
        "site": {"baseUrl": here.base_url, "cloudId": here.cloud_id, "clientKey": here.client_key, "name": here.name},
        "people": count_people(here),
        "groups": len(here.groups),
        "desks": len(here.desks),
        "organizations": len(here.organizations),
        "issues": len(here.issues),
        "failedWebhooks": len(here.failed_webhooks),
        "pointsSpent": here.points_spent,
        "installations": [build_installation(each) for each in here.installations.values()],
    }
    if with_people:
        state["list"] = [build_person(here, each) for each in here.people.values()]
    return state


def count_people(here: site.Site) -> dict[str, Any]:
    living = [each for each in here.people.values() if not each.deleted]
    kinds = {kind: [each for each in living if each.kind is kind] for kind in person.PersonKind}
    return {
        "total": len(here.people),
        "deleted": len(here.people) - len(living),
        "closed": sum(each.closed for each in here.people.values()),
        "byKind": {str(kind): _count(here, people) for kind, people in kinds.items()},
        "sharedEmails": _count_shared_emails(living),
    }


def build_person(here: site.Site, shown: person.Person) -> dict[str, Any]:
    return {
        "accountId": shown.account_id,
        "accountType": str(shown.account_type),
        "kind": str(shown.kind),
        "displayName": shown.display_name,
        "email": shown.email,
        "emailVisible": shown.email_visible,
        "active": shown.active,
        "timeZone": shown.time_zone,
        "deleted": shown.deleted,
        "closed": shown.closed,
        "reachable": not shown.deleted and here.is_reachable(shown.account_id),
        "groups": here.group_members.owners(shown.account_id),
        "desks": here.desk_customers.owners(shown.account_id),
        "organizations": here.organization_members.owners(shown.account_id),
    }


def build_issue(shown: issues.Issue) -> dict[str, Any]:
    return {
        "id": shown.issue_id,
        "key": shown.key,
        "project": shown.project_key,
        "summary": shown.summary,
        "status": str(shown.status),
        "reporterId": shown.reporter_id,
        "properties": dict(shown.properties),
        "created": shown.created.isoformat(),
        "updated": shown.updated.isoformat(),
    }


def build_group(here: site.Site, shown: place.Group) -> dict[str, Any]:
    return {
        "id": shown.group_id,
        "name": shown.name,
        "products": sorted({product for product, kind in shown.access if kind == place.USER_ACCESS}),
        "members": list(here.group_members.members(shown.group_id)),
    }


def build_organization(here: site.Site, shown: place.Organization) -> dict[str, Any]:
    return {
        "id": shown.organization_id,
        "name": shown.name,
        "desks": sorted(shown.desk_ids),
        "members": list(here.organization_members.members(shown.organization_id)),
    }


def build_installation(shown: installation.Installation) -> dict[str, Any]:
    """Without the secret: this is read over HTTP."""
    return {
        "addonKey": shown.addon_key,
        "clientKey": shown.client_key,
        "state": str(shown.state),
        "baseUrl": shown.base_url,
        "accountId": shown.account_id,
    }


def _count(here: site.Site, people: list[person.Person]) -> dict[str, int]:
    reachable = [each for each in people if here.is_reachable(each.account_id)]
    return {
        "total": len(people),
        "active": sum(each.active for each in people),
        "inactive": sum(not each.active for each in people),
        "emailVisible": sum(each.readable_email is not None for each in people),
        "emailHidden": sum(each.email is not None and not each.email_visible for each in people),
        "reachable": len(reachable),
        "reachableActive": sum(each.active for each in reachable),
    }


def _count_shared_emails(people: list[person.Person]) -> int:
    """How many addresses belong to two accounts or more, whatever the case of their letters."""
    owners = collections.Counter(each.email.casefold() for each in people if each.email)
    return sum(count > 1 for count in owners.values())
