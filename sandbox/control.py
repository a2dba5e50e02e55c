"""The hand on the site: how do a test, a demo and the *People* page change it while it runs? JSON below `/sandbox`.

No app may find its way here by accident, and none needs a token: this is no part of Jira.
"""

import collections.abc
import dataclasses
import re
import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import (
    cloud,
    descriptors,
    errors,
    group_hand,
    hand,
    installation,
    issue_hand,
    organization_hand,
    person,
    records,
    site,
    switches,
    truth,
)

MAX_ID_CHARS = 128
ACCOUNT_ID = re.compile(rf"[A-Za-z0-9:_-]{{1,{MAX_ID_CHARS}}}")
PERSON_FIELDS: switches.Known = {
    "displayName": ("display_name", str),
    "email": ("email", str | None),
    "emailVisible": ("email_visible", bool),
    "active": ("active", bool),
    "timeZone": ("time_zone", str),
}


async def show_state(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """`?people=1` adds everybody."""
    return JSONResponse(truth.build_state(here, with_people=request.query_params.get("people") == "1"))


async def add_person(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """A user gets access to Jira and a customer a place at a desk, unless the body names the places."""
    body = await hand.read(request)
    account_id, fields = body.get("accountId"), switches.read_fields(body, PERSON_FIELDS)
    if not fields.get("display_name", "").strip():
        raise errors.BadRequest("A person needs a displayName.")
    if account_id is not None and not _is_account_id(account_id):
        raise errors.BadRequest(
            f"accountId must be 1 to {MAX_ID_CHARS} of A-Z, a-z, 0-9, ':', '_' and '-', and not unknown."
        )
    account_type = person.AccountType(body.get("accountType", person.AccountType.ATLASSIAN))
    is_customer = account_type is person.AccountType.CUSTOMER
    added = person.Person(
        account_id=account_id or _new_id(account_type),
        account_type=account_type,
        **fields,
    )
    if added.account_id in here.people:
        raise errors.Refusal(f"{added.account_id} exists already.", status=409)
    licence = None if is_customer else here.licence_group_id(site.PRODUCTS[0])
    here.add_person(
        added,
        group_ids=body.get("groups", [] if licence is None else [licence]),
        desk_ids=body.get("desks", list(here.desks)[:1] if is_customer else []),
        organization_ids=body.get("organizations", []),
    )
    return JSONResponse(truth.build_person(here, added), status_code=201)


async def show_person(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    account_id = request.path_params["account_id"]
    if account_id not in here.people:
        raise errors.NotFound(f"Nobody has the id {account_id}.")
    return JSONResponse(truth.build_person(here, here.people[account_id]))


async def change_person(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    """Fields as in the state. `{"closed": true}` closes the account; `{"migrateTo": id}` ends a customer's account."""
    body = await hand.read(request)
    account_id = request.path_params["account_id"]
    unknown = body.keys() - PERSON_FIELDS.keys() - {"closed", "migrateTo"}
    if unknown:
        raise errors.BadRequest(f"Unknown fields: {', '.join(sorted(unknown))}")
    if body.get("closed"):
        return JSONResponse(truth.build_person(here, here.close_person(account_id)))
    if "migrateTo" in body:
        return JSONResponse(truth.build_person(here, here.migrate_customer(account_id, body["migrateTo"])))
    changed = here.put_person(
        dataclasses.replace(here.find_person(account_id), **switches.read_fields(body, PERSON_FIELDS))
    )
    return JSONResponse(truth.build_person(here, changed))


async def delete_person(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    here.delete_person(request.path_params["account_id"])
    return Response(status_code=204)


async def install(request: Request, of_cloud: cloud.Cloud, here: site.Site) -> Response:
    body = await hand.read(request)
    try:
        installed = await of_cloud.install(here, str(body["descriptorUrl"]))
    except descriptors.DescriptorError as exc:
        raise errors.Refusal(f"Jira does not take this descriptor: {exc}", status=422) from exc
    except cloud.FAILED as exc:
        raise errors.Refusal(f"The descriptor cannot be fetched: {exc}", status=502) from exc
    return _show_installation(installed)


def _moving(
    move: collections.abc.Callable[[cloud.Cloud, site.Site, str], collections.abc.Awaitable[installation.Installation]],
) -> hand.Handler:
    async def handle(request: Request, of_cloud: cloud.Cloud, here: site.Site) -> Response:
        """`{addonKey}`; without one, the only app that the site has."""
        body = await hand.read(request)
        addon_key = body.get("addonKey") or next(iter(here.installations), "")
        if addon_key not in here.installations:
            raise errors.NotFound(f"The app {addon_key!r} is not installed here.")
        return _show_installation(await move(of_cloud, here, addon_key))

    return handle


async def change_faults(request: Request, _: cloud.Cloud, here: site.Site) -> Response:
    here.faults = switches.change(here.faults, await hand.read(request))
    return JSONResponse(switches.show(here.faults))


def _is_account_id(given: object) -> bool:
    """Jira writes `unknown` itself, for a record that it lost."""
    return isinstance(given, str) and ACCOUNT_ID.fullmatch(given) is not None and given != records.UNKNOWN


def _new_id(account_type: person.AccountType) -> str:
    if account_type is person.AccountType.CUSTOMER:
        return f"qm:{uuid.uuid4()}:{uuid.uuid4()}"
    return f"712020:{uuid.uuid4()}"


def _show_installation(shown: installation.Installation) -> Response:
    is_whole = shown.state is not installation.State.INCOMPLETE
    return JSONResponse(truth.build_installation(shown), status_code=200 if is_whole else 502)


ENDPOINTS: tuple[tuple[str, list[str], hand.Handler], ...] = tuple(
    (path, [method], hand.answering(handle))
    for method, path, handle in (
        ("GET", "/sandbox/state", show_state),
        ("POST", "/sandbox/people", add_person),
        ("GET", "/sandbox/people/{account_id}", show_person),
        ("PATCH", "/sandbox/people/{account_id}", change_person),
        ("DELETE", "/sandbox/people/{account_id}", delete_person),
        ("POST", "/sandbox/install", install),
        ("POST", "/sandbox/enable", _moving(cloud.Cloud.enable)),
        ("POST", "/sandbox/disable", _moving(cloud.Cloud.disable)),
        ("POST", "/sandbox/uninstall", _moving(cloud.Cloud.uninstall)),
        ("POST", "/sandbox/reinstall", _moving(cloud.Cloud.reinstall)),
        ("POST", "/sandbox/reimport", _moving(cloud.Cloud.reimport)),
        ("PATCH", "/sandbox/faults", change_faults),
        *issue_hand.ENDPOINTS,
        *group_hand.ENDPOINTS,
        *organization_hand.ENDPOINTS,
    )
)
