"""Which sequences are played? A Hypothesis state machine that draws what happens next on two sites, until it calms down."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sandbox.faults import EmailApi, Faults, Interruption, Limit, WebhookFaults
from sandbox.person import AccountType, Person
from tests.machine.model import Settings
from tests.machine.play import Play
from tests.machine.sides import Side
from tests.machine.stage import Stage

NAMES = st.sampled_from(["Ann Lee", "Bo Ek", "Zoé Roy"])
EMAILS = st.sampled_from(
    # Few, so that they meet often; most spellings are of the same two addresses.
    ["ann@x.example", "ANN@X.example", "ann@x.example", "zo\u00e9@x.example", "ZOE\u0301@x.example", "bo@y.example"]
)
TEXTS = st.sampled_from(["1", "22", "333"])
WHICH = st.sampled_from([0, 0, 0, 1])  # most of it happens on the first site: the more it has to do with each other
PICK = st.integers(0, 7)
MOMENTS = st.integers(1, 90)
KINDS = st.sampled_from([AccountType.ATLASSIAN, AccountType.ATLASSIAN, AccountType.CUSTOMER])
SETTINGS = st.sampled_from(
    [
        Settings(is_on=True),
        Settings(is_on=True, include_inactive=True),
        Settings(is_on=True, kinds=frozenset({"user"})),
        Settings(is_on=True, kinds=frozenset({"customer"})),
        Settings(is_on=True, domains=frozenset({"x.example"})),
    ]
)
MOST_CALMS, MOST_DISASTERS = 1, 2  # of a sequence, beside the calm that ends it: they are dear
PEOPLE_CALLS = ("/rest/api/3/group/member", "/rest/api/3/user/bulk", "/rest/servicedeskapi", "/rest/api/3/user/email")
HTML = "<html>Sign in</html>"

limits = st.builds(
    Interruption,
    path_prefix=st.sampled_from(["/rest", *PEOPLE_CALLS]),
    status=st.just(429),
    times=st.integers(1, 3),
    limit=st.sampled_from(Limit),
)
refusals = st.builds(
    Interruption,
    path_prefix=st.sampled_from(["/rest", *PEOPLE_CALLS]),
    status=st.sampled_from([500, 502, 503, 504]),
    times=st.sampled_from([1, 2, 3, None]),
)
garbage = st.builds(
    Interruption,
    path_prefix=st.sampled_from(PEOPLE_CALLS),
    status=st.just(200),
    times=st.just(None),
    body=st.just(HTML),
)
FAULTS = st.one_of(
    st.builds(Faults, error_share=st.sampled_from([0.2, 0.5]), cut_share=st.sampled_from([0.0, 0.3])),
    st.builds(Faults, cut_share=st.just(0.3), delay_s=st.just(0.001)),
    st.builds(Faults, fallback_users=st.just(True)),
    st.builds(Faults, fallback_share=st.just(0.5)),
    st.builds(Faults, corrupt_users=st.just(True)),
    st.builds(Faults, tombstones=st.just(True)),
    st.builds(Faults, no_browse_permission=st.just(True)),
    st.builds(Faults, empty_lists=st.just(True)),
    st.builds(
        Faults,
        page_size=st.sampled_from([1, 2]),
        moving_people=st.sampled_from([0, 2]),
        shuffled_pages=st.booleans(),
        short_pages=st.booleans(),
    ),
    st.builds(Faults, email_api=st.sampled_from([EmailApi.DISABLED, EmailApi.NOT_APPROVED])),
    st.builds(Faults, quota_per_hour=st.sampled_from([5, 40]), enforce_bursts=st.booleans()),
    st.builds(Faults, interruptions=st.lists(st.one_of(limits, refusals, garbage), min_size=1, max_size=2)),
)
WEBHOOKS = st.builds(
    WebhookFaults,
    lost=st.sampled_from([0.0, 0.5, 1.0]),
    doubled=st.sampled_from([0.0, 0.5]),
    reordered=st.booleans(),
    delayed=st.sampled_from([timedelta(0), timedelta(minutes=7)]),
)


class Machine(RuleBasedStateMachine):
    """Two sites, one add-on. `runner` and `stage` are given by the test."""

    runner: ClassVar[asyncio.Runner]
    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        self.play: Play
        self.calms = self.disasters = 0

    def do(self, action: Coroutine[Any, Any, None]) -> None:
        self.play.scene.clock.advance(timedelta(minutes=1))
        self.runner.run(action)

    @initialize(
        contacts=st.lists(st.tuples(WHICH, NAMES, st.none() | EMAILS, st.none() | TEXTS), max_size=3),
        people=st.lists(st.tuples(WHICH, KINDS, NAMES, st.none() | EMAILS), min_size=1, max_size=5),
        begins=st.sampled_from(["off", "on", "on", "worked", "worked"]),
    )
    def begin(
        self,
        contacts: list[tuple[int, str, str | None, str | None]],
        people: list[tuple[int, AccountType, str, str | None]],
        begins: str,
    ) -> None:
        self.play = Play(self.runner.run(self._stack.enter_async_context(self.stage.scene())))
        for which, name, email, phone in contacts:
            self.type_contact(which, name, email, phone, None)
        for which, kind, name, email in people:
            self.arrive(which, kind, name, email, shown=True, active=True)
        for which in range(2 if begins != "off" else 0):
            self.turn_on(which, Settings(is_on=True))
        if begins == "worked":
            self.work(0)

    def teardown(self) -> None:
        try:
            if hasattr(self, "play"):
                self.do(self.play.calm())
        finally:
            self.runner.run(self._stack.aclose())

    # People of Jira

    @rule(which=WHICH, kind=KINDS, name=NAMES, email=st.none() | EMAILS, shown=st.booleans(), active=st.booleans())
    def arrive(self, which: int, kind: AccountType, name: str, email: str | None, *, shown: bool, active: bool) -> None:
        side = self.side(which)
        add = side.add_user if kind is AccountType.ATLASSIAN else side.add_customer
        # Inactive newcomers are not made contacts: the rarer, the more happens.
        add(name, email, shown=shown, active=active or shown)

    @rule(which=WHICH, pick=PICK, name=NAMES)
    def rename(self, which: int, pick: int, name: str) -> None:
        self.change(which, pick, display_name=name)

    @rule(which=WHICH, pick=PICK, email=EMAILS, shown=st.booleans())
    def change_email(self, which: int, pick: int, email: str, *, shown: bool) -> None:
        self.change(which, pick, email=email, email_visible=shown)

    @rule(which=WHICH, pick=PICK, active=st.booleans())
    def activate(self, which: int, pick: int, *, active: bool) -> None:
        self.change(which, pick, active=active)

    @rule(which=WHICH, pick=PICK, closed=st.booleans())
    def depart(self, which: int, pick: int, *, closed: bool) -> None:
        person = self.someone(which, pick)
        if person is not None:
            site = self.side(which).site
            (site.close_person if closed else site.delete_person)(person.account_id)

    @rule(which=WHICH, pick=PICK, other=PICK)
    def migrate(self, which: int, pick: int, other: int) -> None:
        customer = self.someone(which, pick, AccountType.CUSTOMER)
        user = self.someone(which, other, AccountType.ATLASSIAN)
        if customer is not None and user is not None:
            self.side(which).site.migrate_customer(customer.account_id, user.account_id)

    @rule(which=WHICH, pick=PICK)
    def report_issue(self, which: int, pick: int) -> None:
        person = self.someone(which, pick)
        if person is not None:
            self.side(which).site.create_issue(person.account_id)

    # People of the CRM

    @rule(which=WHICH, name=NAMES, email=st.none() | EMAILS, phone=st.none() | TEXTS, company=st.none() | TEXTS)
    def type_contact(self, which: int, name: str, email: str | None, phone: str | None, company: str | None) -> None:
        fields = {"name": name, "email": email, "phone": phone, "company": company}
        given = {field: value for field, value in fields.items() if value is not None}
        self.do(self.play.type_contact(self.side(which), **given))

    @rule(which=WHICH, pick=PICK, text=TEXTS, field=st.sampled_from(["phone", "jobTitle", "company"]))
    def edit_contact(self, which: int, pick: int, text: str, field: str) -> None:
        contact_id = self.contact(which, pick)
        if contact_id is not None:
            self.do(self.play.edit_contact(self.side(which), contact_id, **{field: text}))

    @rule(which=WHICH, pick=PICK, name=st.none() | NAMES, email=EMAILS)
    def edit_synced_fields(self, which: int, pick: int, name: str | None, email: str) -> None:
        contact_id = self.contact(which, pick)
        if contact_id is not None:
            given = {"email": email} if name is None else {"name": name, "email": email}
            self.do(self.play.edit_contact(self.side(which), contact_id, **given))

    @rule(which=WHICH, pick=PICK)
    def delete_contact(self, which: int, pick: int) -> None:
        contact_id = self.contact(which, pick)
        if contact_id is not None:
            self.do(self.play.delete_contact(self.side(which), contact_id))

    @rule(which=WHICH, pick=PICK, choice=PICK)
    def answer(self, which: int, pick: int, choice: int) -> None:
        side = self.side(which)
        asked = self.runner.run(self.play.questions(side))
        if asked:
            question = asked[pick % len(asked)]
            more = [None, -1] if question.kind == "ambiguous-email" else [-1]
            targets = [*question.candidates, *more]
            self.do(self.play.answer(side, question, targets[choice % len(targets)]))

    @rule(which=WHICH)
    def open_list(self, which: int) -> None:
        self.do(self.play.open_list(self.side(which)))

    @rule(which=WHICH, settings=SETTINGS)
    def turn_on(self, which: int, settings: Settings) -> None:
        self.do(self.play.set_sync(self.side(which), settings))

    @precondition(lambda self: any(side.settings.is_on for side in self.play.sides))
    @rule(which=WHICH)
    def turn_off(self, which: int) -> None:
        side = self.side(which)
        self.do(self.play.set_sync(side, replace(side.settings, is_on=False)))

    # The add-on, and what goes wrong

    @rule(minutes=st.sampled_from([0, 5, 60, 1500]))
    def work(self, minutes: int) -> None:
        self.do(self.work_on(minutes))

    async def work_on(self, minutes: int) -> None:
        self.play.scene.clock.advance(timedelta(minutes=minutes))
        await self.play.deliver()
        if minutes:
            await self.play.tend()
        await self.play.work()

    @rule(which=WHICH)
    def request_run(self, which: int) -> None:
        self.do(self.play.request_run(self.side(which)))

    @rule(which=WHICH, faults=FAULTS)
    def fail(self, which: int, faults: Faults) -> None:
        site = self.side(which).site
        # Interruptions count down: the next time this is drawn, it must be as new.
        interruptions = [replace(each) for each in faults.interruptions]
        site.faults = replace(faults, webhooks=site.faults.webhooks, interruptions=interruptions)

    @rule(which=WHICH, webhooks=WEBHOOKS)
    def fail_webhooks(self, which: int, webhooks: WebhookFaults) -> None:
        self.side(which).site.faults.webhooks = webhooks

    @precondition(lambda self: self.disasters < MOST_DISASTERS)
    @rule(at=MOMENTS)
    def kill_worker(self, at: int) -> None:
        self.disasters += 1
        self.do(self.play.kill_worker(at))

    @precondition(lambda self: self.disasters < MOST_DISASTERS)
    @rule(at=MOMENTS)
    def crash_database(self, at: int) -> None:
        self.disasters += 1
        self.do(self.play.crash_database(at))

    @precondition(lambda self: self.calms < MOST_CALMS)
    @rule()
    def calm(self) -> None:
        self.calms += 1
        self.do(self.play.calm())

    # Picking

    def side(self, which: int) -> Side:
        return self.play.sides[which]

    def someone(self, which: int, pick: int, kind: AccountType | None = None) -> Person | None:
        """The newest first, and never the administrator, who types."""
        side = self.side(which)
        people = [p for p in side.people.values() if kind in {None, p.account_type} and p != side.site.admin]
        return people[-1 - pick % len(people)] if people else None

    def contact(self, which: int, pick: int) -> int | None:
        contacts = sorted(self.side(which).view.contacts, reverse=True)
        return contacts[pick % len(contacts)] if contacts else None

    def change(self, which: int, pick: int, **facts: Any) -> None:
        person = self.someone(which, pick)
        if person is not None:
            self.side(which).site.change_person(person.account_id, **facts)
