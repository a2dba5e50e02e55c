"""Who reported which issues on a generated site? A few of the latest weeks for many customers; the same seed, the same issues."""

import collections.abc
import datetime as dt
import itertools
import random

from sandbox import person, site

MAX_ISSUES = 20_000
MAX_PER_CUSTOMER = 3
PERIOD = dt.timedelta(days=30)
SUMMARIES = (
    "Cannot log in",
    "The invoice is wrong",
    "How do I change my address?",
    "The export stops half way",
    "Please add a colleague",
)


def write(on_site: site.Site, *, seed: int) -> None:
    """Customers of a desk write to it; the dates lie in the PERIOD before the site's present moment."""
    rng = random.Random(f"issues of {seed}")  # noqa: S311 - reproducible on purpose; nothing secret is drawn from it
    now = on_site.now()
    drawn = (
        (now - PERIOD * rng.random(), account_id, desk)
        for account_id, desk in _customers(on_site)
        for _ in range(rng.randint(0, MAX_PER_CUSTOMER))
    )
    for at, account_id, desk in sorted(itertools.islice(drawn, MAX_ISSUES), key=lambda each: each[:2]):
        on_site.issues.create(
            project_id=desk.project_id,
            project_key=desk.project_key,
            reporter_id=account_id,
            summary=rng.choice(SUMMARIES),
            at=at,
        )


def _customers(on_site: site.Site) -> collections.abc.Iterator[tuple[str, site.Desk]]:
    for each in on_site.people.values():
        desks = on_site.desk_customers.owners(each.account_id)
        if each.kind is person.PersonKind.CUSTOMER and each.active and desks:
            yield each.account_id, on_site.desks[desks[0]]
