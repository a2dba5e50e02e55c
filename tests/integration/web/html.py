"""Reads the pages as strictly as a browser would not: well formed, every field with a label, no inline code."""

from html.parser import HTMLParser
from typing import Any

import httpx

from tests.integration.web.desk import Desk

VOID = {"meta", "base", "link", "input", "br"}


class Html(HTMLParser):
    """Reads HTML strictly enough to say whether it is well formed, and collects ids, labels and inline code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: set[str] = set()
        self.inline: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "label" and values.get("for"):
            self.labelled.add(str(values["for"]))
        is_labelled = "aria-label" in values or "label" in self.open
        is_shown = values.get("type") != "hidden" and not is_labelled
        if tag in ("input", "select", "textarea") and is_shown:
            self.fields.add(str(values.get("id")))
        self.inline += [name for name in values if name.startswith("on") or name == "style"]
        # A block of data is no code.
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.inline.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(answer: httpx.Response) -> str:
    """The text of a good answer, which is well formed, has a label for every field, and no inline code."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    html = Html(answer.text)
    assert html.inline == []
    assert html.fields <= html.labelled
    return answer.text


async def fragment(desk: Desk, method: str, path: str, **arguments: Any) -> str:
    return read(await desk.call(method, f"/api/fragments/{path}", **arguments))
