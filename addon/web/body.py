"""What did the caller send? Reads bodies, query parameters and ids, and turns what cannot be read into plain refusals.

Knows the forms of HTTP alone; what the values mean is decided in `addon.crm.draft` and by the endpoints.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from addon.crm import draft
from addon.errors import FieldProblem, Invalid, NotFound
from addon.storage import keyset

MAX_QUERY_LENGTH = 255
MAX_CURSOR_LENGTH = 4096
MAX_FORM_FIELDS = 500
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FLAGS = {"true": True, "false": False}


async def read_json(request: Request) -> Mapping[str, object]:
    """The JSON object of the body. Raises HTTPException 400 or 415."""
    _require_type(request, JSON)
    raw_body = await request.body()
    try:
        body = json.loads(raw_body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise HTTPException(400, "The body is not JSON.") from exc
    if not isinstance(body, dict):
        raise HTTPException(400, "The body is not a JSON object.")
    return body


async def read_form(request: Request) -> Sequence[tuple[str, str]]:
    """The fields of a form in their order. Raises HTTPException 400 or 415."""
    _require_type(request, FORM)
    raw_body = await request.body()
    try:
        return parse_qsl(
            raw_body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError as exc:
        raise HTTPException(400, "The form cannot be read.") from exc


def path_id(request: Request) -> int:
    """The id in the path. Raises NotFound for what cannot be one of ours."""
    number = draft.read_id(request.path_params["id"])
    if number is None:
        raise NotFound("There is no such thing here.")
    return number


class Query:
    """Reads query parameters and collects what is wrong with them; `check` comes before any value is used."""

    def __init__(self, request: Request) -> None:
        self._parameters = request.query_params
        self._problems: list[FieldProblem] = []

    def text(self, name: str, *, max_length: int = MAX_QUERY_LENGTH) -> str | None:
        """None for an absent or empty parameter."""
        value = self._parameters.get(name) or None
        if value is None:
            return None
        problem = draft.text_problem(value, max_length=max_length)
        if problem is not None:
            self._refuse(name, problem)
            return None
        return value

    def texts(self, name: str) -> Sequence[str]:
        """Of a parameter that may be there several times."""
        values = self._parameters.getlist(name)
        if len(values) > keyset.MAX_LIMIT:
            self._refuse(name, f"must be there at most {keyset.MAX_LIMIT} times")
            return ()
        for problem in filter(None, (draft.text_problem(value, max_length=MAX_QUERY_LENGTH) for value in values)):
            self._refuse(name, problem)
        return values

    def flag(self, name: str) -> bool | None:
        value = self._parameters.get(name) or None
        if value is not None and value not in FLAGS:
            self._refuse(name, "must be true or false")
        return None if value is None else FLAGS.get(value)

    def row_id(self, name: str) -> int | None:
        value = self._parameters.get(name) or None
        number = draft.read_id(value)
        if value is not None and number is None:
            self._refuse(name, "is not an id")
        return number

    def row_ids(self, name: str) -> Sequence[int]:
        """Ids, a dot between them."""
        written = (self._parameters.get(name) or "").split(".")[: keyset.MAX_LIMIT + 1]
        numbers = [number for number in map(draft.read_id, written) if number is not None]
        if len(numbers) < len(written) or len(numbers) > keyset.MAX_LIMIT:
            self._refuse(name, f"must be at most {keyset.MAX_LIMIT} ids")
        return numbers

    def sort(self) -> keyset.Sort:
        name = self._parameters.get("sort") or keyset.BY_NAME.name
        if name not in keyset.SORTS:
            self._refuse("sort", f"must be one of {', '.join(keyset.SORTS)}")
        return keyset.SORTS.get(name, keyset.BY_NAME)

    def cursor(self) -> str | None:
        return self.text("cursor", max_length=MAX_CURSOR_LENGTH)

    def limit(self) -> int:
        limit = draft.read_id(self._parameters.get("limit") or str(keyset.DEFAULT_LIMIT))
        if limit is None or not 1 <= limit <= keyset.MAX_LIMIT:
            self._refuse("limit", f"must be a number from 1 to {keyset.MAX_LIMIT}")
            return keyset.DEFAULT_LIMIT
        return limit

    def check(self) -> None:
        """Raises Invalid with every problem found so far."""
        if self._problems:
            raise Invalid(self._problems)

    def _refuse(self, name: str, problem: str) -> None:
        self._problems.append(FieldProblem(field=name, problem=problem))


def _require_type(request: Request, media_type: str) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != media_type:
        raise HTTPException(415, f"The body must be {media_type}.")


def _refuse_constant(name: str) -> NoReturn:
    # Python's reader takes NaN and Infinity, which are not JSON.
    raise ValueError(name)
