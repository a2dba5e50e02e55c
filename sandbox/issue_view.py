"""How much of an issue does an answer show? The fields and properties that were asked for, and the issue with them.

Also the operations that read issues by their ids, and the list of fields.
"""

import collections.abc
import dataclasses
from typing import Any

from sandbox import errors, fields, issues, operations, records
from sandbox.call import Answer, Call

ALL_FIELDS = frozenset({"*all", "*navigable"})
ALL_PROPERTIES = "*all"
MAX_PROPERTIES = 5
BULK_CAP = 100
BULK_FIELDS = frozenset({"expand", "fields", "fieldsByKeys", "issueIdsOrKeys", "properties"})
SYSTEM_FIELDS = (
    ("summary", "Summary", "string"),
    ("project", "Project", "project"),
    ("issuetype", "Issue Type", "issuetype"),
    ("status", "Status", "status"),
    ("reporter", "Reporter", "user"),
    ("created", "Created", "datetime"),
    ("updated", "Updated", "datetime"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`without` are names that were asked for with a minus before them."""

    wanted: frozenset[str]
    without: frozenset[str]
    properties: tuple[str, ...]
    by_key: bool

    @property
    def is_bare(self) -> bool:
        """Whether nothing but the issue's id is asked for."""
        return not self.wanted and not self.properties

    def shows(self, name: str) -> bool:
        return name not in self.without and (name in self.wanted or bool(self.wanted & ALL_FIELDS))


def read_parameters(given: operations.Parameters, *, default_fields: collections.abc.Collection[str]) -> View:
    """Raises BadRequest. Names may be listed in one parameter or in several."""
    names = [name for each in given["fields"] for name in each.split(",") if name]
    properties = [name for each in given["properties"] for name in each.split(",") if name]
    return _build_view(names or default_fields, properties, by_key=bool(given["fieldsByKeys"]))


def read_body(body: collections.abc.Mapping[str, Any], *, default_fields: collections.abc.Collection[str]) -> View:
    """Raises BadRequest."""
    names, properties = body.get("fields", []), body.get("properties", [])
    by_key = body.get("fieldsByKeys", False)
    for listed in (names, properties):
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise errors.BadRequest("fields and properties must be lists of names.", reason="body")
    if not isinstance(by_key, bool):
        raise errors.BadRequest("fieldsByKeys must be true or false.", reason="body")
    return _build_view(names or default_fields, properties, by_key=by_key)


def build(made: Call, shown: issues.Issue, view: View) -> dict[str, Any]:
    if view.is_bare:
        return {"id": shown.issue_id}
    known = records.build_issue_fields(made.site, shown, by_key=view.by_key)
    built: dict[str, Any] = {
        "id": shown.issue_id,
        "key": shown.key,
        "self": f"{made.site.base_url}/rest/api/3/issue/{shown.issue_id}",
        "fields": {name: value for name, value in known.items() if view.shows(name)},
    }
    if not view.properties:
        return built
    is_whole = ALL_PROPERTIES in view.properties
    return {
        **built,
        "properties": {key: value for key, value in shown.properties.items() if is_whole or key in view.properties},
    }


def read_one(made: Call) -> Answer:
    """`GET /issue/{id or key}`."""
    view = read_parameters(made.parameters, default_fields=("*all",))
    return Answer(body=build(made, made.find_issue(), view))


def read_many(made: Call) -> Answer:
    """`POST /issue/bulkfetch`: by id, whatever the order they were asked in; nothing is said of those that are not there."""
    body = made.read_json()
    if not isinstance(body, dict) or body.keys() - BULK_FIELDS:
        raise errors.BadRequest("The request body is not a request for issues.", reason="body")
    wanted = body.get("issueIdsOrKeys")
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        raise errors.BadRequest("issueIdsOrKeys must be a list of ids and keys.", reason="body")
    if not 0 < len(wanted) <= BULK_CAP:
        raise errors.BadRequest(f"1 to {BULK_CAP} issues can be fetched at once.", reason="bulk-size")
    view = read_body(body, default_fields=("*navigable",))
    found = {
        each.number: each for each in map(made.site.issues.find, wanted) if each is not None and made.may_see(each)
    }
    return Answer(body={"issues": [build(made, found[number], view) for number in sorted(found)], "issueErrors": []})


def list_fields(made: Call) -> Answer:
    """`GET /field`: Jira's own of this site, and those of apps."""
    own = [
        {
            "id": name,
            "key": name,
            "name": title,
            "custom": False,
            "orderable": True,
            "navigable": True,
            "searchable": True,
            "clauseNames": [name],
            "schema": {"type": kind, "system": name},
        }
        for name, title, kind in SYSTEM_FIELDS
    ]
    return Answer(body=[*own, *(_build_custom_field(each) for each in fields.list_custom(made.site))])


def _build_view(
    names: collections.abc.Collection[str], properties: collections.abc.Collection[str], *, by_key: bool
) -> View:
    if len(properties) > MAX_PROPERTIES:
        raise errors.BadRequest(f"At most {MAX_PROPERTIES} properties can be asked for.", reason="properties")
    wanted = frozenset(name for name in names if not name.startswith("-"))
    without = frozenset(name.removeprefix("-") for name in names if name.startswith("-"))
    return View(
        # All but some; and the id comes with every issue, so that it asks for nothing.
        wanted=(wanted or frozenset({"*all"} if without else ())) - {"id"},
        without=without,
        properties=tuple(properties),
        by_key=by_key,
    )


def _build_custom_field(field: fields.CustomField) -> dict[str, Any]:
    return {
        "id": field.field_id,
        "key": field.key,
        "name": field.name,
        "custom": True,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": list(field.clause_names),
        "schema": {
            "type": field.kind,
            "custom": f"com.atlassian.plugins.atlassian-connect-plugin:{field.key}",
            "customId": field.number,
        },
    }


HANDLERS = {
    "getIssue": read_one,
    "bulkFetchIssues": read_many,
    "getFields": list_fields,
}
