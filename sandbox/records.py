"""How does one person look in an answer? As the platform's User and UserDetails, and as JSM's UserDTO.

Privacy and the fallback values of a broken user directory show here and nowhere else.
"""

import collections.abc
import dataclasses
import datetime as dt
import functools
import urllib.parse
import zlib
from typing import Any

from sandbox import fields, issues, person, place, site

UNKNOWN = "unknown"
AVATAR_SIZES = (16, 24, 32, 48)
SHARE_STEPS = 10_000
STATUS_CATEGORY_IDS = {
    issues.StatusCategory.NEW: 2,
    issues.StatusCategory.INDETERMINATE: 4,
    issues.StatusCategory.DONE: 3,
}
STATUS_COLORS = {
    issues.StatusCategory.NEW: "blue-gray",
    issues.StatusCategory.INDETERMINATE: "yellow",
    issues.StatusCategory.DONE: "green",
}


def is_shown(of_site: site.Site, found: person.Person) -> bool:
    """Whether Jira answers this account where it answers about single people."""
    return of_site.faults.tombstones or not found.deleted


def build_user(of_site: site.Site, shown: person.Person) -> dict[str, Any]:
    """The platform's `User`; a hidden address is left out altogether."""
    seen = _see(of_site, shown)
    record = {
        "self": _self_link(of_site, seen.account_id),
        "accountId": seen.account_id,
        "accountType": seen.account_type,
        "avatarUrls": _avatars(of_site.base_url),
        "displayName": seen.display_name,
        "active": seen.active,
        "timeZone": seen.time_zone,
    }
    return record if seen.email is None else {**record, "emailAddress": seen.email}


def build_told_user(of_site: site.Site, shown: person.Person) -> dict[str, Any]:
    """A user as webhooks tell of one: never with an address, and always with what Jira itself knows."""
    return {
        "self": _self_link(of_site, shown.account_id),
        "accountId": shown.account_id,
        "accountType": str(shown.account_type),
        "avatarUrls": _avatars(of_site.base_url),
        "displayName": shown.display_name,
        "active": shown.active,
        "timeZone": shown.time_zone,
    }


def build_user_details(of_site: site.Site, shown: person.Person) -> dict[str, Any]:
    """The platform's `UserDetails`, in lists of group members; `key` and `name` went with the privacy migration."""
    return {**build_user(of_site, shown), "key": "", "name": ""}


def build_expanded_user(of_site: site.Site, shown: person.Person, expand: str | None) -> dict[str, Any]:
    """A `User` with the parts that only single reads have; their items come when they are asked for."""
    asked = (expand or "").split(",")
    group_names = [of_site.groups[group] for group in of_site.group_members.owners(shown.account_id)]
    products = sorted({product for group in group_names for product, _ in group.access})
    groups: dict[str, Any] = {"size": len(group_names), "items": []}
    roles: dict[str, Any] = {"size": len(products), "items": []}
    if "groups" in asked:
        groups["items"] = [build_group_name(of_site, group) for group in group_names]
    if "applicationRoles" in asked:
        roles["items"] = [{"key": product} for product in products]
    return {
        **build_user(of_site, shown),
        "locale": "en_US",
        "groups": groups,
        "applicationRoles": roles,
        "expand": "groups,applicationRoles",
    }


def build_jsm_user(of_site: site.Site, shown: person.Person) -> dict[str, Any]:
    """JSM's `UserDTO`: no account type, and a hidden address is null."""
    seen = _see(of_site, shown)
    return {
        "accountId": seen.account_id,
        "emailAddress": seen.email,
        "displayName": seen.display_name,
        "active": seen.active,
        "timeZone": seen.time_zone,
        "_links": {
            "self": _self_link(of_site, seen.account_id),
            "jiraRest": _self_link(of_site, seen.account_id),
            "avatarUrls": _avatars(of_site.base_url),
        },
    }


def build_issue_fields(
    of_site: site.Site, shown: issues.Issue, *, by_key: bool = False
) -> collections.abc.Mapping[str, Any]:
    """Everything that this site knows of an issue; custom fields by their ids, or by their keys."""
    reporter = None if shown.reporter_id is None else build_user(of_site, of_site.people[shown.reporter_id])
    custom = {
        each.key if by_key else each.field_id: each.read(shown.properties) for each in fields.list_custom(of_site)
    }
    return {**_build_system_fields(of_site, shown), "reporter": reporter, **custom}


def build_told_issue(of_site: site.Site, shown: issues.Issue, reporter: person.Person | None) -> dict[str, Any]:
    """An issue as webhooks tell of one: with the reporter of that moment, and never with an address."""
    custom = {each.field_id: each.read(shown.properties) for each in fields.list_custom(of_site)}
    return {
        "id": shown.issue_id,
        "self": f"{of_site.base_url}/rest/api/2/issue/{shown.issue_id}",
        "key": shown.key,
        "fields": {
            **_build_system_fields(of_site, shown),
            "reporter": None if reporter is None else build_told_user(of_site, reporter),
            **custom,
        },
    }


def build_group_name(of_site: site.Site, group: place.Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "groupId": group.group_id,
        "self": f"{of_site.base_url}/rest/api/3/group?groupId={group.group_id}",
    }


def _build_system_fields(of_site: site.Site, shown: issues.Issue) -> dict[str, Any]:
    api = f"{of_site.base_url}/rest/api/3"
    category_id = STATUS_CATEGORY_IDS[shown.status]
    return {
        "summary": shown.summary,
        "project": {
            "self": f"{api}/project/{shown.project_id}",
            "id": shown.project_id,
            "key": shown.project_key,
            "projectTypeKey": "service_desk",
        },
        "issuetype": {
            "self": f"{api}/issuetype/{issues.ISSUE_TYPE_ID}",
            "id": issues.ISSUE_TYPE_ID,
            "name": issues.ISSUE_TYPE_NAME,
            "subtask": False,
        },
        "status": {
            "self": f"{api}/status/{category_id}",
            "id": str(category_id),
            "name": shown.status.label,
            "statusCategory": {
                "self": f"{api}/statuscategory/{category_id}",
                "id": category_id,
                "key": str(shown.status),
                "colorName": STATUS_COLORS[shown.status],
                "name": shown.status.label,
            },
        },
        "created": _show_moment(shown.created),
        "updated": _show_moment(shown.updated),
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the directory gives out about a person, which need not be the truth."""

    account_id: str
    account_type: str
    display_name: str
    email: str | None
    active: bool
    time_zone: str


def _see(of_site: site.Site, shown: person.Person) -> _Seen:
    faults = of_site.faults
    if faults.fallback_users or faults.corrupt_users or _is_unavailable(shown.account_id, faults.fallback_share):
        # Atlassian's schema: "Record unavailable: ... all parameters have fallback values"; a corrupt record even
        # loses its id.
        return _Seen(
            account_id=UNKNOWN if faults.corrupt_users else shown.account_id,
            account_type=UNKNOWN,
            display_name="",
            email="",
            active=False,
            time_zone="",
        )
    return _Seen(
        account_id=shown.account_id,
        account_type=shown.account_type,
        display_name=shown.display_name,
        email=shown.readable_email,
        active=shown.active,
        time_zone=shown.time_zone,
    )


def _is_unavailable(account_id: str, share: float) -> bool:
    # A checksum, not chance: the same records are unavailable on every read.
    return share > 0 and zlib.crc32(account_id.encode()) % SHARE_STEPS < share * SHARE_STEPS


def _show_moment(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}+0000"


def _self_link(of_site: site.Site, account_id: str) -> str:
    return f"{of_site.base_url}/rest/api/3/user?accountId={urllib.parse.quote(account_id, safe='')}"


@functools.lru_cache(maxsize=64)
def _avatars(base_url: str) -> collections.abc.Mapping[str, str]:
    """The same picture for everyone, so that a page of people costs little to build."""
    return {f"{size}x{size}": f"{base_url}/avatar.svg?size={size}" for size in AVATAR_SIZES}
