"""Every text that a person reads is in the catalogue, so that a translation can follow (docs/decisions/0012-texts.md)."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from addon.errors import ApiError
from addon.sync.people import Cause
from addon.web import render, vocabulary
from lifecycle.errors import LifecycleError
from tests.support import catalogue

TEMPLATES = sorted(render.TEMPLATES.rglob("*.html"))
TRANSLATING = {"_", "gettext", "ngettext"}
READ_ATTRIBUTES = {
    "alt",
    "aria-label",
    "aria-roledescription",
    "data-confirm-action",
    "hx-confirm",
    "placeholder",
    "title",
}
UNREAD_ELEMENTS = {"script", "style"}
# In an expression, codes and words look alike: only what starts like a sentence or has several words is taken for a text.
SENTENCE = re.compile(r"^[A-Z][a-z]|[a-z] [a-z]")
SAMPLE = re.compile(r"^[a-z]+(\.[a-z]+)+$")  # example.com is the same in every language
VALUE = "0"  # stands for what an expression gives


class Reader(HTMLParser):
    """Collects what a person would read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        self.found.extend(value for name, value in attrs if name in READ_ATTRIBUTES and value and _is_text(value))

    def handle_data(self, data: str) -> None:
        if self._within not in UNREAD_ELEMENTS and _is_text(data):
            self.found.append(data.strip())


def _is_text(words: str) -> bool:
    return any(character.isalpha() for character in words) and not SAMPLE.match(words)


def bare_texts(source: str, environment: Environment) -> list[str]:
    """The texts of a template that no translation would reach."""
    tree = environment.parse(source)
    reader = Reader()
    reader.feed("".join(_pieces(tree)))
    reader.close()
    return [*reader.found, *(text for text in _constants(tree) if SENTENCE.search(text.strip()))]


def _pieces(node: nodes.Node) -> Iterator[str]:
    """The template's own markup, in its order, whatever its conditions say; `{% trans %}` has become an expression."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.TemplateData):
            yield child.data
        elif isinstance(child, nodes.Expr):
            if isinstance(node, nodes.Output):
                yield VALUE
        else:
            yield from _pieces(child)


def _constants(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in TRANSLATING:
        # The first arguments are the text; the others fill its places.
        for value in node.kwargs:
            yield from _constants(value)
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes():
        yield from _constants(child)


def error_titles(of: type[Exception]) -> set[str]:
    own = {of.title} if hasattr(of, "title") else set()
    return own.union(*(error_titles(kind) for kind in of.__subclasses__()))


def test_catalogue_is_current() -> None:
    assert catalogue.CATALOGUE.read_text(encoding="utf-8") == catalogue.gather(), "run `make texts`"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_shows_a_text_of_its_own(path: Path) -> None:
    assert bare_texts(path.read_text(encoding="utf-8"), render.ENVIRONMENT) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{{ _('Hello') }}</p>", []),
        ("<p>{% trans %}Hello{% endtrans %}</p>", []),
        ("{% if x %}<p>Hello</p>{% endif %}", ["Hello"]),
        ("{% trans count=n %}{{ count }} contact{% pluralize %}{{ count }} contacts{% endtrans %}", []),
        ('<input placeholder="example.com">', []),
        ('<input placeholder="Name" aria-label="{{ label }}">', ["Name"]),
        ('<button class="link" hx-confirm="{{ _("Sure?") }}">{{ name }} 1,000+</button>', []),
        ("{{ field('name', 'Name of it') }}", ["Name of it"]),
        ("{{ field('name', _('Name of it')) }}", []),
        ("{{ _('%(who)s left', who='Some person') }}", ["Some person"]),
        ("{{ ' checked' if is_on }}", []),
        ("<script>const Some = 'text';</script>", []),
    ],
)
def test_rule_about_templates_finds_what_it_should(source: str, found: list[str]) -> None:
    assert bare_texts(source, render.ENVIRONMENT) == found


def test_titles_of_errors_are_in_the_catalogue() -> None:
    assert (error_titles(ApiError) | error_titles(LifecycleError)) <= set(vocabulary.TITLES)


def test_every_reason_of_a_change_has_words() -> None:
    assert {cause.value for cause in Cause} <= vocabulary.WORDS.keys()
