"""What does product.md say becomes of a site's contacts? A model in memory, written from the specification alone.

A `Book` is one state of a tenant. Every function takes a book and gives all the books that the specification allows after
one thing has happened: mostly one, and several where it leaves the outcome open (whose link is the older of two that were
made at the same moment, say). When the add-on looks at an account is not the model's affair: `tests.machine.explain`
finds out which looks in which order explain what is seen.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeVar

Kind = Literal["user", "customer"]
By = Literal["email", "account", "person"]
Id = TypeVar("Id", int, str)
Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A Jira user or customer as the add-on may see them. `email` is None where none is shown."""

    account_id: str
    kind: Kind
    name: str
    email: str | None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A contact. `typed`: what people wrote beside name and email."""

    name: str
    email: str | None
    by_hand: bool
    typed: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_bare(self) -> bool:
        return not self.by_hand and not self.typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    contact_id: int
    by: By
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """D7 and D11. `kinds`, `domains`: an empty set restricts nothing."""

    is_on: bool = False
    include_inactive: bool = False
    kinds: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def means(self, account: Account) -> bool:
        """D11."""
        if self.kinds and account.kind not in self.kinds:
            return False
        return not self.domains or (account.email is not None and key(account.email).rpartition("@")[2] in self.domains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """`known`: accounts as they were last looked at. `clashes`: those whose new email met another contact's (D4)."""

    cards: Mapping[int, Card] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    memory: Mapping[str, Link] = field(default_factory=dict)
    known: Mapping[str, Account] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    clashes: frozenset[str] = frozenset()

    def linked_to(self, contact_id: int) -> list[str]:
        return [account_id for account_id, link in self.links.items() if link.contact_id == contact_id]

    def with_email(self, email: str | None) -> set[int]:
        """D1, D2."""
        if email is None:
            return set()
        return {i for i, card in self.cards.items() if card.email is not None and key(card.email) == key(email)}

    def identity(self) -> object:
        """Equal for equal books."""
        cards = ((i, c.name, c.email, c.by_hand, frozenset(c.typed.items())) for i, c in self.cards.items())
        facts = (self.links.items(), self.memory.items(), self.known.items())
        return frozenset(cards), *(frozenset(each) for each in facts), self.held, self.clashes


def key(email: str) -> str:
    """D1: trimmed, NFC, case-folded, and nothing else."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).casefold())


def look(book: Book, account: Account, settings: Settings, *, now: datetime, new_id: int | None) -> Iterator[Book]:
    """The sync looks at an account that exists. `new_id`: the contact to be made, if one is; None where none may be."""
    account_id = account.account_id
    before = book.known.get(account_id)
    if account.email is None and before is not None:
        account = replace(account, email=before.email)  # D8: not to be shown takes nothing away
    kept = account_id in book.links or account_id in book.memory
    if not kept and not (settings.means(account) and (account.active or settings.include_inactive)):
        yield _forget(book, account_id)
        return
    book = replace(book, known={**book.known, account_id: account})
    if account_id in book.memory and settings.means(account):
        link = book.memory[account_id]  # D10
        book = replace(book, links={**book.links, account_id: link}, memory=_without(book.memory, account_id))
    if account_id in book.links:
        if settings.means(account):
            book = _match_again(book, before, account, now)
        yield from _follow(book, book.links[account_id].contact_id)
    elif account_id in book.memory:
        yield book
    else:
        yield from _meet(book, account, now, new_id)


def _meet(book: Book, account: Account, now: datetime, new_id: int | None) -> Iterator[Book]:
    """An account that never had a contact: it is matched (S4), gets a new one (S5, D5), or is held (D2)."""
    account_id = account.account_id
    found = book.with_email(account.email)
    if len(found) == 1:
        yield from _attach(book, account_id, Link(contact_id=found.pop(), by="email", since=now))
    elif found:
        yield replace(book, held=book.held | {account_id})
    elif new_id is not None and new_id not in book.cards:
        by: By = "account" if account.email is None else "email"
        yield from _attach(_made(book, new_id, account), account_id, Link(contact_id=new_id, by=by, since=now))


def _made(book: Book, new_id: int, account: Account) -> Book:
    return replace(book, cards={**book.cards, new_id: Card(name=account.name, email=account.email, by_hand=False)})


def _match_again(book: Book, before: Account | None, account: Account, now: datetime) -> Book:
    """D5: an email that became visible is matched before the contact, which has none, is filled."""
    link = book.links[account.account_id]
    others = book.with_email(account.email) - {link.contact_id}
    is_new = before is not None and before.email is None and account.email is not None
    if not (is_new and link.by == "account" and book.cards[link.contact_id].email is None and len(others) == 1):
        return book
    merged = _detach(book, account.account_id, drops_bare=True)
    [target] = others
    return replace(merged, links={**merged.links, account.account_id: Link(contact_id=target, by="email", since=now)})


def gone(book: Book, account_id: str) -> Iterator[Book]:
    """S10: the contact stays. Whoever else is linked to it is its source now (D3)."""
    link = book.links.get(account_id)
    left = _forget(_detach(book, account_id, drops_bare=False), account_id)
    yield from _follow(left, link.contact_id) if link is not None else (left,)


def leave(book: Book, account_id: str) -> Iterator[Book]:
    """D11: out of scope, and remembered (D4: the first match is for good)."""
    link = book.links[account_id]
    left = _detach(book, account_id, drops_bare=False)
    yield from _follow(replace(left, memory={**left.memory, account_id: link}), link.contact_id)


def choose(book: Book, account_id: str, target: int | None, *, now: datetime, new_id: int | None) -> Iterator[Book]:
    """A person decided what an account is linked to: a contact, or a new one (`new_id`)."""
    own = book.links.get(account_id)
    left = _detach(book, account_id, drops_bare=True)
    for followed in _follow(left, own.contact_id) if own is not None and own.contact_id in left.cards else [left]:
        chosen = followed
        if target is None and new_id is not None:
            chosen = _made(followed, new_id, followed.known[account_id])
        contact_id = new_id if target is None else target
        assert contact_id is not None
        for linked in _attach(chosen, account_id, Link(contact_id=contact_id, by="person", since=now)):
            yield replace(linked, clashes=linked.clashes - {account_id})


def turn_off(book: Book) -> Book:
    """S12, D10."""
    memory = {**book.memory, **book.links}
    known = {i: account for i, account in book.known.items() if i in memory}
    return replace(book, links={}, memory=memory, known=known, held=frozenset(), clashes=frozenset())


def turn_on(book: Book) -> Iterator[Book]:
    """Links come back one by one as accounts are looked at, or at once if turning off had not been worked off yet."""
    yield book
    yield replace(book, links=dict(book.memory), memory={})


def put(book: Book, contact_id: int, card: Card | None) -> Book:
    """Somebody typed a contact, or deleted it (S11)."""
    cards = _without(book.cards, contact_id)
    if card is not None:
        return replace(book, cards={**cards, contact_id: card})
    memory = {i: link for i, link in book.memory.items() if link.contact_id != contact_id}
    return replace(book, cards=cards, memory=memory)


def leaders(book: Book, contact_id: int) -> list[list[str]]:
    """The accounts of a contact by D3, the primary one first; together those between which it leaves open who is first."""
    ranks: dict[object, list[str]] = {}
    for account_id in book.linked_to(contact_id):
        account = book.known[account_id]
        rank = (not account.active, account.kind != "user", book.links[account_id].since)
        ranks.setdefault(rank, []).append(account_id)
    return [ranks[rank] for rank in sorted(ranks)]  # type: ignore[type-var]


def _follow(book: Book, contact_id: int) -> Iterator[Book]:
    """S13, D3: the primary account supplies name and email; where it shows no email, the next that does."""
    groups = leaders(book, contact_id)
    if not groups:
        yield book
        return
    showing = [[i for i in group if book.known[i].email is not None] for group in groups]
    sources: Sequence[str | None] = next((group for group in showing if group), [None])
    for lead in groups[0]:
        for source in sources if lead not in sources else [lead]:
            yield _written(book, contact_id, lead, source)


def _written(book: Book, contact_id: int, lead: str, source: str | None) -> Book:
    card = replace(book.cards[contact_id], name=book.known[lead].name)
    clashes = book.clashes
    email = None if source is None else book.known[source].email
    if email is not None and (card.email is None or key(card.email) != key(email)):
        card = replace(card, email=email)
        clashes -= set(book.linked_to(contact_id))
        if source is not None and book.with_email(email) - {contact_id}:
            clashes |= {source}
    return replace(book, cards={**book.cards, contact_id: card}, clashes=clashes)


def _attach(book: Book, account_id: str, link: Link) -> Iterator[Book]:
    linked = replace(
        book,
        links={**book.links, account_id: link},
        memory=_without(book.memory, account_id),
        held=book.held - {account_id},
    )
    yield from _follow(linked, link.contact_id)


def _detach(book: Book, account_id: str, *, drops_bare: bool) -> Book:
    link = book.links.get(account_id)
    left = replace(book, links=_without(book.links, account_id), clashes=book.clashes - {account_id})
    if link is None:
        return left
    if drops_bare and left.cards[link.contact_id].is_bare and not left.linked_to(link.contact_id):
        return put(left, link.contact_id, None)
    return left


def _forget(book: Book, account_id: str) -> Book:
    return replace(
        book,
        memory=_without(book.memory, account_id),
        known=_without(book.known, account_id),
        held=book.held - {account_id},
    )


def _without(facts: Mapping[Id, Fact], left_out: Id) -> dict[Id, Fact]:
    return {i: fact for i, fact in facts.items() if i != left_out}
