"""What does Jira Service Management tell about desks, customers and organizations? Below `/rest/servicedeskapi`."""

import collections.abc
from typing import Any

from sandbox import access, disorder, errors, paging, person, place, records, site
from sandbox.call import Answer, Call

OPT_IN_HEADER = "x-experimentalapi"
OPT_IN = "opt-in"
NOT_PERMITTED = "You do not have permission to do this."
# Atlassian publishes none of its caps and may move them; these differ so that nobody can rely on one.
DESK_CAP = 100
CUSTOMER_CAP = 50
ORGANIZATION_CAP = 50
ORGANIZATION_MEMBER_CAP = 40


def list_desks(made: Call) -> Answer:
    desks = sorted(access.list_desks(made), key=lambda desk: int(desk.desk_id))
    return Answer(body=paging.build_jsm_page(made, desks, cap=DESK_CAP, show=lambda desk: _build_desk(made.site, desk)))


def get_desk(made: Call) -> Answer:
    return Answer(body=_build_desk(made.site, _find_desk(made)))


def list_customers(made: Call) -> Answer:
    """`GET /servicedesk/{id}/customer`: experimental, so only for those who say that they know."""
    if made.headers.get(OPT_IN_HEADER) != OPT_IN:
        raise errors.Refusal(
            "This API is experimental. Set the header X-ExperimentalApi: opt-in to use it.", status=412, reason="opt-in"
        )
    desk = _find_desk(made)
    _demand_agent(made)
    found = _shown(made, made.site.desk_customers.members(desk.desk_id))
    query = (made.parameters["query"] or "").casefold()
    if query:
        found = [each for each in found if query in f"{each.display_name} {each.readable_email or ''}".casefold()]
    return Answer(body=_page_of_people(made, found, CUSTOMER_CAP))


def list_organizations(made: Call) -> Answer:
    if made.parameters["accountId"] is not None:
        _demand_agent(made)
    return Answer(body=_page_of_organizations(made, access.list_organizations(made)))


def list_organizations_of_desk(made: Call) -> Answer:
    desk = _find_desk(made)
    _demand_agent(made)
    found = [each for each in made.site.organizations.values() if desk.desk_id in each.desk_ids]
    return Answer(body=_page_of_organizations(made, found))


def get_organization(made: Call) -> Answer:
    found = _find_organization(made)
    if found not in access.list_organizations(made):
        raise errors.NotAllowed(NOT_PERMITTED, reason="permission")
    return Answer(body=_build_organization(made.site, found))


def list_members(made: Call) -> Answer:
    """`GET /organization/{id}/user`, by account id."""
    organization = _find_organization(made)
    _demand_agent(made)
    members = made.site.organization_members.members(organization.organization_id)
    return Answer(body=_page_of_people(made, _shown(made, members), ORGANIZATION_MEMBER_CAP))


def _shown(made: Call, account_ids: collections.abc.Iterable[str]) -> collections.abc.Sequence[person.Person]:
    people = made.site.people
    members = [people[account_id] for account_id in account_ids if made.may_browse]
    return disorder.arrange(made.site, [each for each in members if records.is_shown(made.site, each)])


def _page_of_people(made: Call, found: collections.abc.Sequence[person.Person], cap: int) -> dict[str, Any]:
    return paging.build_jsm_page(made, found, cap=cap, show=lambda each: records.build_jsm_user(made.site, each))


def _page_of_organizations(made: Call, found: list[place.Organization]) -> dict[str, Any]:
    account_id = made.parameters["accountId"]
    if account_id is not None:
        found = [each for each in found if made.site.organization_members.has(each.organization_id, account_id)]
    found.sort(key=lambda each: int(each.organization_id))
    return paging.build_jsm_page(
        made, found, cap=ORGANIZATION_CAP, show=lambda each: _build_organization(made.site, each)
    )


def _find_desk(made: Call) -> place.Desk:
    wanted = made.parameters["serviceDeskId"]
    try:
        found = made.site.find_desk(wanted)
    except KeyError as exc:
        raise errors.NotFound(f"The service desk with id {wanted} does not exist.") from exc
    if found not in access.list_desks(made):
        raise errors.NotAllowed(NOT_PERMITTED, reason="permission")
    return found


def _demand_agent(made: Call) -> None:
    if not access.is_agent(made):
        raise errors.NotAllowed(NOT_PERMITTED, reason="permission")


def _find_organization(made: Call) -> place.Organization:
    wanted = made.parameters["organizationId"]
    found = made.site.organizations.get(str(wanted))
    if found is None:
        raise errors.NotFound(f"The organization with id {wanted} does not exist.")
    return found


def _build_desk(of_site: site.Site, desk: place.Desk) -> dict[str, Any]:
    return {
        "id": desk.desk_id,
        "projectId": desk.project_id,
        "projectKey": desk.project_key,
        "projectName": desk.project_name,
        "projectTypeKey": "service_desk",
        "_links": {"self": f"{of_site.base_url}/rest/servicedeskapi/servicedesk/{desk.desk_id}"},
    }


def _build_organization(of_site: site.Site, organization: place.Organization) -> dict[str, Any]:
    return {
        "id": organization.organization_id,
        "uuid": organization.uuid,
        "name": organization.name,
        "scimManaged": False,
        "_links": {"self": f"{of_site.base_url}/rest/servicedeskapi/organization/{organization.organization_id}"},
    }


HANDLERS = {
    "getServiceDesks": list_desks,
    "getServiceDeskById": get_desk,
    "getCustomers": list_customers,
    "getOrganizationsOfServiceDesk": list_organizations_of_desk,
    "getOrganizations": list_organizations,
    "getOrganization": get_organization,
    "getUsersInOrganization": list_members,
}
