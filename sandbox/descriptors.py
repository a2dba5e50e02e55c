"""What does Jira demand of an app's descriptor? Its schema, and what a schema cannot say.

Pure: `sandbox.cloud` fetches it.
"""

import collections
import collections.abc
import functools
import json
import pathlib
import urllib.parse
from typing import Any

import jsonschema
from jsonschema import exceptions

from sandbox import installation

SCHEMA_FILE = pathlib.Path(__file__).parent / "connect-descriptor.schema.json"
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1"})


class DescriptorError(Exception):
    """Jira would not install this descriptor; the message says why."""


def check(descriptor: object) -> dict[str, Any]:
    """The descriptor, if Jira would take it. Raises DescriptorError."""
    if not isinstance(descriptor, dict):
        raise DescriptorError("the descriptor is not a JSON object")
    found = exceptions.best_match(_validator().iter_errors(descriptor))
    if found is not None:
        raise DescriptorError(f"{found.json_path}: {found.message}")
    _check_base_url(descriptor["baseUrl"])
    modules = descriptor.get("modules", {})
    scopes = {scope.upper() for scope in descriptor.get("scopes", ())}
    if modules.get("webhooks") and not scopes & set(installation.LADDER):
        raise DescriptorError("an app that uses webhooks must declare the read scope")
    counted = collections.Counter(_list_keys(modules))
    repeated = sorted(key for key, times in counted.items() if times > 1)
    if repeated:
        raise DescriptorError(f"several modules have the key {', '.join(repeated)}")
    return descriptor


@functools.cache
def load_schema() -> dict[str, Any]:
    """Sources and changes: its own `$comment`."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text("utf-8"))
    return schema


@functools.cache
def _validator() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(load_schema())


def _list_keys(modules: collections.abc.Mapping[str, Any]) -> collections.abc.Iterator[str]:
    """One module of a kind stands alone, several in a list; webhooks have no keys."""
    for declared in modules.values():
        for module in declared if isinstance(declared, list) else [declared]:
            if "key" in module:
                yield module["key"]


def _check_base_url(base_url: str) -> None:
    try:
        parts = urllib.parse.urlsplit(base_url)
        is_taken = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
    except ValueError:
        is_taken = False
    if not is_taken:
        raise DescriptorError(f"baseUrl must be https, or http on this machine: {base_url}")
