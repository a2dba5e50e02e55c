"""Who reported which issues on a generated site? Mostly customers, mostly lately; the same seed, the same issues."""

import collections.abc
import datetime as dt
import itertools
import random

from sandbox import issues, person, place, site

MAX_ISSUES = 20_000
MAX_PER_CUSTOMER = 3
PERIOD = dt.timedelta(days=30)
"""What is lately."""
PAST = dt.timedelta(days=730)
OLD_SHARE = 0.2
"""Of the customers: those who also wrote once in the PAST."""
OPEN_SHARE = 0.4
"""Of the issues of a long list; the longer ago one was written, the less likely it is still open."""
SUMMARIES = (
    "Cannot log in",
    "The invoice is wrong",
    "How do I change my address?",
    "The export stops half way",
    "Please add a colleague",
)
OPEN = (issues.StatusCategory.NEW, issues.StatusCategory.INDETERMINATE)
Drawn = tuple[dt.datetime, str, place.Desk]


def write(on_site: site.Site, *, seed: int) -> None:
    """Customers of a desk write to it; the dates lie before the site's present moment."""
    rng = _seeded("issues", seed)
    now = on_site.now()
    recent = (
        (now - PERIOD * rng.random(), account_id, desk)
        for account_id, desk in _customers(on_site)
        for _ in range(rng.randint(0, MAX_PER_CUSTOMER))
    )
    drawn = list(itertools.islice(recent, MAX_ISSUES))
    older = _seeded("old issues", seed)
    drawn.extend(
        (now - PERIOD - (PAST - PERIOD) * older.random(), account_id, desk)
        for account_id, desk in itertools.islice(_customers(on_site), MAX_ISSUES)
        if older.random() < OLD_SHARE
    )
    _file(on_site, drawn, rng)


def write_many(on_site: site.Site, *, seed: int, count: int) -> None:
    """Exactly `count` issues of the PAST, as many of each organization's members as of the others'.

    Raises ValueError for a site without any such member.
    """
    rng = _seeded("many issues", seed)
    now = on_site.now()
    writers = _writers_by_organization(on_site)
    if not writers:
        raise ValueError("no organization has a member who could write")
    first_desk = next(iter(on_site.desks.values()))
    drawn: list[Drawn] = []
    for _, organization in zip(range(count), itertools.cycle(writers), strict=False):
        desks = [on_site.desks[desk] for desk in sorted(organization.desk_ids)] or [first_desk]
        drawn.append((now - PAST * rng.random(), rng.choice(writers[organization]), rng.choice(desks)))
    _file(on_site, drawn, rng)


def _file(on_site: site.Site, drawn: collections.abc.Iterable[Drawn], rng: random.Random) -> None:
    """Oldest first, so that numbers and keys grow with time."""
    now = on_site.now()
    for at, account_id, desk in sorted(drawn, key=lambda each: each[:2]):
        chance_of_open = 1 - (1 - OPEN_SHARE) * min(1.0, (now - at) / PERIOD)
        on_site.issues.create(
            project_id=desk.project_id,
            project_key=desk.project_key,
            reporter_id=account_id,
            summary=rng.choice(SUMMARIES),
            status=rng.choice(OPEN) if rng.random() < chance_of_open else issues.StatusCategory.DONE,
            at=at,
        )


def _customers(on_site: site.Site) -> collections.abc.Iterator[tuple[str, place.Desk]]:
    for each in on_site.people.values():
        desks = on_site.desk_customers.owners(each.account_id)
        if _writes(each) and desks:
            yield each.account_id, on_site.desks[desks[0]]


def _writers_by_organization(on_site: site.Site) -> dict[place.Organization, list[str]]:
    """Only the organizations that somebody writes for."""
    found = {
        each: [
            account_id
            for account_id in on_site.organization_members.members(each.organization_id)
            if _writes(on_site.people[account_id])
        ]
        for each in on_site.organizations.values()
    }
    return {organization: writers for organization, writers in found.items() if writers}


def _writes(one: person.Person) -> bool:
    return one.kind is person.PersonKind.CUSTOMER and one.active


def _seeded(what: str, seed: int) -> random.Random:
    return random.Random(f"{what} of {seed}")  # noqa: S311 - reproducible on purpose; nothing secret is drawn from it
