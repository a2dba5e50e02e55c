"""Which pages and panels does an add-on put into the site, and who may open them? Read from its descriptor; pure.

The conditions are those of Connect that can be answered here; an unknown one hides the page, as Jira does.
"""

import collections.abc
import dataclasses
import enum
import urllib.parse
from typing import Any

from sandbox import installation, site, viewer


class Place(enum.StrEnum):
    """The descriptor's name for where a module's frame is shown."""

    GENERAL = "generalPages"
    ADMIN = "adminPages"
    ISSUE_CONTEXT = "jiraIssueContexts"


PAGES = frozenset({Place.GENERAL, Place.ADMIN})
"""Those that are a page of their own."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModulePage:
    """`label` is what stands beside a panel's name while it is folded, with the picture at `icon_url`, a whole address."""

    addon_key: str
    key: str
    name: str
    url: str
    place: Place
    conditions: tuple[collections.abc.Mapping[str, Any], ...]
    label: str = ""
    icon_url: str | None = None

    @property
    def path(self) -> str:
        """Where the site shows this page, if it is one."""
        return f"/plugins/servlet/ac/{self.addon_key}/{self.key}"


def pages_of(of_site: site.Site) -> list[ModulePage]:
    """Every page and panel of every enabled add-on, in the descriptors' order."""
    return [
        page
        for installed in of_site.installations.values()
        if installed.state is installation.State.ENABLED
        for page in _descriptor_pages(installed)
    ]


def find_page(of_site: site.Site, addon_key: str, module_key: str) -> ModulePage | None:
    return next((page for page in pages_of(of_site) if (page.addon_key, page.key) == (addon_key, module_key)), None)


def panels_of(of_site: site.Site, seen_by: viewer.Viewer) -> list[ModulePage]:
    """What this person finds beside an issue, in the descriptors' order."""
    return [page for page in pages_of(of_site) if page.place is Place.ISSUE_CONTEXT and may_open(page, seen_by)]


def may_open(page: ModulePage, seen_by: viewer.Viewer) -> bool:
    """Jira's own rule for the place, then the module's conditions, all of which must hold."""
    if not seen_by.has_jira or (page.place is Place.ADMIN and not seen_by.is_admin):
        return False
    return all(_holds(condition, seen_by) for condition in page.conditions)


def _descriptor_pages(installed: installation.Installation) -> list[ModulePage]:
    declared = installed.descriptor.get("modules", {})
    return [
        ModulePage(
            addon_key=installed.addon_key,
            key=module["key"],
            name=module["name"]["value"],
            url=module["target"]["url"] if "target" in module else module["url"],
            place=place,
            conditions=tuple(module.get("conditions", ())),
            label=_label(module),
            icon_url=_icon_url(installed, module),
        )
        for place in Place
        for module in declared.get(place.value, ())
    ]


def _label(module: collections.abc.Mapping[str, Any]) -> str:
    content = module.get("content", {})
    return str(content["label"]["value"]) if str(content.get("type")).lower() == "label" else ""


def _icon_url(installed: installation.Installation, module: collections.abc.Mapping[str, Any]) -> str | None:
    if "icon" not in module:
        return None
    return urllib.parse.urljoin(f"{installed.base_url.rstrip('/')}/", str(module["icon"]["url"]).removeprefix("/"))


def _holds(condition: collections.abc.Mapping[str, Any], seen_by: viewer.Viewer) -> bool:
    if "conditions" in condition:
        # The older way to write what follows.
        condition = {condition["type"].lower(): condition["conditions"]}
    if "or" in condition:
        return any(_holds(alternative, seen_by) for alternative in condition["or"])
    if "and" in condition:
        return all(_holds(part, seen_by) for part in condition["and"])
    match condition["condition"]:
        case "user_is_logged_in":
            holds = True
        case "user_is_admin" | "user_is_sysadmin":
            holds = seen_by.is_admin
        case _:
            return False
    return holds is not bool(condition.get("invert", False))
