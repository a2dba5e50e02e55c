"""What does the platform API tell about groups and their members? The operations below `/group` and `/groups`."""

import html

from sandbox import disorder, errors, paging, person, place, records, site
from sandbox.call import Answer, Call

GROUP_PAGE_CAP = 50
MEMBER_PAGE_CAP = 50
PICKER_CAP = 20
ACCESS_TYPES = frozenset({"site-admin", place.ADMIN_ACCESS, place.USER_ACCESS})


def list_groups(made: Call) -> Answer:
    """`GET /group/bulk`: groups by id, name, product (`applicationKey`) and kind of access, by name."""
    window = paging.read_window(made, cap=GROUP_PAGE_CAP)
    access, product = made.parameters["accessType"], made.parameters["applicationKey"]
    if access is not None and access not in ACCESS_TYPES:
        raise errors.BadRequest(f"Invalid access type: {access}", reason="parameter")
    if product is not None and product not in site.PRODUCTS:
        raise errors.BadRequest(f"Invalid application key: {product}", reason="parameter")
    wanted_access = place.ADMIN_ACCESS if access == "site-admin" else access
    ids, group_names = made.parameters["groupId"], made.parameters["groupName"]
    found = [
        group
        for group in sorted(made.site.groups.values(), key=lambda group: group.name)
        if (not ids or group.group_id in ids)
        and (not group_names or group.name in group_names)
        and ((access is None and product is None) or group.grants(product, wanted_access))
        and made.may_browse
    ]
    shown = [{"name": group.name, "groupId": group.group_id} for group in found[window.start :][: window.size]]
    return Answer(body=paging.build_bean(made, window, shown, len(found)))


def list_members(made: Call) -> Answer:
    """`GET /group/member`: by username; inactive people only on request, deleted ones never."""
    window = paging.read_window(made, cap=MEMBER_PAGE_CAP)
    group = _find_group(made)
    members = disorder.arrange(made.site, made.site.group_members.members(group.group_id) if made.may_browse else ())
    people = made.site.people
    with_inactive = made.parameters["includeInactiveUsers"]

    def is_listed(account_id: str) -> bool:
        found = people[account_id]
        return found.active or (with_inactive and not found.deleted)

    page, total = paging.cut(members, window, keep=is_listed, filter_late=made.site.faults.short_pages)
    shown = [records.build_user_details(made.site, people[account_id]) for account_id in disorder.mix(made.site, page)]
    return Answer(body=paging.build_bean(made, window, shown, total))


def pick_groups(made: Call) -> Answer:
    """`GET /groups/picker`: groups whose name holds the query."""
    wanted = made.parameters["maxResults"]
    if wanted is not None and wanted < 1:
        raise errors.BadRequest("maxResults must be positive.", reason="page-size")
    fold = str.casefold if made.parameters["caseInsensitive"] else str
    query, account_id = made.parameters["query"] or "", made.parameters["accountId"]
    found = [
        group
        for group in sorted(made.site.groups.values(), key=lambda group: group.name)
        if fold(query) in fold(group.name)
        and group.name not in made.parameters["exclude"]
        and group.group_id not in made.parameters["excludeId"]
        and (account_id is None or made.site.group_members.has(group.group_id, account_id))
        and made.may_browse
    ]
    shown = [
        {"name": group.name, "html": html.escape(group.name), "groupId": group.group_id, "labels": []}
        for group in found[: min(wanted or PICKER_CAP, PICKER_CAP)]
    ]
    header = f"Showing {len(shown)} of {len(found)} matching groups"
    return Answer(body={"header": header, "total": len(found), "groups": shown})


def list_groups_of_user(made: Call) -> Answer:
    """`GET /user/groups`: refused, not empty, to who may not browse people."""
    if not made.may_browse:
        raise errors.NotAllowed("You do not have permission to browse users and groups.", reason="permission")
    found = _find_person(made)
    owners = made.site.group_members.owners(found.account_id)
    return Answer(body=[records.build_group_name(made.site, made.site.groups[owner]) for owner in owners])


def _find_person(made: Call) -> person.Person:
    try:
        return made.site.find_person(made.parameters["accountId"])
    except site.UnknownPersonError as exc:
        raise errors.NotFound("The user does not exist or you do not have permission to view them.") from exc


def _find_group(made: Call) -> place.Group:
    group_id, name = made.parameters["groupId"], made.parameters["groupname"]
    if (group_id is None) == (name is None):
        raise errors.BadRequest("Either groupname or groupId must be given.", reason="parameter")
    for group in made.site.groups.values():
        if group_id == group.group_id or name == group.name:
            return group
    raise errors.NotFound("The group was not found.")


HANDLERS = {
    "bulkGetGroups": list_groups,
    "getUsersFromGroup": list_members,
    "findGroups": pick_groups,
    "getUserGroups": list_groups_of_user,
}
