"""Is there an order of looks that leads from what we believed to what is seen now? If not, the add-on did what it must not.

The sync looks at accounts in an order of its own, and at some of them not at all while Jira or its workers fail. The search
goes through the orders of accounts that can affect each other, and keeps every book that explains what is seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tests.machine import model
from tests.machine.model import Account, Book, Settings
from tests.machine.watch import Shown, View

MOST_NODES = 20_000

Node = tuple[Book, frozenset[str]]
"""A book, and the accounts that were looked at on the way to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the add-on may have done. `truth`: the accounts of the site. `is_whole`: each of them was looked at for sure.

    `veiled`: accounts whose email Jira may have kept back; `blurred`: users that a desk's list may have passed for
    customers.
    """

    truth: Mapping[str, Account]
    settings: Settings
    seen: View
    now: datetime
    is_whole: bool = False
    veiled: frozenset[str] = frozenset()
    blurred: frozenset[str] = frozenset()


def explain(books: Sequence[Book], step: Step) -> list[Book]:
    """The books that lead to what is seen; none if it cannot be explained."""
    for cluster in _clusters(books, step):
        books = _distinct(end for book in books for end in _explain(book, cluster, step))
    return [book for book in books if mismatch(book, step.seen) is None]


def mismatch(book: Book, seen: View, among: set[int] | None = None) -> str | None:
    """What a book has and the view has not, or the other way round."""
    wanted = {*book.cards, *seen.contacts} if among is None else among
    for contact_id in wanted:
        card, shown = book.cards.get(contact_id), seen.contacts.get(contact_id)
        if card is None and shown is None:
            continue
        if card is None or shown is None:
            return f"contact {contact_id}: expected {card}, seen {shown}"
        problem = _difference(book, contact_id, shown)
        if problem is not None:
            return f"contact {contact_id}: {problem}; expected {card}, seen {shown}"
    return None


def _difference(book: Book, contact_id: int, shown: Shown) -> str | None:
    card, linked = book.cards[contact_id], book.linked_to(contact_id)
    if (card.name, _key(card.email), card.by_hand) != (shown.name, _key(shown.email), shown.by_hand):
        return "name, email or origin"
    expected = {(i, book.links[i].by, book.known[i].name, book.known[i].active) for i in linked}
    if expected != set(shown.links):
        return f"links {expected}"
    if linked and shown.links[0][0] not in model.leaders(book, contact_id)[0]:
        return "primary account"
    # A company may be found by rules; one that somebody typed stays.
    extra = set(shown.typed) - set(card.typed) - {"company"}
    if extra or any(shown.typed.get(name) != value for name, value in card.typed.items()):
        return "what was typed"
    if bool(linked) is shown.deletable or bool(linked) is not bool(shown.read_only):
        return "read-only"
    return None


def _explain(book: Book, cluster: frozenset[str], step: Step) -> Iterator[Book]:
    keys = {touch[1] for i in cluster for touch in _touches(i, [book], step) if touch[0] == "email"}
    begun: Node = (book, frozenset())
    waiting, met = [begun], {(book.identity(), begun[1])}
    while waiting:
        here, done = waiting.pop()
        if not step.is_whole or done == cluster:
            among = _concerned(here, cluster, keys, step.seen) | _concerned(book, cluster, keys, step.seen)
            if mismatch(here, step.seen, among) is None:
                yield here
        for following in _following(here, done, cluster, step):
            name = following[0].identity(), following[1]
            if name not in met:
                assert len(met) < MOST_NODES, "too much happened between two looks to tell what is right"
                met.add(name)
                waiting.append(following)


def _following(book: Book, done: frozenset[str], cluster: frozenset[str], step: Step) -> Iterator[Node]:
    for account_id in sorted(cluster):
        for moved, is_settled in _moves(book, account_id, step):
            if _leads_on(moved, account_id, step):
                yield moved, (done | {account_id} if step.is_whole and is_settled else done)


def _leads_on(book: Book, account_id: str, step: Step) -> bool:
    """Whether the account's link is the one that is seen, or is still to be dropped because it is out of scope."""
    link, seen = book.links.get(account_id), step.seen.contact_of(account_id)
    if link is None or link.contact_id == seen:
        return True
    return seen is None and not step.settings.means(book.known[account_id])


def _moves(book: Book, account_id: str, step: Step) -> Iterator[tuple[Book, bool]]:
    """What one look at an account leads to, and whether that is all that a whole scan has to do about it."""
    account = step.truth.get(account_id)
    if account is None:
        for left in model.gone(book, account_id):
            yield left, True
        return
    link = book.links.get(account_id)
    if link is not None and not step.settings.means(book.known[account_id]):
        for left in model.leave(book, account_id):
            yield left, False
    for view in _views(account, step):
        contact_id = step.seen.contact_of(account_id)
        for looked in model.look(book, view, step.settings, now=step.now, new_id=contact_id):
            is_settled = account_id not in looked.links or step.settings.means(looked.known[account_id])
            yield looked, is_settled


def _views(account: Account, step: Step) -> Iterator[Account]:
    emails = {account.email, None} if account.account_id in step.veiled else {account.email}
    kinds = {account.kind, "customer"} if account.account_id in step.blurred else {account.kind}
    for email in emails:
        for kind in kinds:
            yield replace(account, email=email, kind=kind)


def _concerned(book: Book, cluster: frozenset[str], keys: set[object], seen: View) -> set[int]:
    linked = [*book.links.items(), *book.memory.items()]
    return {
        *(link.contact_id for account_id, link in linked if account_id in cluster),
        *(i for i, card in book.cards.items() if _key(card.email) in keys),
        *(i for i, shown in seen.contacts.items() if _key(shown.email) in keys),
        *(i for i, shown in seen.contacts.items() if any(link[0] in cluster for link in shown.links)),
    }


def _clusters(books: Sequence[Book], step: Step) -> list[frozenset[str]]:
    """The accounts that have anything in common: an email, or a contact."""
    accounts = {*step.truth, *(i for book in books for i in (*book.links, *book.memory, *book.known))}
    clusters: list[tuple[set[str], set[tuple[str, object]]]] = []
    for account_id in sorted(accounts):
        ids, touches = {account_id}, _touches(account_id, books, step)
        apart = []
        for cluster in clusters:
            if cluster[1] & touches:
                ids |= cluster[0]
                touches |= cluster[1]
            else:
                apart.append(cluster)
        clusters = [*apart, (ids, touches)]
    return [frozenset(ids) for ids, _ in clusters]


def _touches(account_id: str, books: Sequence[Book], step: Step) -> set[tuple[str, object]]:
    linked = step.seen.contact_of(account_id)
    contacts = set() if linked is None else {linked}
    emails = {step.truth[account_id].email} if account_id in step.truth else set()
    for book in books:
        links = (book.links.get(account_id), book.memory.get(account_id))
        contacts |= {link.contact_id for link in links if link is not None}
        if account_id in book.known:
            emails.add(book.known[account_id].email)
        emails |= {book.cards[i].email for i in contacts if i in book.cards}
    emails |= {step.seen.contacts[i].email for i in contacts if i in step.seen.contacts}
    return {("contact", i) for i in contacts} | {("email", _key(e)) for e in emails if e is not None}


def _key(email: str | None) -> str | None:
    return None if email is None else model.key(email)


def _distinct(books: Iterator[Book]) -> list[Book]:
    return list({book.identity(): book for book in books}.values())
