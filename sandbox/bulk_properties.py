"""What may an app write into many issues with one call? The bulk operations on issue properties, and the tasks they become.

Each call is checked at once and answered with 303 and the address of its task; the site does the work in its own time.
Source: Atlassian, the descriptions of the four operations in the Jira Cloud platform API.
"""

import collections.abc
import datetime as dt
import http
import json
import zlib
from typing import Any

from sandbox import errors, issue_properties, issues, tasks
from sandbox.call import Answer, Call

MAX_ISSUES = 10_000
MAX_MIXED_ISSUES = 100
MAX_PROPERTIES = 10
NAMED_ISSUES = 10
"""How many of the issues that made a task fail its message names."""


def set_for_many(made: Call) -> Answer:
    """`POST /issue/properties`: the same values for up to 10,000 issues; for all of them, or for none."""
    body = _read_object(made, {"entitiesIds", "properties"})
    numbers = _read_ids(body.get("entitiesIds"))
    properties = _read_properties(body.get("properties"))

    def work() -> None:
        found = _find_all(made, numbers)
        for each in found:
            _write(made, each, properties)

    return _submit(made, "Set properties of issues", work)


def set_for_each(made: Call) -> Answer:
    """`POST /issue/properties/multi`: values of their own for up to 100 issues; those that are not there are left out."""
    listed = _read_object(made, {"issues"}).get("issues")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_MIXED_ISSUES:
        raise errors.BadRequest(f"issues must list 1 to {MAX_MIXED_ISSUES} issues.", reason="body")
    wanted: dict[int, dict[str, Any]] = {}
    for each in listed:
        if not isinstance(each, dict) or each.keys() != {"issueID", "properties"}:
            raise errors.BadRequest("Every issue needs an issueID and properties.", reason="body")
        [number] = _read_ids([each["issueID"]])
        wanted[number] = _read_properties(each["properties"])
    if len(wanted) < len(listed):
        raise errors.BadRequest("An issue is listed twice.", reason="body")
    if not all(made.may_edit(found) for found in _find_some(made, wanted)):
        raise errors.NotAllowed("You do not have permission to edit these issues.", reason="edit-issues")

    def work() -> None:
        for found in _find_some(made, wanted):
            if made.may_edit(found):
                _write(made, found, wanted[found.number])

    return _submit(made, "Set properties of each issue", work)


def set_by_filter(made: Call) -> Answer:
    """`PUT /issue/properties/{key}`: one value for every issue that the filter lets through and the app may edit."""
    body = _read_object(made, {"value", "expression", "filter"})
    if "expression" in body:
        raise errors.BadRequest("This site evaluates no Jira expressions.", reason="expression")
    key = issue_properties.check_key(made.parameters["propertyKey"])
    value = issue_properties.check_value(body.get("value"))
    asked = body.get("filter", {})
    if not isinstance(asked, dict) or asked.keys() - {"entityIds", "currentValue", "hasProperty"}:
        raise errors.BadRequest("The filter is not understood.", reason="body")
    has_property = asked.get("hasProperty", True if "currentValue" in asked else None)
    if not isinstance(has_property, bool | None) or (has_property is False and "currentValue" in asked):
        raise errors.BadRequest("hasProperty must be true or false, and true beside a currentValue.", reason="body")
    is_eligible = _build_filter(made, key, asked)

    def work() -> None:
        for found in list(made.site.issues):
            if is_eligible(found) and has_property in (None, key in found.properties):
                _write(made, found, {key: value})

    return _submit(made, "Set a property of issues", work)


def delete_by_filter(made: Call) -> Answer:
    """`DELETE /issue/properties/{key}`: from every issue that the filter lets through and the app may edit."""
    asked = _read_object(made, {"entityIds", "currentValue"})
    key = issue_properties.check_key(made.parameters["propertyKey"])
    is_eligible = _build_filter(made, key, asked)

    def work() -> None:
        origin = issue_properties.origin_of(made, is_bulk=True)
        for found in list(made.site.issues):
            if is_eligible(found):
                made.site.tracker.delete_property(found.issue_id, key, origin)

    return _submit(made, "Delete a property of issues", work)


def show_task(made: Call) -> Answer:
    """`GET /task/{id}`: for the app that asked for it."""
    found = made.site.tasks.find(made.parameters["taskId"], made.now)
    if found is None:
        raise errors.NotFound("The task was not found.", reason="no-task")
    if found.account_id != made.caller.person.account_id:
        raise errors.NotAllowed("You may see only tasks of your own.", reason="foreign-task")
    is_over = found.state is not tasks.State.RUNNING
    until = found.due_at if is_over else made.now
    body: dict[str, Any] = {
        "self": _address_of(made, found),
        "id": found.task_id,
        "description": found.description,
        "status": str(found.state),
        "submittedBy": zlib.crc32(found.account_id.encode()),
        "progress": found.progress(made.now),
        "elapsedRuntime": int((until - found.submitted) / dt.timedelta(milliseconds=1)),
        "submitted": _milliseconds(found.submitted),
        "started": _milliseconds(found.submitted),
        "lastUpdate": _milliseconds(until),
    }
    if found.message:
        body["message"] = found.message
    return Answer(body={**body, "finished": _milliseconds(until)} if is_over else body)


def _submit(made: Call, description: str, work: collections.abc.Callable[[], None]) -> Answer:
    present = made.site.faults
    submitted = made.site.tasks.submit(
        description,
        work,
        account_id=made.caller.person.account_id,
        now=made.now,
        takes=dt.timedelta(seconds=present.task_seconds),
        outcome=present.task_outcome,
    )
    return Answer(status=http.HTTPStatus.SEE_OTHER, body=None, headers={"Location": _address_of(made, submitted)})


def _address_of(made: Call, task: tasks.Task) -> str:
    return f"{made.site.base_url}/rest/api/3/task/{task.task_id}"


def _find_some(made: Call, numbers: collections.abc.Iterable[int]) -> list[issues.Issue]:
    """Those of the issues that are there and that the app sees."""
    found = (made.site.issues.find(str(number)) for number in numbers)
    return [each for each in found if each is not None and made.may_see(each)]


def _find_all(made: Call, numbers: collections.abc.Sequence[int]) -> list[issues.Issue]:
    """Raises TaskFailedError unless all of the issues are there and the app may edit them."""
    found = _find_some(made, numbers)
    if len(found) < len(numbers):
        there = {each.number for each in found}
        raise tasks.TaskFailedError(f"Issues do not exist: {_name([each for each in numbers if each not in there])}")
    refused = [each.number for each in found if not made.may_edit(each)]
    if refused:
        raise tasks.TaskFailedError(f"No permission to edit the issues: {_name(refused)}")
    return found


def _name(numbers: collections.abc.Sequence[int]) -> str:
    named = ", ".join(str(number) for number in numbers[:NAMED_ISSUES])
    return named if len(numbers) <= NAMED_ISSUES else f"{named} and {len(numbers) - NAMED_ISSUES} more"


def _write(made: Call, issue: issues.Issue, properties: collections.abc.Mapping[str, Any]) -> None:
    for key, value in properties.items():
        made.site.tracker.set_property(issue.issue_id, key, value, issue_properties.origin_of(made, is_bulk=True))


def _build_filter(
    made: Call, key: str, asked: collections.abc.Mapping[str, Any]
) -> collections.abc.Callable[[issues.Issue], bool]:
    """Whether an issue is one of those that are meant; without `entityIds` all issues are."""
    numbers = frozenset(_read_ids(asked["entityIds"])) if "entityIds" in asked else None
    current = _canonical(asked["currentValue"]) if "currentValue" in asked else None

    def is_eligible(issue: issues.Issue) -> bool:
        if (numbers is not None and issue.number not in numbers) or not made.may_edit(issue):
            return False
        return current is None or (key in issue.properties and _canonical(issue.properties[key]) == current)

    return is_eligible


def _read_object(made: Call, known: set[str]) -> dict[str, Any]:
    body = made.read_json()
    if not isinstance(body, dict) or body.keys() - known:
        raise errors.BadRequest(f"The request body may hold {', '.join(sorted(known))} only.", reason="body")
    return body


def _read_ids(found: object) -> list[int]:
    """Raises BadRequest for anything but 1 to MAX_ISSUES different numbers."""
    if not isinstance(found, list) or not 0 < len(found) <= MAX_ISSUES:
        raise errors.BadRequest(f"1 to {MAX_ISSUES} issue ids must be given.", reason="entity-ids")
    if not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in found):
        raise errors.BadRequest("Issue ids must be numbers.", reason="entity-ids")
    if len(set(found)) < len(found):
        raise errors.BadRequest("Issue ids must not be repeated.", reason="entity-ids")
    return found


def _read_properties(found: object) -> dict[str, Any]:
    if not isinstance(found, dict) or not 0 < len(found) <= MAX_PROPERTIES:
        raise errors.BadRequest(f"1 to {MAX_PROPERTIES} properties must be given.", reason="properties")
    return {issue_properties.check_key(key): issue_properties.check_value(value) for key, value in found.items()}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


HANDLERS = {
    "bulkSetIssuesPropertiesList": set_for_many,
    "bulkSetIssuePropertiesByIssue": set_for_each,
    "bulkSetIssueProperty": set_by_filter,
    "bulkDeleteIssueProperty": delete_by_filter,
    "getTask": show_task,
}
