"""What does a person mean by the text in a search box? The patterns that LIKE must find in search_text() of the database.

Pure. Folded as names and emails are (D1, `addon.crm.contact`); whatever LIKE gives a meaning to is a letter like any other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from addon.crm import contact

SHORT = 2
# Up to so many Latin letters or digits are the beginning of a word: trigrams know where words begin, and nothing else of so
# short a text. Other scripts have whole words of one or two signs, anywhere in a name.

BEFORE_WORDS = " .@-_'+"

INDEXED = re.compile(r"[^\W_]{3}|[\W_][^\W_]")
# Three letters in a row, or one that begins a word: what trigrams can be taken from.

TELLING = re.compile(r"[^\W_]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """`patterns`: any of them is enough. `parts`: patterns for a key by itself, of which one fits where one of those does;
    `is_word`: it may fit elsewhere, too. `is_indexed`: whether trigrams help to find them. `is_telling`: whether they find
    little else; the beginning of a word alone is that of very many.
    """

    patterns: Sequence[str]
    parts: Sequence[str]
    is_word: bool
    is_indexed: bool
    is_telling: bool


def read(text: str | None) -> Needle | None:
    """None for a text that finds everything."""
    if text is None or not text.strip():
        return None
    name, email = contact.name_key(text), contact.email_key(text)
    if len(name) <= SHORT and name.isascii() and name.isalnum():
        words = [contains(before + name) for before in BEFORE_WORDS]
        return Needle(patterns=words, parts=[contains(name)], is_word=True, is_indexed=True, is_telling=True)
    keys = list(dict.fromkeys(key for key in (name, email) if key))  # combining marks alone have no key as a name
    parts = [contains(key) for key in keys]
    return Needle(
        patterns=parts,
        parts=parts,
        is_word=False,
        is_indexed=all(INDEXED.search(key) for key in keys),
        is_telling=all(TELLING.search(key) for key in keys),
    )


def contains(part: str) -> str:
    """What LIKE must find for a text that holds `part` literally."""
    escaped = part.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
