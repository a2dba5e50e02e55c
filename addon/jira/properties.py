"""How is an issue's property written, cleared and read, one at a time or many? One function for each call of Jira's.

Source: Atlassian, "Issue properties" and "Tasks". Writes name us, so that the events which they set off are known as ours.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal, assert_never

from addon.crm.company import CompanyRef
from addon.issues import label
from addon.issues.calls import Call
from addon.issues.label import PROPERTY_KEY
from addon.jira import answers, budget, errors, issues
from addon.jira.client import JiraClient

TRACED: Mapping[str, str] = {label.TRACE_HEADER: label.TRACE}

READ_POINTS = budget.REQUEST + budget.CORE
"""Of a property that is read; nothing says that it counts as no object."""

LEFT_POINTS = READ_POINTS + budget.REQUEST + budget.CORE
"""Of a property that is not there, and its issue."""

Outcome = Literal["going", "done", "failed"]

Left = Literal["nothing", "value", "unseen"]


async def send(client: JiraClient, call: Call) -> str | None:
    """Make a call; the id of the task that carries it out, None where it is carried out already. Raises JiraError."""
    ids = [item.issue_id for item in call.items]
    match call.kind:
        case "single":
            await _write(client, ids[0], call.items[0].company)
            return None
        case "bulk":
            [company] = {item.company for item in call.items}
            return await _start(
                client, "POST", "/rest/api/3/issue/properties", {"entitiesIds": ids, "properties": _properties(company)}
            )
        case "mixed":
            listed = [{"issueID": item.issue_id, "properties": _properties(item.company)} for item in call.items]
            return await _start(client, "POST", "/rest/api/3/issue/properties/multi", {"issues": listed})
        case "clear":
            return await _start(client, "DELETE", f"/rest/api/3/issue/properties/{PROPERTY_KEY}", {"entityIds": ids})
        case _:
            assert_never(call.kind)


async def is_so(client: JiraClient, issue_id: int, company: CompanyRef) -> bool:
    """Whether the issue's property says this company. Raises JiraError."""
    found = await _read(client, issue_id)
    return found is not None and found.value == dict(label.value(company))


async def left(client: JiraClient, issue_id: int) -> Left:
    """What is left of an issue's property. `unseen`: the issue is gone, or hidden; Jira does not say which.

    Raises JiraError.
    """
    if await _read(client, issue_id) is not None:
        return "value"
    return "nothing" if await issues.is_shown(client, issue_id) else "unseen"


async def _read(client: JiraClient, issue_id: int) -> answers.Property | None:
    """None where there is no such property, or no such issue."""
    try:
        return await client.get(_path(issue_id), answers.PROPERTY, {}, price=budget.fixed(READ_POINTS))
    except errors.Rejected as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None


async def outcome(client: JiraClient, task_id: str) -> Outcome | None:
    """What has become of a task; None where Jira knows no such task (any more). Raises JiraError."""
    try:
        task = await client.get(f"/rest/api/3/task/{task_id}", answers.TASK, {}, price=budget.FLAT)
    except errors.Rejected as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None
    match task.status:
        case "COMPLETE":
            return "done"
        case "FAILED" | "CANCELLED" | "DEAD":
            return "failed"
        case _:
            return "going"


async def _write(client: JiraClient, issue_id: int, company: CompanyRef | None) -> None:
    method, body = ("PUT", label.value(company)) if company is not None else ("DELETE", None)
    await client.write(method, _path(issue_id), body, price=budget.FLAT, headers=TRACED)


async def _start(client: JiraClient, method: str, path: str, body: Mapping[str, object]) -> str:
    return await client.start(method, path, body, price=budget.FLAT, headers=TRACED)


def _path(issue_id: int) -> str:
    return f"/rest/api/3/issue/{issue_id}/properties/{PROPERTY_KEY}"


def _properties(company: CompanyRef | None) -> Mapping[str, Mapping[str, str]]:
    if company is None:
        raise ValueError("a company is cleared by another call")
    return {PROPERTY_KEY: label.value(company)}
