"""Which pages does an add-on put into the site, and who may open them? Read from its descriptor; pure.

The conditions are those of Connect that can be answered here; an unknown one hides the page, as Jira does.
"""

import collections.abc
import dataclasses
import enum
from typing import Any

from sandbox import installation, site, viewer


class Place(enum.StrEnum):
    """The descriptor's name for where a page hangs."""

    GENERAL = "generalPages"
    ADMIN = "adminPages"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModulePage:
    addon_key: str
    key: str
    name: str
    url: str
    place: Place
    conditions: tuple[collections.abc.Mapping[str, Any], ...]

    @property
    def path(self) -> str:
        """Where the site shows this page."""
        return f"/plugins/servlet/ac/{self.addon_key}/{self.key}"


def pages_of(of_site: site.Site) -> list[ModulePage]:
    """Every page of every enabled add-on, in the descriptors' order."""
    return [
        page
        for installed in of_site.installations.values()
        if installed.state is installation.State.ENABLED
        for page in _descriptor_pages(installed)
    ]


def find_page(of_site: site.Site, addon_key: str, module_key: str) -> ModulePage | None:
    return next((page for page in pages_of(of_site) if (page.addon_key, page.key) == (addon_key, module_key)), None)


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
            url=module["url"],
            place=place,
            conditions=tuple(module.get("conditions", ())),
        )
        for place in Place
        for module in declared.get(place.value, ())
    ]


def _holds(condition: collections.abc.Mapping[str, Any], seen_by: viewer.Viewer) -> bool:
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
