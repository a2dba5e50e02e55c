"""Which answers does the public interface promise? Written down a second time, so that any drift of the product is seen."""

import re
from http import HTTPStatus
from typing import Any

import httpx
from pydantic import TypeAdapter

from tests.integration.web import shapes

ANSWERS: list[tuple[str, int, TypeAdapter[Any]]] = [
    (r"GET /api/contacts", 200, TypeAdapter(shapes.Listed[shapes.Contact])),
    (r"POST /api/contacts", 201, TypeAdapter(shapes.Contact)),
    (r"(GET|PATCH) /api/contacts/[^/]+", 200, TypeAdapter(shapes.Contact)),
    (r"GET /api/contacts/[^/]+/changes", 200, TypeAdapter(shapes.Listed[shapes.Change])),
    (r"POST /api/contacts/[^/]+/merge", 200, TypeAdapter(shapes.Contact)),
    (r"POST /api/import/contacts", 201, TypeAdapter(shapes.Import)),
    (r"GET /api/import/contacts/[^/]+", 200, TypeAdapter(shapes.Import)),
    (r"(PUT /api/import/contacts/[^/]+|POST /api/import/contacts/[^/]+/start)", 202, TypeAdapter(shapes.Import)),
    (r"GET /api/import/contacts/[^/]+/problems", 200, TypeAdapter(shapes.Listed[shapes.RowProblem])),
    (r"GET /api/companies", 200, TypeAdapter(shapes.Listed[shapes.Company])),
    (r"POST /api/companies", 201, TypeAdapter(shapes.Company)),
    (r"(GET|PATCH) /api/companies/[^/]+", 200, TypeAdapter(shapes.Company)),
    (r"POST /api/companies/[^/]+/merge", 200, TypeAdapter(shapes.Company)),
    (r"(GET|PUT) /api/company-rules", 200, TypeAdapter(shapes.CompanyRules)),
    (r"GET /api/company-rules/preview", 200, TypeAdapter(shapes.RuleWork)),
    (r"POST /api/company-rules/(preview|apply|undo)", 202, TypeAdapter(shapes.RuleWork)),
    (r"GET /api/company-rules/preview/changes", 200, TypeAdapter(shapes.Listed[shapes.RuleChange])),
    (r"GET /api/issues/[^/]+|PUT /api/issues/[^/]+/company", 200, TypeAdapter(shapes.Issue)),
    (r"(GET|PUT) /api/sync", 200, TypeAdapter(shapes.Sync)),
    (r"GET /api/sync/runs", 200, TypeAdapter(shapes.Listed[shapes.Run])),
    (r"POST /api/sync/runs", 202, TypeAdapter(shapes.Run)),
    (r"GET /api/sync/runs/[^/]+", 200, TypeAdapter(shapes.Run)),
    (r"GET /api/sync/runs/[^/]+/changes", 200, TypeAdapter(shapes.Listed[shapes.Change])),
    (r"POST /api/sync/runs/[^/]+/undo", 202, TypeAdapter(shapes.Sync)),
    (r"POST /api/sync/preview", 202, TypeAdapter(shapes.Preview)),
    (r"GET /api/sync/preview", 200, TypeAdapter(shapes.Preview)),
    (r"GET /api/sync/preview/[^/]+", 200, TypeAdapter(shapes.Listed[shapes.PreviewLine])),
    (r"GET /api/attention", 200, TypeAdapter(shapes.Listed[shapes.Attention])),
]
PROBLEM: TypeAdapter[shapes.Problem] = TypeAdapter(shapes.Problem)


def check(answer: httpx.Response) -> None:
    """An answer of the JSON API has exactly the shape, status and type that the interface promises."""
    if answer.is_error:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = PROBLEM.validate_json(answer.content)
        assert problem.status == answer.status_code
        # The interface has no word for a fault of ours; nothing else may be called one.
        assert (problem.code == "internal") is (problem.status == HTTPStatus.INTERNAL_SERVER_ERROR)
        return
    if answer.status_code == 204 or answer.headers["content-type"].startswith("text/csv"):
        return
    assert answer.headers["content-type"] == "application/json"
    call = f"{answer.request.method} {answer.request.url.path}"
    expected = [(status, shape) for pattern, status, shape in ANSWERS if re.fullmatch(pattern, call)]
    assert len(expected) == 1, call
    status, shape = expected[0]
    assert answer.status_code == status
    shape.validate_json(answer.content)
