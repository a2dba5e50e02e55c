"""What may somebody do on this site? Jira's two permission checks, over the few permissions that the sandbox knows."""

import collections.abc
from typing import Any

from sandbox import errors, issues, person
from sandbox.call import Answer, Call

ADMINISTER = "ADMINISTER"
USER_PICKER = "USER_PICKER"
MAX_IDS = 1000
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
    given = body.get("accountId")
    if given is not None and not isinstance(given, str):
        raise errors.BadRequest("accountId must be a string.", reason="body")
    account_id = given or made.caller.person.account_id
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


def _granted_on_issues(made: Call, account_id: str, asked: object) -> list[dict[str, Any]]:
    """For each permission the issues, of those asked about, on which the person has it; no project is looked up."""
    if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
        raise errors.BadRequest("projectPermissions must be a list of objects.", reason="body")
    granted: dict[str, dict[int, None]] = {}
    for each in asked:
        keys = _read_keys(each, "permissions")
        if not keys:
            raise errors.BadRequest("Project permissions must name a permission.", reason="body")
        _check_known(keys, PROJECT.keys())
        found = [made.site.issues.find(str(number)) for number in _read_ids(each, "issues")]
        for key in keys:
            numbers = granted.setdefault(key, {})
            for issue in found:
                if issue is not None and _has_on_issue(made, account_id, key, issue):
                    numbers[issue.number] = None
    return [{"permission": key, "issues": list(numbers), "projects": []} for key, numbers in granted.items()]


def _has_on_issue(made: Call, account_id: str, key: str, issue: issues.Issue) -> bool:
    """People with Jira see and edit every issue of this site, portal customers none, and an app where it may."""
    if made.caller.app is not None and account_id == made.caller.app.account_id:
        return {"BROWSE_PROJECTS": made.may_see, "EDIT_ISSUES": made.may_edit}.get(key, _has_nowhere)(issue)
    found = made.site.people.get(account_id)
    if found is None or not found.active or found.kind is not person.PersonKind.USER:
        return False
    return key != "ADMINISTER_PROJECTS" or made.site.is_admin(account_id)


def _has_nowhere(_: issues.Issue) -> bool:
    return False


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


def _read_ids(body: dict[str, Any], name: str) -> list[int]:
    numbers = body.get(name, [])
    if not isinstance(numbers, list) or not all(isinstance(each, int) and each >= 0 for each in numbers):
        raise errors.BadRequest(f"{name} must be a list of ids.", reason="body")
    if len(numbers) > MAX_IDS:
        raise errors.BadRequest(f"{name} must not list more than {MAX_IDS} ids.", reason="body")
    return numbers


def _check_known(asked: list[str], known: collections.abc.Collection[str]) -> None:
    unknown = [key for key in asked if key not in known]
    if unknown:
        raise errors.BadRequest(f"Unrecognized permissions: {', '.join(unknown)}", reason="permission-key")


HANDLERS = {"getMyPermissions": list_own, "getBulkPermissions": check_bulk}
