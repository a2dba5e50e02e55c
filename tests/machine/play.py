"""What can happen to two tenants, and is what is seen afterwards explained by the model each time? The actions of a sequence.

Every action ends by looking at both tenants: what it did to one must not show in the other.
"""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import httpx

from addon.storage import sync_state
from sandbox import severing
from sandbox.faults import Faults
from tests.machine import doom, explain, model, sides, watch
from tests.machine.cluster import command
from tests.machine.model import Book, Card, Settings
from tests.machine.sides import Side
from tests.machine.stage import Scene
from tests.machine.watch import Question
from tests.support import sockets

TURNS = 12  # of jobs, while something goes wrong that may last for ever
AWAKE = (
    "UPDATE pgqueuer SET execute_after = now()",
    # Whoever was killed has given no sign of life for long, and what they held is anybody's.
    "UPDATE call_slot SET until = now()",
    "UPDATE pgqueuer SET heartbeat = now() - interval '1 hour' WHERE status = 'picked'",
)
LONG = timedelta(days=8)
MOMENT = timedelta(minutes=1)
CALM_ROUNDS = 4
NOTICE_S = 0.02  # for the pool to notice which of its connections are gone


class Play:
    """A sequence on a scene. Every method is one thing that happens; AssertionError is what must not."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.sides = [Side(tenant) for tenant in scene.tenants]

    # What is seen

    async def look(self, *, is_whole: bool = False) -> None:
        for side in self.sides:
            side.view = await watch.read(self.scene.database, side.tenant.tenant_id)
            before = side.books
            assert before, "it went wrong before"
            if side.settings.is_on:
                side.books = explain.explain(before, side.step(self.scene, is_whole=is_whole))
            else:
                side.books = [book for book in before if explain.mismatch(book, side.view) is None]
            assert side.books, self._accuse(side, before, is_whole=is_whole)

    def _accuse(self, side: Side, before: Sequence[Book], *, is_whole: bool) -> str:
        shown = "\n".join(f"    {i}: {contact}" for i, contact in side.view.contacts.items())
        people = "\n".join(f"    {person}" for person in side.people.values())
        problems = {explain.mismatch(book, side.view) for book in before}
        return (
            f"nothing explains tenant {self.sides.index(side)} ({is_whole=}, {side.settings})\n"
            f"  Jira has\n{people}\n  seen\n{shown}\n  before\n    {before[0]}\n  differs by\n    {problems}"
        )

    # The add-on works

    async def deliver(self) -> None:
        await self.scene.cloud.deliver()

    async def work(self, *, turns: int = TURNS) -> None:
        if not await self._jobs():
            return
        await command(self.scene.cluster.url, *AWAKE)
        await doom.hurried_worker(self.scene.parts, self.scene.clock, turns=turns).run(until_empty=True)
        await self.look()

    async def _jobs(self) -> list[str]:
        async with self.scene.database.transaction() as connection:
            rows = await connection.fetch_all("SELECT entrypoint, status FROM pgqueuer")
        return [f"{row[0]} ({row[1]})" for row in rows]

    async def tend(self) -> None:
        """What happens by the clock."""
        await self.scene.parts.schedules().tend()

    async def kill_worker(self, at: int) -> None:
        """A worker in a process of its own is killed in the middle of its work."""
        await command(self.scene.cluster.url, *AWAKE)
        keys_url = self.scene.parts.config.install_keys_url
        async with self._jira_on_a_socket() as path:
            await doom.work_until_killed(self.scene.cluster.url, path, keys_url, self.scene.clock, at=at, turns=TURNS)
        await self.look()

    @asynccontextmanager
    async def _jira_on_a_socket(self) -> AsyncIterator[str]:
        with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listening:
            path = str(Path(directory) / "jira")
            listening.bind(path)
            async with sockets.serving(severing.end_quietly(self.scene.jira), [listening]):
                yield path

    async def crash_database(self, at: int) -> None:
        """PostgreSQL is stopped hard in the middle of a worker's work; meanwhile the site and its people go on."""
        await command(self.scene.cluster.url, *AWAKE)
        scene, is_down = self.scene, False

        def strike() -> None:
            nonlocal is_down
            is_down = True
            scene.cluster.crash()
            worker.stop(patience=timedelta(0))

        fate = doom.Doom(at, strike)
        async with scene.doomed(fate) as parts:
            worker = doom.hurried_worker(parts, scene.clock, turns=TURNS)
            await worker.run(until_empty=True)
        if not is_down:
            scene.cluster.crash()
        await scene.cloud.deliver()
        side = self.sides[0]
        refused = await self._call(side, "POST", "/api/contacts", {"name": "Nobody"})
        assert refused.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        scene.cluster.start()
        await asyncio.sleep(NOTICE_S)
        await self.look()

    async def calm(self) -> None:
        """Nothing goes wrong any more, the clock goes on, and a whole scan comes to its end: now all must be right."""
        self.scene.cloud.quota_per_hour = None
        for side in self.sides:
            side.site.faults = Faults()
        await self._empty_queue()
        self.scene.clock.advance(LONG)
        await self._empty_queue()
        await self.tend()
        await self._work_off()
        await self.look(is_whole=True)
        for side in self.sides:
            await self._check_status(side)
            await self._check_questions(side)
            await self._check_history(side)

    async def _empty_queue(self) -> None:
        for _ in range(CALM_ROUNDS):
            attempts = await self.scene.cloud.deliver()
            await self._work_off()
            if not attempts:
                return

    async def _work_off(self) -> None:
        await self.work(turns=doom.MOST_TURNS)
        left = await self._jobs()
        assert not left, f"jobs are left in the queue: {left}"

    async def _check_status(self, side: Side) -> None:
        async with self.scene.database.tenant(side.tenant.tenant_id) as scope:
            status = await sync_state.read(scope)
        linked = sum(bool(shown.links) for shown in side.view.contacts.values())
        assert (status.enabled, status.linked) == (side.settings.is_on, linked)
        if status.enabled:
            assert status.last_run is not None
            assert (status.state, status.last_run.trigger) == ("idle", "schedule"), "no whole scan came by itself"

    async def _check_questions(self, side: Side) -> None:
        """D2, D4: what waits for a person is listed, and nothing else is."""
        asked = await self.questions(side)
        shown = {(question.kind, question.account_id) for question in asked} - side.dismissed
        fitting = []
        for book in side.books:
            must, may = sides.expected_questions(book)
            if must - side.dismissed <= shown <= may:
                fitting.append(book)
        assert fitting, f"{shown} is asked; expected {[sides.expected_questions(book) for book in side.books]}"
        side.books = fitting

    async def _check_history(self, side: Side) -> None:
        """What the sync wrote over something that a person typed is in the history (D16)."""
        for contact_id, field, text in side.typed:
            present = side.view.contacts.get(contact_id)
            if present is not None and text != getattr(present, field):
                former = await watch.overwritten(self.scene.database, side.tenant.tenant_id, contact_id, field)
                is_same = field == "email" and present.email and model.key(present.email) == model.key(text)
                assert text in former or is_same, f"{field} {text!r} of contact {contact_id} is lost"

    # People and what they do with contacts

    async def questions(self, side: Side) -> list[Question]:
        if not side.settings.is_on:
            return []
        return await watch.questions(self.scene.database, side.tenant.tenant_id)

    async def _call(self, side: Side, method: str, path: str, body: object = None) -> httpx.Response:
        return await self.scene.call(side.tenant, method, path, body)

    async def type_contact(self, side: Side, **fields: str) -> None:
        fields, body = await self._with_company(side, fields)
        answer = await self._call(side, "POST", "/api/contacts", body)
        if self._is_done(side, answer, HTTPStatus.CREATED):
            made = Card(name=fields["name"], email=fields.get("email"), by_hand=True, typed=_attributes(fields))
            self._put(side, int(answer.json()["id"]), made, fields)
        await self.look()

    async def edit_contact(self, side: Side, contact_id: int, **fields: str) -> None:
        shown = side.view.contacts[contact_id]
        fields, body = await self._with_company(side, fields)
        body["version"] = shown.version
        answer = await self._call(side, "PATCH", f"/api/contacts/{contact_id}", body)
        synced = {name for name in ("name", "email") if name in fields and fields[name] != getattr(shown, name)}
        status = HTTPStatus.CONFLICT if shown.links and synced else HTTPStatus.OK
        if self._is_done(side, answer, status) and answer.is_success:
            for_all = {"name": fields.get("name", shown.name), "email": fields.get("email", shown.email)}
            card = next(iter(side.books)).cards[contact_id]
            typed = {**card.typed, **_attributes(fields)}
            self._put(side, contact_id, replace(card, typed=typed, **for_all), fields)  # type: ignore[arg-type]
        await self.look()

    async def delete_contact(self, side: Side, contact_id: int) -> None:
        shown = side.view.contacts[contact_id]
        answer = await self._call(side, "DELETE", f"/api/contacts/{contact_id}")
        status = HTTPStatus.CONFLICT if shown.links else HTTPStatus.NO_CONTENT
        if self._is_done(side, answer, status) and answer.is_success:
            side.books = [model.put(book, contact_id, None) for book in side.books]
        await self.look()

    async def _with_company(self, side: Side, fields: dict[str, str]) -> tuple[dict[str, str], dict[str, object]]:
        """What is typed, and the body that says so; without the company where that could not be made."""
        body: dict[str, object] = {name: value for name, value in fields.items() if name != "company"}
        if "company" not in fields:
            return fields, body
        made = await self._call(side, "POST", "/api/companies", {"name": fields["company"]})
        if self._is_done(side, made, HTTPStatus.CREATED):
            return fields, {**body, "company": {"id": made.json()["id"]}}
        return {name: value for name, value in fields.items() if name != "company"}, body

    def _put(self, side: Side, contact_id: int, card: Card, fields: Mapping[str, str]) -> None:
        side.books = [model.put(book, contact_id, card) for book in side.books]
        kept = [each for each in side.typed if not (each[0] == contact_id and each[1] in fields)]
        side.typed = [*kept, *((contact_id, name, fields[name]) for name in ("name", "email") if name in fields)]

    def _is_done(self, side: Side, answer: httpx.Response, expected: int) -> bool:
        """Whether an order was carried out or refused by a rule. While Jira fails, nobody may be let in."""
        if answer.status_code == expected:
            return True
        assert not side.is_healthy or self.scene.cloud.quota_per_hour is not None, f"{expected} expected: {answer.text}"
        assert not answer.is_success, answer.text
        return False

    async def open_list(self, side: Side) -> None:
        await self._call(side, "GET", "/api/contacts?limit=50")
        await self.look()

    async def answer(self, side: Side, question: Question, target: int | None) -> None:
        """A person decides: a candidate, a new contact (None), or nothing at all (a target that is none of them)."""
        action = "create" if target is None else "link" if target in question.candidates else "dismiss"
        body = {"action": action} | ({"contactId": str(target)} if action == "link" else {})
        answer = await self._call(side, "POST", f"/api/attention/{question.attention_id}", body)
        if self._is_done(side, answer, HTTPStatus.NO_CONTENT):
            if action == "dismiss":
                side.dismissed.add((question.kind, question.account_id))
            else:
                side.view = await watch.read(self.scene.database, side.tenant.tenant_id)
                side.books = self._chosen(side, question.account_id, target)
        await self.look()

    def _chosen(self, side: Side, account_id: str, target: int | None) -> list[Book]:
        new_id = side.view.contact_of(account_id) if target is None else None
        return [
            chosen
            for book in side.books
            if account_id in book.known
            for chosen in model.choose(book, account_id, target, now=self.scene.clock(), new_id=new_id)
        ]

    async def set_sync(self, side: Side, settings: Settings) -> None:
        filters = {
            **({"kinds": sorted(settings.kinds)} if settings.kinds else {}),
            **({"emailDomains": sorted(settings.domains)} if settings.domains else {}),
        }
        body = {"enabled": settings.is_on, "includeInactive": settings.include_inactive, "filters": filters}
        answer = await self._call(side, "PUT", "/api/sync", body)
        if self._is_done(side, answer, HTTPStatus.OK):
            if side.settings.is_on and not settings.is_on:
                side.books = [model.turn_off(book) for book in side.books]
            elif settings.is_on and not side.settings.is_on:
                side.books = [on for book in side.books for on in model.turn_on(book)]
            side.settings = settings
        await self.look()

    async def request_run(self, side: Side) -> None:
        await self._call(side, "POST", "/api/sync/runs")


def _attributes(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in {"name", "email"}}
