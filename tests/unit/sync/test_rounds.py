"""Rounds of probes over a site in memory: what they find, how soon, and for how many points."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from addon.sync import probe, rounds
from addon.sync.bisect import Findings
from addon.sync.order import ListKey, Order, Stretch
from addon.sync.probe import KnownList
from addon.sync.rounds import ListClosed, Outcome, Shown
from lifecycle.tenant import AccountId
from tests.unit.sync.builders import NOW, RUN

USERS = "users"
PAGE = 50
QUOTA = 65_000
HOUR = timedelta(hours=1)


class Outage(Exception):
    """Jira does not answer."""


@dataclass(slots=True, kw_only=True)
class MemorySite:
    """Jira's side, at its published prices. Who is `hidden` takes a place of a group and is not shown."""

    lists: dict[ListKey, list[AccountId]]
    hidden: set[AccountId] = field(default_factory=set)
    asked: list[AccountId] = field(default_factory=list)
    troubled: dict[ListKey, Exception] = field(default_factory=dict)
    is_browsing_allowed: bool = True
    users: str = USERS
    points: int = 0

    async def may_browse(self) -> bool:
        self.points += 3
        return self.is_browsing_allowed

    async def look(self, key: ListKey, place: int, count: int) -> Shown:
        if key in self.troubled:
            raise self.troubled[key]
        members = self.lists[key] if self.is_browsing_allowed else []
        shown = [who for who in members[place : place + count] if who not in self.hidden]
        self.points += 1 + 2 * len(shown)
        return Shown(
            account_ids=shown,
            total=len(members) if key.phase == USERS else None,
            is_last=place + count >= len(members),
        )

    async def reporters(self, since: timedelta, *, most: int) -> Sequence[AccountId]:
        assert since >= probe.INDEX_DELAY
        found = self.asked[-most:]
        self.points += 1 + len(found)
        return found


@dataclass(slots=True, kw_only=True)
class MemoryPlaces:
    """Our side: what a whole scan of the site left."""

    site: MemorySite
    orders: dict[ListKey, Order] = field(default_factory=dict)
    probed_at: dict[ListKey, datetime] = field(default_factory=dict)
    changed_at: dict[ListKey, datetime] = field(default_factory=dict)
    unfit: set[ListKey] = field(default_factory=set)
    known: set[AccountId] = field(default_factory=set)
    refreshed: list[AccountId] = field(default_factory=list)

    def __post_init__(self) -> None:
        for key, members in self.site.lists.items():
            starts = range(0, max(len(members), 1), PAGE)
            pages = [(start, members[start : start + PAGE]) for start in starts]
            shown = [[who for who in page if who not in self.site.hidden] for _, page in pages]
            self.orders[key] = Order(
                [
                    Stretch(start=start, slots=len(page), account_ids=ids)
                    for (start, page), ids in zip(pages, shown, strict=True)
                ]
            )
            self.known.update(members)

    def lists(self) -> list[KnownList]:
        return [
            KnownList(
                key=key,
                run_id=RUN,
                length=order.length,
                fits=key not in self.unfit,
                probed_at=self.probed_at.get(key),
                changed_at=self.changed_at.get(key),
            )
            for key, order in self.orders.items()
        ]

    async def strangers(self, account_ids: Sequence[AccountId]) -> Sequence[AccountId]:
        return [account_id for account_id in account_ids if account_id not in self.known]

    async def order(self, known: KnownList) -> Order:
        return self.orders[known.key]

    async def note_probed(self, keys: Sequence[ListKey], now: datetime) -> None:
        self.probed_at.update(dict.fromkeys(keys, now))

    async def learn(self, known: KnownList, findings: Findings, now: datetime) -> None:
        key = known.key
        self.probed_at[key] = self.changed_at[key] = now
        if findings.outcome == "unfit":
            self.unfit.add(key)
        changed = findings.stretches
        kept = [changed.get(stretch.start, stretch) for stretch in self.orders[key].stretches]
        self.orders[key] = Order([stretch for stretch in kept if stretch is not None])

    async def refresh(self, account_ids: Sequence[AccountId], is_listed: bool) -> None:  # noqa: FBT001 - a `Refresh`
        del is_listed
        # Looked up by id, and their emails asked for.
        self.site.points += 2 * (1 + 2 * len(account_ids))
        self.refreshed.extend(account_ids)
        here = {who for members in self.site.lists.values() for who in members} | set(self.site.asked)
        self.known |= here & set(account_ids)
        self.known -= set(account_ids) - here


async def go(places: MemoryPlaces, *, points: int = probe.BUSY_POINTS, now: datetime = NOW) -> Outcome:
    site = places.site
    return await rounds.work(
        places.lists(), site, places, places.refresh, points=points, since=probe.since(None, now), now=now
    )


def key(phase: str, number: int) -> ListKey:
    return ListKey(phase=phase, container=str(number))


def a_site(people: int, *, seed: int = 1) -> MemorySite:
    """As a generated sandbox site: seven of ten are users, in overlapping groups; the others customers."""
    draw = random.Random(seed)
    users = [AccountId(f"user-{number:06}") for number in range(people * 7 // 10)]
    customers = [AccountId(f"qm:{number:06}") for number in range(people * 3 // 10)]
    lists = {
        key(USERS, number): [who for who in users if draw.random() < share]
        for number, share in enumerate((0.85, 0.4, 0.15, 0.1, 0.1, 0.01))
    }
    for phase, size in (("customers", 150), ("organizations", 20)):
        count = max(2, len(customers) // size)
        lists |= {key(phase, number): [] for number in range(count)}
        for who in customers:
            lists[key(phase, draw.randrange(count))].append(who)
    return MemorySite(lists=lists, hidden={who for who in users if draw.random() < 0.02})


def join(site: MemorySite, who: AccountId, draw: random.Random) -> None:
    """A newcomer: a user in some groups, or a customer of a desk or an organization."""
    if draw.random() < 0.7:
        chosen = [each for each in site.lists if each.phase == USERS and draw.random() < 0.3] or [key(USERS, 0)]
    else:
        chosen = [draw.choice([each for each in site.lists if each.phase != USERS])]
    for each in chosen:
        site.lists[each].insert(draw.randrange(len(site.lists[each]) + 1), who)


async def test_newcomer_in_several_groups_is_read_once() -> None:
    site = a_site(300)
    places = MemoryPlaces(site=site)
    for number in (0, 1, 2):
        site.lists[key(USERS, number)].insert(5, AccountId("new"))
    outcome = await go(places)
    assert (places.refreshed, outcome.has_met_strangers, outcome.wants_scan) == (["new"], True, False)
    spent = site.points
    assert not (await go(places)).has_met_strangers
    assert site.points - spent == 1 + len(site.lists)  # nobody is shown where nothing changed


async def test_newcomer_of_whom_an_event_told_is_not_read_again() -> None:
    site = a_site(300)
    places = MemoryPlaces(site=site)
    site.lists[key(USERS, 0)].append(AccountId("new"))
    places.known.add(AccountId("new"))
    assert not (await go(places)).has_met_strangers
    assert places.refreshed == []
    assert places.orders[key(USERS, 0)].length == len(site.lists[key(USERS, 0)])


async def test_who_left_a_list_is_asked_for_by_id() -> None:
    site = a_site(300)
    places = MemoryPlaces(site=site)
    gone = next(who for who in site.lists[key(USERS, 0)] if who not in site.hidden)
    for members in site.lists.values():
        if gone in members:
            members.remove(gone)
    await go(places)
    assert set(places.refreshed) == {gone}
    assert gone not in places.known


async def test_unknown_reporter_is_read() -> None:
    site = a_site(30)
    places = MemoryPlaces(site=site)
    known = site.lists[key("customers", 0)][0]
    site.asked = [known, AccountId("qm:stranger")]
    await go(places)
    assert places.refreshed == ["qm:stranger"]


async def test_empty_lists_without_the_permission_to_see_people_are_not_believed() -> None:
    site = a_site(300)
    places = MemoryPlaces(site=site)
    site.is_browsing_allowed = False
    with pytest.raises(rounds.NotBelieved):
        await go(places)
    assert places.refreshed == []


async def test_list_that_is_there_no_more_stops_no_other() -> None:
    site = a_site(300)
    places = MemoryPlaces(site=site)
    site.troubled[key(USERS, 0)] = ListClosed()
    site.lists[key("organizations", 1)].append(AccountId("new"))
    outcome = await go(places)
    assert (places.refreshed, outcome.wants_scan) == (["new"], False)


async def test_list_in_trouble_ends_the_round_and_comes_last_in_the_next() -> None:
    site = a_site(300)
    places = MemoryPlaces(site=site)
    site.troubled[key("customers", 0)] = Outage()
    site.lists[key("organizations", 1)].append(AccountId("new"))
    with pytest.raises(Outage):
        await go(places)
    assert places.refreshed == []
    with pytest.raises(Outage):
        await go(places, now=NOW + probe.ROUND)
    assert places.refreshed == ["new"]


async def test_mass_arrival_asks_for_a_whole_scan_and_is_not_searched() -> None:
    site = a_site(300)
    places = MemoryPlaces(site=site)
    site.lists[key(USERS, 0)][3:3] = [AccountId(f"new-{number}") for number in range(rounds.MOST_CAME + 1)]
    outcome = await go(places)
    assert outcome.wants_scan
    assert site.points < 3 * len(site.lists)


async def hour(places: MemoryPlaces, arrivals: int, *, found_at: datetime, seed: int) -> tuple[list[timedelta], int]:
    """An hour, in which so many people come at random moments: how long each stayed unknown, and the points it took."""
    site, draw = places.site, random.Random(seed)
    came = {NOW + HOUR * draw.random(): AccountId(f"new-{seed}-{number}") for number in range(arrivals)}
    waiting = sorted(came)
    arrived_at: dict[AccountId, datetime] = {}
    delays: list[timedelta] = []
    now, before = NOW, site.points
    while now < NOW + HOUR or waiting or arrived_at:
        while waiting and waiting[0] <= now:
            moment = waiting.pop(0)
            join(site, came[moment], draw)
            arrived_at[came[moment]] = moment
        pace = probe.pace(quota=QUOTA, tenants=1, found_at=found_at, now=now)
        if (await go(places, points=pace.points, now=now)).has_met_strangers:
            found_at = now
        delays.extend(now - arrived_at.pop(who) for who in set(arrived_at) & places.known)
        now += pace.interval
        assert now < NOW + 3 * HOUR, f"never found: {sorted(arrived_at)}"
    return delays, round((site.points - before) * (HOUR / (now - NOW)))


@pytest.mark.parametrize("seed", range(5))
async def test_ten_newcomers_an_hour_among_ten_thousand_are_found_in_ten_minutes(seed: int) -> None:
    places = MemoryPlaces(site=a_site(10_000, seed=seed))
    delays, points = await hour(places, 10, found_at=NOW, seed=seed)
    assert len(delays) == 10
    assert max(delays) <= timedelta(minutes=10)
    assert points <= 3_000


async def test_quiet_site_of_ten_thousand_costs_three_hundred_points_an_hour() -> None:
    places = MemoryPlaces(site=a_site(10_000))
    _, points = await hour(places, 0, found_at=NOW - probe.BUSY_FOR, seed=1)
    assert 0 < points <= 300


async def test_every_list_is_looked_at_in_the_rounds_that_are_told() -> None:
    places = MemoryPlaces(site=a_site(10_000))
    told = probe.rounds_for_all(places.lists(), users=USERS, points=probe.QUIET_POINTS)
    for number in range(told + 1):
        await go(places, points=probe.QUIET_POINTS, now=NOW + number * probe.ROUND)
    assert set(places.probed_at) == set(places.orders)
