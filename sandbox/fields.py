"""Which issue fields have apps added to this site, and what do they show? Read from the descriptors of what is installed.

Only fields of the type `read_only` are known: they show a part of an issue property. A field is gone with its app.
Source: Atlassian, "Issue field" module, and the field resource's answers for fields of Connect apps.
"""

import collections.abc
import dataclasses
import functools
from typing import Any

from sandbox import installation, site

FIRST_NUMBER = 10_100
READ_ONLY = "read_only"
SEARCHABLE = frozenset({"string", "number"})
"""Of what an app lets Jira index, the types that are compared as a whole; the others are not searched here."""
Properties = collections.abc.Mapping[str, Any]
Reader = collections.abc.Callable[[Properties], Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """`path` leads from the value of the issue property `property_key` to what the field shows."""

    number: int
    key: str
    name: str
    property_key: str
    path: str
    kind: str

    @property
    def field_id(self) -> str:
        return f"customfield_{self.number}"

    @property
    def clause_names(self) -> tuple[str, str]:
        return f"cf[{self.number}]", self.name

    def read(self, properties: Properties) -> Any:
        """What the field shows; None for nothing, and for what is not of the field's type."""
        return _read_path(self.property_key, self.path, self.kind, properties)


def list_custom(of_site: site.Site) -> list[CustomField]:
    """Every app's field; the numbers stay the same for as long as the site is there."""
    return [
        _read_module(of_site, installed.addon_key, module)
        for installed in of_site.installations.values()
        if installed.state is installation.State.ENABLED
        for module in installed.descriptor.get("modules", {}).get("jiraIssueFields", ())
        if module["type"].lower() == READ_ONLY
    ]


def list_clauses(of_site: site.Site) -> collections.abc.Iterator[tuple[str, Reader]]:
    """What a query may ask for besides Jira's own fields: names of custom fields, and properties that apps have indexed."""
    for field in list_custom(of_site):
        for name in field.clause_names:
            yield name, field.read
    for installed in of_site.installations.values():
        if installed.state is installation.State.ENABLED:
            yield from _list_indexed(installed.descriptor.get("modules", {}).get("jiraEntityProperties", ()))


def follow(value: Any, path: str) -> Any:
    """What is at the dotted `path` of a property's value; None if nothing is."""
    for step in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _list_indexed(
    modules: collections.abc.Iterable[collections.abc.Mapping[str, Any]],
) -> collections.abc.Iterator[tuple[str, Reader]]:
    for module in modules:
        for configured in (
            module.get("keyConfigurations", ()) if module.get("entityType", "issue").lower() == "issue" else ()
        ):
            for extraction in configured["extractions"]:
                key, path, kind = configured["propertyKey"], extraction["objectName"], extraction["type"].lower()
                if kind in SEARCHABLE:
                    read = functools.partial(_read_path, key, path, kind)
                    yield f"issue.property[{key}].{path}", read
                    if "alias" in extraction:
                        yield extraction["alias"], read


def _read_path(key: str, path: str, kind: str, properties: Properties) -> Any:
    found = follow(properties.get(key), path)
    return found if _is_of_kind(found, kind) else None


def _read_module(of_site: site.Site, addon_key: str, module: collections.abc.Mapping[str, Any]) -> CustomField:
    key = f"{addon_key}__{module['key']}"
    shown = module["property"]
    number = of_site.field_numbers.setdefault(key, FIRST_NUMBER + len(of_site.field_numbers))
    return CustomField(
        number=number,
        key=key,
        name=module["name"]["value"],
        property_key=shown["key"],
        path=shown["path"],
        kind=shown["type"].lower(),
    )


def _is_of_kind(found: Any, kind: str) -> bool:
    if kind == "number":
        return isinstance(found, int | float) and not isinstance(found, bool)
    return isinstance(found, str) or (
        kind == "string" and isinstance(found, list) and all(isinstance(each, str) for each in found)
    )
