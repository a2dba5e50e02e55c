"""Which issues does the site of the backfill have? So many, of so many companies, a few large ones and many small.

Known to the process of the site, which makes them, and to the measurement, which says what they must cost at the least.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.person import AccountType, Person
from sandbox.site import Site

OPEN_SHARE = 0.4
FLATNESS = 20  # the first of 200 companies has some ten times the issues of the last
CUSTOMERS_EACH = 3
OLDEST = timedelta(days=700)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The issues of one company."""

    domain: str
    open: int
    rest: int


def parts(issues: int, companies: int) -> Sequence[Part]:
    """The same numbers give the same parts; together they are `issues`."""
    weights = [1 / (FLATNESS + number) for number in range(companies)]
    ends = [round(issues * sum(weights[: number + 1]) / sum(weights)) for number in range(companies)]
    found = []
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        opened = round((end - start) * OPEN_SHARE)
        found.append(Part(domain=f"company{number}.example", open=opened, rest=end - start - opened))
    return found


def fill(site: Site, issues: int, companies: int, now: datetime) -> None:
    """Give the site customers of these companies, and their issues in no order."""
    for issue in list(site.issues):
        site.delete_issue(issue.key)
    desk = next(iter(site.desks))
    wanted = list(_reports(site, parts(issues, companies), desk))
    randomly = random.Random(issues)  # noqa: S311 - the same issues each time
    randomly.shuffle(wanted)
    step = OLDEST / max(len(wanted), 1)
    for place, (reporter_id, status) in enumerate(wanted):
        site.create_issue(reporter_id, status=status, at=now - OLDEST + place * step)


def _reports(site: Site, of_companies: Sequence[Part], desk: str) -> Iterator[tuple[str, str]]:
    for number, part in enumerate(of_companies):
        people = [
            site.add_person(
                Person(
                    account_id=f"qm:bench:{number:04}-{each}",
                    account_type=AccountType.CUSTOMER,
                    display_name=f"Customer {each} of {part.domain}",
                    email=f"customer{each}@{part.domain}",
                ),
                desk_ids=[desk],
            )
            for each in range(CUSTOMERS_EACH)
        ]
        for status, count in (("new", part.open), ("done", part.rest)):
            for issue in range(count):
                yield people[issue % CUSTOMERS_EACH].account_id, status
