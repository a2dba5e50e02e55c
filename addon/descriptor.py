"""What does Jira learn about this deployment? The descriptor, with our address and key filled in.

Everything else of it stands in descriptor/atlassian-connect.json. Decides nothing at run time: a site reads it when the
app is installed or updated, not on each request.
"""

import importlib.resources
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import descriptor

FILE = "atlassian-connect.json"


def load(base_url: str, addon_key: str) -> dict[str, Any]:
    """The descriptor as it is served. `base_url` must be the one that tokens are checked against."""
    base_url = base_url.rstrip("/")
    template = json.loads(importlib.resources.files(descriptor).joinpath(FILE).read_text(encoding="utf-8"))
    return {
        "key": addon_key,
        "baseUrl": base_url,
        **template,
        "links": {"self": f"{base_url}/{FILE}", "homepage": base_url},
    }


def unanswered(described: Mapping[str, Any], paths: Collection[str]) -> list[str]:
    """The addresses that the descriptor promises and none of `paths`, the routes of the app, answers."""
    urls = [*described["lifecycle"].values()]
    urls += [url for modules in described["modules"].values() for module in modules for url in _urls(module)]
    return sorted(url for url in urls if urlsplit(url).path not in paths)


def _urls(module: Mapping[str, Any]) -> Iterator[str]:
    """Where Jira finds what a module shows: the module says it itself, or names a target that does."""
    for place in (module, module.get("target", {})):
        if "url" in place:
            yield place["url"]
