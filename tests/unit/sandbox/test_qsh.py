import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox import qsh

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data/qsh-vectors.json").read_text())


def request_of(vector: dict[str, Any]) -> tuple[str, str, str]:
    """Without the context path: who computes a hash has taken it off."""
    url = urlsplit(vector["signedUrl"]) if "signedUrl" in vector else None
    path, query = (url.path, url.query) if url else (vector["path"], vector["query"])
    return vector["method"], path.removeprefix(urlsplit(vector["baseUrl"]).path), query


@pytest.mark.parametrize("vector", VECTORS["tests"], ids=lambda vector: vector["name"])
def test_qsh_agrees_with_atlassians_own_vector(vector: dict[str, Any]) -> None:
    method, path, query = request_of(vector)
    assert qsh.canonical_request(method, path, query) == vector["canonical"]
    assert qsh.compute(method, path, query) == vector.get("qsh", vector.get("qshComputed"))


def test_method_case_and_a_trailing_slash_do_not_matter() -> None:
    assert qsh.compute("get", "/a/", "") == qsh.compute("GET", "/a", "")
    assert qsh.canonical_request("GET", "", "") == "GET&/&"
