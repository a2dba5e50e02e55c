"""Which operations does Jira document, what scope does each need, and which parameters does it take?

Built from the two OpenAPI documents in `sandbox/openapi`, so that nothing is copied by hand. Parameters are only parsed
as far as the document types them; what they mean is the handlers' business.
"""

import collections.abc
import dataclasses
import functools
import json
import pathlib
import re
import urllib.parse
from typing import Any

from sandbox import errors

FOLDER = pathlib.Path(__file__).parent / "openapi"
DOCUMENTS = ("jira-platform.openapi.json", "jira-service-management.openapi.json")
INACCESSIBLE = "INACCESSIBLE"
INTEGER_BITS = {"int32": 31, "int64": 63}
INTEGER = re.compile(r"-?[0-9]{1,19}")
Parameters = collections.abc.Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    name: str
    place: str
    kind: str
    is_required: bool
    default: object
    max_chars: int | None
    integer_bits: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One documented operation; `pattern` matches the raw path and names its path parameters."""

    operation_id: str
    method: str
    path: str
    scope: str
    parameters: tuple[Parameter, ...]
    pattern: re.Pattern[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    operation: Operation
    path_values: collections.abc.Mapping[str, str]


class Catalogue:
    """All operations of the documents."""

    def __init__(self, documents: collections.abc.Iterable[collections.abc.Mapping[str, Any]]) -> None:
        self.operations = tuple(
            _read_operation(method, path, described)
            for document in documents
            for path, methods in document["paths"].items()
            for method, described in methods.items()
        )
        self._fixed = {(found.method, found.path): found for found in self.operations if "{" not in found.path}
        self._templated = [found for found in self.operations if "{" in found.path]

    def find(self, method: str, raw_path: str) -> Match | None:
        fixed = self._fixed.get((method, raw_path))
        if fixed is not None:
            return Match(operation=fixed, path_values={})
        for operation in self._templated:
            matched = operation.pattern.fullmatch(raw_path) if operation.method == method else None
            if matched is not None:
                values = {name: urllib.parse.unquote(value) for name, value in matched.groupdict().items()}
                names = [parameter.name for parameter in operation.parameters if parameter.place == "path"]
                return Match(operation=operation, path_values=dict(zip(names, values.values(), strict=True)))
        return None


@functools.cache
def load_catalogue() -> Catalogue:
    return Catalogue(json.loads((FOLDER / name).read_text("utf-8")) for name in DOCUMENTS)


def parse_parameters(match: Match, query: str) -> Parameters:
    """Typed values by name: given ones, else defaults, else None; lists are always lists. Raises BadRequest.

    Parameters that the operation does not know are ignored, as Jira ignores them.
    """
    given: dict[str, list[str]] = {}
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    return {
        parameter.name: _parse(
            parameter,
            [match.path_values[parameter.name]] if parameter.place == "path" else given.get(parameter.name, []),
        )
        for parameter in match.operation.parameters
    }


def _read_operation(method: str, path: str, described: collections.abc.Mapping[str, Any]) -> Operation:
    parameters = [_read_parameter(parameter) for parameter in described.get("parameters", ())]
    in_path = re.findall(r"{(\w+)}", path)
    parameters.sort(key=lambda parameter: in_path.index(parameter.name) if parameter.name in in_path else len(in_path))
    return Operation(
        operation_id=described["operationId"],
        method=method.upper(),
        path=path,
        scope=described["x-atlassian-connect-scope"],
        parameters=tuple(parameters),
        pattern=re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))),
    )


def _read_parameter(described: collections.abc.Mapping[str, Any]) -> Parameter:
    schema = described["schema"]
    element = schema.get("items", schema)
    return Parameter(
        name=described["name"],
        place=described["in"],
        kind="array" if schema["type"] == "array" else schema["type"],
        is_required=described.get("required", False),
        default=schema.get("default"),
        max_chars=element.get("maxLength"),
        integer_bits=INTEGER_BITS.get(schema.get("format", ""), 63),
    )


def _parse(parameter: Parameter, values: list[str]) -> object:
    if not values:
        if parameter.is_required:
            raise errors.BadRequest(f"The {parameter.name} parameter is required.", reason="parameter")
        return [] if parameter.kind == "array" else parameter.default
    if parameter.max_chars is not None and any(len(value) > parameter.max_chars for value in values):
        raise errors.BadRequest(f"The {parameter.name} parameter is too long.", reason="parameter")
    if parameter.kind == "array":
        return values
    value = values[-1]
    if parameter.kind == "integer":
        if not INTEGER.fullmatch(value) or int(value).bit_length() > parameter.integer_bits:
            raise errors.BadRequest(f"The {parameter.name} parameter must be a number.", reason="parameter")
        return int(value)
    if parameter.kind == "boolean":
        if value not in {"true", "false"}:
            raise errors.BadRequest(f"The {parameter.name} parameter must be true or false.", reason="parameter")
        return value == "true"
    return value
