"""How is a JQL query built? Its grammar, read strictly into a tree: what is not understood is refused.

What the fields mean is `jql_terms`' business. Pure. Source: Atlassian, "Advanced searching", its pages on operators and
keywords; of the short forms `&&`, `||` and `!` and of functions this site knows none.
"""

import collections.abc
import dataclasses
import re

TOKEN = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([<>]=?|!=|!~|=|~|[(),])|([\w.-]+\[[^\]]*\][\w.-]*|[\w./+-]+))""",
    re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
ESCAPES = {"t": "\t", "n": "\n", "r": "\r", " ": " ", "'": "'", '"': '"', "\\": "\\"}
EMPTY = frozenset({"empty", "null"})
RESERVED = EMPTY | {"and", "or", "not", "in", "is", "order", "by", "changed", "after", "before", "was"}
SIGNS = frozenset({"=", "!=", ">", ">=", "<", "<=", "~", "!~"})
MAX_DEPTH = 50
Operand = str | None
"""A value; None is EMPTY."""


class JqlError(Exception):
    """The query is not understood, or not allowed; the message is Jira's kind of message."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """`operator` is a sign, or words in small letters: `in`, `not in`, `is`, `is not`, `changed after` and its like."""

    field: str
    operator: str
    operands: tuple[Operand, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class All:
    parts: tuple["Node", ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Any:
    parts: tuple["Node", ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    part: "Node"


Node = Clause | All | Any | Not


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`order_by` is empty without ORDER BY."""

    root: Node
    order_by: str = ""
    is_descending: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    is_quoted: bool = False

    @property
    def word(self) -> str:
        """In small letters; quotes take a keyword its meaning."""
        return "" if self.is_quoted else self.text.casefold()


def parse(text: str) -> Query:
    """Raises JqlError, also for a query without any condition."""
    reader = _Reader(_split(text))
    if reader.peek().word in {"", "order"} and not reader.peek().is_quoted:
        raise JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    root = _read_any(reader, 0)
    if not reader.skip("order"):
        reader.expect_end()
        return Query(root=root)
    reader.expect("by")
    order_by = _take_name(reader)
    is_descending = not reader.skip("asc")
    if is_descending:
        reader.skip("desc")
    reader.expect_end()
    return Query(root=root, order_by=order_by, is_descending=is_descending)


class _Reader:
    def __init__(self, tokens: collections.abc.Sequence[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self) -> _Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else _Token(text="")

    def take(self) -> _Token:
        taken = self.peek()
        self._next += 1
        return taken

    def skip(self, word: str) -> bool:
        found = self.peek().word == word
        self._next += found
        return found

    def expect(self, word: str) -> None:
        if not self.skip(word):
            raise _not_expected(self.peek().text)

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise _not_expected(self.peek().text)


def _split(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        matched = TOKEN.match(text, position)
        if matched is None:
            raise _not_expected(text[position:].strip()[:1])
        double, single, sign, word = matched.groups()
        quoted = single if double is None else double
        tokens.append(_Token(text=sign or word) if quoted is None else _Token(text=_unescape(quoted), is_quoted=True))
        position = matched.end()
    return tokens


def _unescape(quoted: str) -> str:
    def replace(found: re.Match[str]) -> str:
        code, letter = found.groups()
        if code is not None:
            return chr(int(code, 16))
        if letter not in ESCAPES:
            raise JqlError(f"Error in the JQL Query: '\\{letter}' is an illegal JQL escape sequence.")
        return ESCAPES[letter]

    return ESCAPE.sub(replace, quoted)


def _read_any(reader: _Reader, depth: int) -> Node:
    parts = [_read_all(reader, depth)]
    while reader.skip("or"):
        parts.append(_read_all(reader, depth))
    return parts[0] if len(parts) == 1 else Any(parts=tuple(parts))


def _read_all(reader: _Reader, depth: int) -> Node:
    parts = [_read_part(reader, depth)]
    while reader.skip("and"):
        parts.append(_read_part(reader, depth))
    return parts[0] if len(parts) == 1 else All(parts=tuple(parts))


def _read_part(reader: _Reader, depth: int) -> Node:
    if depth == MAX_DEPTH:
        raise JqlError("Error in the JQL Query: it is nested too deeply.")
    if reader.skip("not"):
        return Not(part=_read_part(reader, depth + 1))
    if reader.skip("("):
        inner = _read_any(reader, depth + 1)
        reader.expect(")")
        return inner
    return _read_clause(reader)


def _read_clause(reader: _Reader) -> Clause:
    field = _take_name(reader)
    if reader.skip("changed"):
        if reader.peek().word not in {"after", "before"}:
            return Clause(field=field, operator="changed", operands=())
        return Clause(field=field, operator=f"changed {reader.take().word}", operands=(_read_operand(reader),))
    if reader.skip("is"):
        operator = "is not" if reader.skip("not") else "is"
        operand = _read_operand(reader)
        if operand is not None:
            raise JqlError(f"The operator '{operator}' takes EMPTY only.")
        return Clause(field=field, operator=operator, operands=(None,))
    if reader.peek().word in {"in", "not"}:
        operator = "not in" if reader.skip("not") else "in"
        reader.expect("in")
        return Clause(field=field, operator=operator, operands=_read_list(reader))
    sign = reader.take()
    if sign.word not in SIGNS:
        raise _not_expected(sign.text)
    return Clause(field=field, operator=sign.text, operands=(_read_operand(reader),))


def _read_list(reader: _Reader) -> tuple[Operand, ...]:
    reader.expect("(")
    operands = [_read_operand(reader)]
    while reader.skip(","):
        operands.append(_read_operand(reader))
    reader.expect(")")
    return tuple(operands)


def _read_operand(reader: _Reader) -> Operand:
    taken = reader.take()
    if taken.word in EMPTY:
        return None
    return _check_plain(taken)


def _take_name(reader: _Reader) -> str:
    return _check_plain(reader.take())


def _check_plain(taken: _Token) -> str:
    if not taken.is_quoted and (taken.word in RESERVED or not taken.text or taken.text in SIGNS or taken.text in "(),"):
        raise _not_expected(taken.text)
    return taken.text


def _not_expected(found: str) -> JqlError:
    if not found:
        return JqlError("Error in the JQL Query: the query ends too early.")
    return JqlError(f"Error in the JQL Query: '{found}' was not expected here.")
