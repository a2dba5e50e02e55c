"""What is one of the two tenants of a sequence: its site, its settings, and every book that explains what was seen of it?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sandbox.faults import Faults
from sandbox.person import AccountType, Person
from tests.machine.explain import Step
from tests.machine.model import Account, Book, Settings
from tests.machine.stage import Scene, Tenant
from tests.machine.watch import View


class Side:
    """One tenant: its site, and the books that explain everything seen so far."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.site = tenant, tenant.site
        self.books: Sequence[Book] = [Book()]
        self.settings = Settings()
        self.view = View(contacts={})
        self.typed: list[tuple[int, str, str]] = []  # contact, field, what somebody wrote into it
        self.dismissed: set[tuple[str, str]] = set()

    def add_user(self, name: str, email: str | None, *, shown: bool = True, active: bool = True) -> Person:
        """A new Atlassian user with access to Jira."""
        licence = self.site.licence_group_id("jira-software")
        assert licence is not None
        added = self._person("712020:", AccountType.ATLASSIAN, name, email)
        return self.site.add_person(replace(added, email_visible=shown, active=active), group_ids=[licence])

    def add_customer(self, name: str, email: str | None, *, shown: bool = True, active: bool = True) -> Person:
        """A new portal customer of the only desk."""
        added = self._person("qm:a713:", AccountType.CUSTOMER, name, email)
        return self.site.add_person(replace(added, email_visible=shown, active=active), desk_ids=list(self.site.desks))

    def _person(self, prefix: str, account_type: AccountType, name: str, email: str | None) -> Person:
        # Numbered, so that a sequence has the same people each time.
        number = len(self.site.people)
        return Person(account_id=f"{prefix}{number}", account_type=account_type, display_name=name, email=email)

    @property
    def truth(self) -> Mapping[str, Account]:
        """Whom a perfect reader of the site would find, by id."""
        return {
            i: Account(
                account_id=i,
                kind="user" if person.account_type is AccountType.ATLASSIAN else "customer",
                name=person.display_name,
                email=person.email,
                active=person.active,
            )
            for i, person in self.people.items()
        }

    @property
    def people(self) -> Mapping[str, Person]:
        living = {i: p for i, p in self.site.people.items() if not p.deleted}
        return {i: p for i, p in living.items() if p.account_type is not AccountType.APP and self.site.is_reachable(i)}

    @property
    def is_healthy(self) -> bool:
        return replace(self.site.faults, webhooks=Faults().webhooks) == Faults()

    def step(self, scene: Scene, *, is_whole: bool) -> Step:
        is_veiled = not self.is_healthy and not is_whole
        listed = (self.site.desk_customers, self.site.organization_members)
        return Step(
            truth=self.truth,
            settings=self.settings,
            seen=self.view,
            now=scene.clock(),
            is_whole=is_whole,
            veiled=frozenset(i for i, p in self.people.items() if is_veiled and not p.email_visible),
            blurred=frozenset(
                i
                for i, p in self.people.items()
                if is_veiled and p.account_type is AccountType.ATLASSIAN and any(r.owners(i) for r in listed)
            ),
        )


def expected_questions(book: Book) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """What must be asked, and what may be."""
    held = {("ambiguous-email", i) for i in book.held if len(book.with_email(book.known[i].email)) > 1}
    clashing = {
        ("email-collision", i)
        for i, link in book.links.items()
        if book.with_email(book.known[i].email) - {link.contact_id}
    }
    return held | {each for each in clashing if each[1] in book.clashes}, held | clashing
