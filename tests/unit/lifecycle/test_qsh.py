import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import qsh

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data/qsh-vectors.json").read_text())

text = st.text(st.characters(codec="utf-8"), max_size=8)
names = text.filter(lambda name: name != qsh.TOKEN_PARAMETER)
pairs = st.lists(st.tuples(names, text), max_size=6)
paths = st.text("abcXYZ019-._~&%/", max_size=12).map(lambda rest: f"/a{rest}".rstrip("/"))


def encode(parameters: list[tuple[str, str]], *, with_plus: bool = True) -> str:
    spell = quote_plus if with_plus else quote
    return "&".join(f"{spell(name, safe='')}={spell(value, safe='')}" for name, value in parameters)


def request_of(vector: dict[str, Any]) -> tuple[str, str, str]:
    if "signedUrl" in vector:
        url = urlsplit(vector["signedUrl"])
        return vector["method"], url.path, url.query
    return vector["method"], vector["path"], vector["query"]


@pytest.mark.parametrize("vector", VECTORS["tests"], ids=lambda vector: vector["name"])
def test_official_vector_has_the_canonical_form_and_hash(vector: dict[str, Any]) -> None:
    method, path, query = request_of(vector)
    path = qsh.strip_base_path(path, vector["baseUrl"])
    assert qsh.canonical_request(method, path, query) == vector["canonical"]
    assert qsh.hash_request(method, path, query) == vector.get("qsh", vector.get("qshComputed"))


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS["tests"] if "signedUrl" in vector], ids=lambda vector: vector["name"]
)
def test_official_vector_carries_the_hash_in_its_own_token(vector: dict[str, Any]) -> None:
    method, path, query = request_of(vector)
    token = query.rpartition("jwt=")[2]
    claims = jwt.decode(token, VECTORS["sharedSecret"], algorithms=["HS256"], options={"verify_exp": False})
    assert claims["qsh"] == qsh.hash_request(method, path, query)


def test_vectors_that_must_differ_do() -> None:
    by_name = {vector["name"]: vector for vector in VECTORS["tests"]}
    differing = [vector for vector in VECTORS["tests"] if "mustDifferFrom" in vector]
    assert differing
    for vector in differing:
        other = by_name[vector["mustDifferFrom"]]
        assert qsh.hash_request(*request_of(vector)) != qsh.hash_request(*request_of(other))


@pytest.mark.parametrize(
    ("method", "path", "query", "canonical"),
    [
        ("get", "/", "", "GET&/&"),
        ("GET", "", "", "GET&/&"),
        ("GET", "no-slash", "", "GET&/no-slash&"),
        ("GET", "/a/", "", "GET&/a&"),
        ("GET", "/a//", "", "GET&/a/&"),
        ("GET", "/a%2Fb", "", "GET&/a%2Fb&"),
        ("GET", "/a", "ids=:1&ids=.1&ids=:2&ids=.2", "GET&/a&ids=.1,.2,%3A1,%3A2"),
        ("GET", "/a", "b=%f0%9f%98%80&b=%ef%bf%bd", "GET&/a&b=%F0%9F%98%80,%EF%BF%BD"),
        ("GET", "/a", "&&b=1&&", "GET&/a&b=1"),
        ("GET", "/a", "jwt=x&jwt=y&JWT=z", "GET&/a&JWT=z"),
        ("GET", "/a", "b=1=2", "GET&/a&b=1%3D2"),
        ("GET", "/a", "B=1&a=2", "GET&/a&B=1&a=2"),
    ],
)
def test_edge_of_the_rules_has_its_canonical_form(method: str, path: str, query: str, canonical: str) -> None:
    assert qsh.canonical_request(method, path, query) == canonical


@pytest.mark.parametrize(
    ("path", "base_url", "stripped"),
    [
        ("/base/a", "https://app.example/base", "/a"),
        ("/base/a", "https://app.example/base/", "/a"),
        ("/base", "https://app.example/base", ""),
        ("/based/a", "https://app.example/base", "/based/a"),
        ("/a/base", "https://app.example/base", "/a/base"),
        ("/a", "https://app.example", "/a"),
        ("/a", "https://app.example/", "/a"),
    ],
)
def test_base_path_is_stripped_in_whole_segments(path: str, base_url: str, stripped: str) -> None:
    assert qsh.strip_base_path(path, base_url) == stripped


@given(pairs, st.randoms())
def test_hash_ignores_the_order_of_parameters(parameters: list[tuple[str, str]], random: Any) -> None:
    shuffled = random.sample(parameters, len(parameters))
    assert qsh.hash_request("GET", "/a", encode(shuffled)) == qsh.hash_request("GET", "/a", encode(parameters))


@given(pairs, text)
def test_hash_ignores_the_token(parameters: list[tuple[str, str]], token: str) -> None:
    with_token = encode([*parameters, (qsh.TOKEN_PARAMETER, token)])
    assert qsh.hash_request("GET", "/a", with_token) == qsh.hash_request("GET", "/a", encode(parameters))


@given(pairs)
def test_hash_ignores_how_a_parameter_is_encoded(parameters: list[tuple[str, str]]) -> None:
    everything_escaped = "&".join(
        "=".join("".join(f"%{byte:02x}" for byte in part.encode()) for part in pair) for pair in parameters
    )
    spellings = [encode(parameters), encode(parameters, with_plus=False), everything_escaped]
    assert len({qsh.canonical_request("GET", "/a", spelling) for spelling in spellings}) == 1


@given(paths, pairs)
def test_hash_ignores_one_trailing_slash_and_the_case_of_the_method(
    path: str, parameters: list[tuple[str, str]]
) -> None:
    query = encode(parameters)
    assert qsh.hash_request("post", f"{path}/", query) == qsh.hash_request("POST", path, query)


@given(paths)
def test_base_path_put_before_a_path_is_stripped_again(path: str) -> None:
    assert qsh.strip_base_path(f"/my/base{path}", "https://app.example/my/base") == path


@given(pairs, names, text)
def test_hash_changes_with_another_value(parameters: list[tuple[str, str]], name: str, value: str) -> None:
    one = qsh.hash_request("GET", "/a", encode([*parameters, (name, value)]))
    assert one != qsh.hash_request("GET", "/a", encode([*parameters, (name, f"{value}x")]))


@given(st.sampled_from(["GET", "POST", "PUT", "DELETE"]), paths, paths, pairs)
def test_hash_changes_with_the_method_and_the_path(
    method: str, path: str, other: str, parameters: list[tuple[str, str]]
) -> None:
    query = encode(parameters)
    assert qsh.hash_request(method, path, query) != qsh.hash_request("PATCH", path, query)
    if path.replace("&", "%26") != other.replace("&", "%26"):
        assert qsh.hash_request(method, path, query) != qsh.hash_request(method, other, query)
