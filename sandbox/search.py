"""Whom does a search by words find? An index of the words in names and visible addresses, made once per state of a site.

Built from people, and never changed: a changed site makes a new one.
"""

import bisect
import collections.abc
import re

from sandbox import person

SEPARATORS = re.compile(r"[\s@._+-]+")
HIGHEST = "\U0010ffff"


class Index:
    """Everyone but the deleted, in the order of display names."""

    def __init__(self, people: collections.abc.Iterable[person.Person]) -> None:
        ranked = sorted((each for each in people if not each.deleted), key=lambda each: each.display_name.casefold())
        self._ids = [each.account_id for each in ranked]
        self._words = sorted({(word, rank) for rank, each in enumerate(ranked) for word in _words_of(each)})

    def find(self, query: str) -> list[str]:
        """Ids of those who have, for every word of the query, a word that starts with it; everyone for no word."""
        matched: set[int] | None = None
        for word in query.casefold().split():
            ranks = self._starting_with(word)
            matched = ranks if matched is None else matched & ranks
        return list(self._ids) if matched is None else [self._ids[rank] for rank in sorted(matched)]

    def _starting_with(self, word: str) -> set[int]:
        first = bisect.bisect_left(self._words, (word, -1))
        last = bisect.bisect_right(self._words, (word + HIGHEST, -1))
        return {rank for _, rank in self._words[first:last]}


def _words_of(each: person.Person) -> set[str]:
    name, address = each.display_name.casefold(), (each.readable_email or "").casefold()
    return {word for word in (*SEPARATORS.split(name), *SEPARATORS.split(address), name, address) if word}
