"""What may somebody do on this site? Jira's two permission checks, over the few permissions that the sandbox knows."""

import collections.abc
from typing import Any

from sandbox import errors, person
from sandbox.call import Answer, Call

ADMINISTER = "ADMINISTER"
USER_PICKER = "USER_PICKER"
GLOBAL = {
    ADMINISTER: "Administer Jira",
    "SYSTEM_ADMIN": "Administer Jira System",
    USER_PICKER: "Browse users and groups",
    "BULK_CHANGE": "Make bulk changes",
}
PROJECT = {
    "ADMINISTER_PROJECTS": "Administer Projects",
    "BROWSE_PROJECTS": "Browse Projects",
    "EDIT_ISSUES": "Edit Issues",
}


def list_own(made: Call) -> Answer:
    """`GET /mypermissions`; without any project or issue to look at, nobody has a project permission."""
    asked = [key for key in (made.parameters["permissions"] or "").split(",") if key]
    if not asked:
        raise errors.BadRequest("The permissions query parameter is required.", reason="parameter")
    _check_known(asked, {*GLOBAL, *PROJECT})
    granted = {ADMINISTER} if made.may_administer else set()
    if made.may_browse:
        granted |= {USER_PICKER, "BULK_CHANGE"}
    return Answer(
        body={
            "permissions": {
                key: {
                    "id": str(number),
                    "key": key,
                    "name": name,
                    "type": "GLOBAL" if key in GLOBAL else "PROJECT",
                    "description": "",
                    "havePermission": key in granted,
                }
                for number, (key, name) in enumerate((GLOBAL | PROJECT).items())
                if key in asked
            }
        }
    )


def check_bulk(made: Call) -> Answer:
    """`POST /permissions/check`: apps may ask about anybody, people only about themselves unless they administer."""
    body = made.read_json()
    if not isinstance(body, dict):
        raise errors.BadRequest("The request body must be an object.", reason="body")
    account_id = body.get("accountId") or made.caller.person.account_id
    asked = _read_keys(body, "globalPermissions")
    _check_known(asked, GLOBAL.keys())
    if account_id != made.caller.person.account_id and made.caller.app is None and not made.may_administer:
        raise errors.NotAllowed("You may not check other users' permissions.", reason="permission")
    granted = _granted_to(made, account_id)
    return Answer(
        body={
            "globalPermissions": [key for key in asked if key in granted],
            "projectPermissions": _granted_on_issues(made, account_id, body.get("projectPermissions", [])),
        },
    )


def _granted_on_issues(made: Call, account_id: str, asked: Any) -> list[dict[str, Any]]:
    """For each permission the issues, of those asked about, on which the person has it; no project is looked up."""
    if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
        raise errors.BadRequest("projectPermissions must be a list of objects.", reason="body")
    granted: dict[str, list[int]] = {}
    for each in asked:
        keys = _read_keys(each, "permissions")
        _check_known(keys, PROJECT.keys())
        there = [number for number in each.get("issues", []) if made.site.issues.find(str(number)) is not None]
        for key in keys:
            granted.setdefault(key, []).extend(there if _has_on_issues(made, account_id, key) else [])
    return [{"permission": key, "issues": numbers, "projects": []} for key, numbers in granted.items()]


def _has_on_issues(made: Call, account_id: str, key: str) -> bool:
    """People with Jira see and edit every issue of this site; portal customers none."""
    found = made.site.people.get(account_id)
    if found is None or not found.active or found.kind is not person.PersonKind.USER:
        return False
    return key != "ADMINISTER_PROJECTS" or made.site.is_admin(account_id)


def _granted_to(made: Call, account_id: str) -> set[str]:
    found = made.site.people.get(account_id)
    if found is None or not found.active:
        return set()
    own = {USER_PICKER, "BULK_CHANGE"} if found.kind is person.PersonKind.USER else set()
    return own | {ADMINISTER} if made.site.is_admin(account_id) else own


def _read_keys(body: dict[str, Any], name: str) -> list[str]:
    keys = body.get(name, [])
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise errors.BadRequest(f"{name} must be a list of permission keys.", reason="body")
    return list(dict.fromkeys(keys))


def _check_known(asked: list[str], known: collections.abc.Collection[str]) -> None:
    unknown = [key for key in asked if key not in known]
    if unknown:
        raise errors.BadRequest(f"Unrecognized permissions: {', '.join(unknown)}", reason="permission-key")


HANDLERS = {"getMyPermissions": list_own, "getBulkPermissions": check_bulk}
