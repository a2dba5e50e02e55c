"""What do the forms about issues change, and which do they refuse? Read strictly, as Jira reads them; no HTTP."""

import collections.abc

from sandbox import issues, person, place, site

MAX_SUMMARY_CHARS = 255
Form = collections.abc.Mapping[str, str]


class FormError(Exception):
    """The form is refused and nothing is changed; the text says why."""


def create(here: site.Site, form: Form) -> issues.Issue:
    """*Create issue*, by somebody with Jira: any project, any reporter or none. Raises FormError."""
    summary, reporter_id = _read_summary(form), _read_reporter(here, form)
    return here.create_issue(reporter_id, project=_read_project(here.desks.values(), form).project_key, summary=summary)


def request_help(here: site.Site, requester: person.Person, desks: list[place.Desk], form: Form) -> issues.Issue:
    """*Raise a request* at one of these desks, by the person who needs help. Raises FormError."""
    summary, desk = _read_summary(form), _read_project(desks, form)
    return here.create_issue(requester.account_id, project=desk.project_key, summary=summary)


def edit(here: site.Site, key: str, action: str, form: Form) -> None:
    """One change of an issue. Raises FormError, and tracker.UnknownIssueError."""
    match action:
        case "summary":
            here.edit_issue(key, summary=_read_summary(form))
        case "status":
            here.edit_issue(key, status=_read_status(form))
        case "reporter":
            here.edit_issue(key, reporter_id=_read_reporter(here, form))
        case "delete":
            here.delete_issue(key)
        case _:
            raise FormError("An issue has no such action.")


def _read_summary(form: Form) -> str:
    summary = form.get("summary", "").strip()
    if not summary:
        raise FormError("You must specify a summary of the issue.")
    if len(summary) > MAX_SUMMARY_CHARS:
        raise FormError(f"Summary must be less than {MAX_SUMMARY_CHARS} characters.")
    if len(summary.splitlines()) > 1:
        raise FormError("The summary is invalid because it contains newline characters.")
    return summary


def _read_status(form: Form) -> issues.StatusCategory:
    try:
        return issues.StatusCategory(form.get("status", ""))
    except ValueError as exc:
        raise FormError("There is no such status.") from exc


def _read_reporter(here: site.Site, form: Form) -> str | None:
    """Nobody, where the form leaves it empty."""
    account_id = form.get("reporter", "")
    if not account_id:
        return None
    try:
        return here.find_person(account_id).account_id
    except site.UnknownPersonError as exc:
        raise FormError("The reporter is nobody of this site.") from exc


def _read_project(desks: collections.abc.Iterable[place.Desk], form: Form) -> place.Desk:
    wanted = form.get("project", "")
    found = next((desk for desk in desks if desk.project_key == wanted), None)
    if found is None:
        raise FormError("Choose a project.")
    return found
