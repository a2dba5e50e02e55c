"""What have apps written into one issue? Its properties one by one; `bulk_properties` writes those of many at once."""

import json
from typing import Any

from sandbox import errors, issues, tracker
from sandbox.call import Answer, Call

MAX_KEY_CHARS = 255
MAX_VALUE_CHARS = 32_768


def read(made: Call) -> Answer:
    found, key = made.find_issue(), made.parameters["propertyKey"]
    if key not in found.properties:
        raise _missing(key)
    return Answer(body={"key": key, "value": found.properties[key]})


def write(made: Call) -> Answer:
    found = _find_editable(made, errors.NotAllowed)
    key = check_key(made.parameters["propertyKey"])
    is_new = made.site.tracker.set_property(found.issue_id, key, check_value(made.read_json()), origin_of(made))
    if is_new:
        return Answer(status=201, body={})
    return Answer(body={})


def delete(made: Call) -> Answer:
    """The document knows no 403 here: an issue that may not be edited is one that has nothing to delete."""
    found = _find_editable(made, errors.NotFound)
    key = made.parameters["propertyKey"]
    if not made.site.tracker.delete_property(found.issue_id, key, origin_of(made)):
        raise _missing(key)
    return Answer(status=204, body=None)


def check_key(key: str) -> str:
    """Raises BadRequest."""
    if not 0 < len(key) <= MAX_KEY_CHARS:
        raise errors.BadRequest(f"A property key must have 1 to {MAX_KEY_CHARS} characters.", reason="property-key")
    return key


def check_value(value: Any) -> Any:
    """Raises BadRequest for nothing, and for too much."""
    if value is None:
        raise errors.BadRequest("A property value must not be empty.", reason="property-value")
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) > MAX_VALUE_CHARS:
        raise errors.BadRequest(
            f"A property value must not have more than {MAX_VALUE_CHARS} characters.", reason="property-value"
        )
    return value


def origin_of(made: Call, *, is_bulk: bool = False) -> tracker.Origin:
    """Where a change by this call comes from."""
    return tracker.Origin(trace=made.trace, is_bulk=is_bulk)


def _find_editable(made: Call, refusal: type[errors.Refusal]) -> issues.Issue:
    found = made.find_issue()
    if not made.may_edit(found):
        raise refusal("You do not have permission to edit this issue.", reason="edit-issues")
    made.count_write(found)
    return found


def _missing(key: str) -> errors.NotFound:
    return errors.NotFound(f"The property '{key}' does not exist.", reason="no-property")


HANDLERS = {
    "getIssueProperty": read,
    "setIssueProperty": write,
    "deleteIssueProperty": delete,
}
