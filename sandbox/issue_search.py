"""Which issues does a query find on this site? With what the site knows of names, and as late as its search index is."""

import collections.abc
import datetime as dt
import functools

from sandbox import fields, issue_store, issues, jql_terms, site

Sees = collections.abc.Callable[[issues.Issue], bool]


def prepare(of_site: site.Site, text: str, *, now: dt.datetime, sees: Sees) -> jql_terms.Search:
    """Raises jql.JqlError. `sees` says which issues are there for the asking one."""
    return jql_terms.understand(
        text,
        jql_terms.Vocabulary(
            now=now,
            has_person=of_site.people.__contains__,
            project_of=functools.partial(_find_project, of_site),
            issue_of=functools.partial(_find_issue, of_site, sees),
            app_fields=_collect_app_fields(of_site),
        ),
    )


def run(
    of_site: site.Site,
    search: jql_terms.Search,
    *,
    now: dt.datetime,
    sees: Sees,
    after: issues.Place | None = None,
    fresh: collections.abc.Collection[int] = (),
) -> collections.abc.Iterator[issues.Issue]:
    """From the place `after` on. `fresh` are the issues of which the search must know the present."""
    lag_s = of_site.faults.search_lag_s
    past = of_site.issues.recall(now - dt.timedelta(seconds=lag_s)) if lag_s else {}
    for number in fresh:
        past.pop(number, None)
    part = issue_store.Range(
        order=search.part.order,
        descending=search.part.descending,
        since=search.part.since,
        until=search.part.until,
        after=after,
    )
    return (found for found in of_site.issues.walk(part, past=past) if search.holds(found) and sees(found))


def _find_project(of_site: site.Site, wanted: str) -> str | None:
    named = wanted.casefold()
    for desk in of_site.desks.values():
        if named in (desk.project_key.casefold(), desk.project_id, desk.project_name.casefold()):
            return desk.project_key
    return None


def _find_issue(of_site: site.Site, sees: Sees, wanted: str) -> issues.Issue | None:
    found = of_site.issues.find(wanted)
    return None if found is None or not sees(found) else found


def _collect_app_fields(of_site: site.Site) -> dict[str, jql_terms.Values]:
    """By name; a name that two fields have means both."""
    readers: dict[str, list[fields.Reader]] = {}
    for name, read in fields.list_clauses(of_site):
        readers.setdefault(name.casefold(), []).append(read)
    return {name: functools.partial(_read_values, tuple(of_name)) for name, of_name in readers.items()}


def _read_values(readers: collections.abc.Iterable[fields.Reader], issue: issues.Issue) -> set[str]:
    if not issue.properties:
        return set()
    found = (read(issue.properties) for read in readers)
    return {
        str(value).casefold()
        for each in found
        if each is not None
        for value in (each if isinstance(each, list) else [each])
    }
