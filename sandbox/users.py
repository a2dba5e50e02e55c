"""What does the platform API tell about single people, and how are they searched? The operations below `/user`."""

import collections.abc

from sandbox import disorder, errors, paging, person, records
from sandbox.call import Answer, Call
from sandbox.faults import EmailApi

BULK_CAP = 200
EMAIL_BULK_CAP = 90
SEARCH_PAGE_CAP = 1000
SEARCH_HORIZON = 1000
"""JRACLOUD-73019: a search never shows anyone past its first thousand."""


def get_user(made: Call) -> Answer:
    account_id = made.parameters["accountId"]
    if account_id is None:
        raise errors.BadRequest("The accountId query parameter needs to be provided.", reason="parameter")
    if not made.may_browse:
        raise errors.NotAllowed("You do not have permission to browse users and groups.", reason="permission")
    return Answer(body=records.build_expanded_user(made.site, _find(made, account_id), made.parameters["expand"]))


def get_myself(made: Call) -> Answer:
    return Answer(body=records.build_expanded_user(made.site, made.caller.person, made.parameters["expand"]))


def list_users_by_id(made: Call) -> Answer:
    """`GET /user/bulk`: those of the given ids who are here; a default page has ten of them, however many are asked."""
    window = paging.read_window(made, cap=BULK_CAP)
    asked = list(dict.fromkeys(made.parameters["accountId"]))
    if len(asked) > BULK_CAP:
        raise errors.BadRequest(f"No more than {BULK_CAP} account ids may be given.", reason="too-many")
    people = made.site.people
    known = [people[account_id] for account_id in asked if account_id in people]
    found = [each for each in known if records.is_shown(made.site, each)]
    shown = [records.build_user(made.site, each) for each in found[window.start :][: window.size]]
    return Answer(body=paging.build_bean(made, window, shown, len(found)))


def search_users(made: Call) -> Answer:
    """`GET /user/search`: active people by prefixes of the words in their name and visible address."""
    window = paging.read_window(made, cap=SEARCH_PAGE_CAP)
    query, account_id = made.parameters["query"], made.parameters["accountId"]
    if query is None and account_id is None and made.parameters["property"] is None:
        raise errors.BadRequest("One of query, accountId and property must be given.", reason="parameter")
    if not made.may_browse:
        return Answer(body=[])
    if account_id is not None:
        found: collections.abc.Sequence[str] = [account_id] if account_id in made.site.people else []
    else:
        # People of this site have no user properties, so a search by property alone finds nobody.
        matches = [] if query is None else made.site.search_index().find(query)[:SEARCH_HORIZON]
        found = disorder.arrange(made.site, matches)
    people = made.site.people
    page, _ = paging.cut(
        found,
        window,
        keep=lambda found_id: people[found_id].active,
        filter_late=made.site.faults.short_pages,
    )
    return Answer(body=[records.build_user(made.site, people[found_id]) for found_id in disorder.mix(made.site, page)])


def get_email(made: Call) -> Answer:
    _demand_email_api(made)
    found = _find(made, made.parameters["accountId"])
    if found.email is None:
        raise errors.NotFound("The user has no email address.")
    return Answer(body={"accountId": found.account_id, "email": found.email})


def list_emails(made: Call) -> Answer:
    """`GET /user/email/bulk`: an array, whatever the document says; who has no address to give is left out."""
    _demand_email_api(made)
    asked = list(dict.fromkeys(made.parameters["accountId"]))
    if len(asked) > EMAIL_BULK_CAP:
        raise errors.BadRequest(f"No more than {EMAIL_BULK_CAP} account ids may be given.", reason="too-many")
    people = made.site.people
    found = [people[account_id] for account_id in asked if account_id in people]
    return Answer(body=[{"accountId": each.account_id, "email": each.email} for each in found if each.email])


def _demand_email_api(made: Call) -> None:
    app = made.caller.app
    state = EmailApi.NOT_APPROVED if app is None else made.site.email_api_for(app.addon_key)
    if state is EmailApi.NOT_APPROVED:
        raise errors.BadRequest("The calling app is not approved to use this API.", reason="not-approved")
    if state is EmailApi.DISABLED:
        raise errors.Refusal("The API is not currently enabled.", status=503, reason="email-api-disabled")


def _find(made: Call, account_id: str) -> person.Person:
    found = made.site.people.get(account_id)
    if found is None or not records.is_shown(made.site, found):
        raise errors.NotFound("The user does not exist or you do not have permission to view them.")
    return found


def refuse(made: Call) -> Answer:
    """`GET /users` and `/users/search`: the scope has refused every app already; people at the pages do not need it."""
    raise errors.NotAllowed(f"{made.path} is not available here.", reason="inaccessible")


HANDLERS = {
    "getUser": get_user,
    "getCurrentUser": get_myself,
    "bulkGetUsers": list_users_by_id,
    "findUsers": search_users,
    "getUserEmail": get_email,
    "getUserEmailBulk": list_emails,
    "getAllUsers": refuse,
    "getAllUsersDefault": refuse,
}
