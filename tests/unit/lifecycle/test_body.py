import json
from typing import Any

import pytest

from lifecycle import body, errors
from tests.unit.lifecycle.atlassian import an_install_body

UNLIKE_JSON = [
    json.dumps(an_install_body()).encode("utf-16"),
    json.dumps(an_install_body(future=float("nan"))).encode(),
    json.dumps(an_install_body(future=float("-inf"))).encode(),
]


def install_without(name: str) -> dict[str, Any]:
    return {key: value for key, value in an_install_body().items() if key != name}


def test_install_is_read_with_unknown_fields_around() -> None:
    sent = an_install_body(installationId="ari:cloud:ecosystem::installation/1", future={"a": [1]})
    read = body.read_install(json.dumps(sent).encode())
    assert (read.client_key, read.base_url, read.cloud_id) == (sent["clientKey"], sent["baseUrl"], sent["cloudId"])
    assert read.shared_secret.reveal() == sent["sharedSecret"]
    assert sent["sharedSecret"] not in repr(read)


@pytest.mark.parametrize("name", ["displayUrl", "cloudId", "oauthClientId"])
@pytest.mark.parametrize("empty", [None, ""])
def test_optional_field_may_be_absent_null_or_empty(name: str, empty: str | None) -> None:
    for sent in (install_without(name), an_install_body(**{name: empty})):
        read = body.read_install(json.dumps(sent).encode())
        assert None in (read.display_url, read.cloud_id, read.oauth_client_id)


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"[]", b'"text"', b"null", b"\xff", b"[" * 100_000, b"{" + b"9" * 5000, *UNLIKE_JSON]
)
def test_body_that_is_no_json_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(errors.MalformedBody):
        body.read_install(raw)
    with pytest.raises(errors.MalformedBody):
        body.read_client_key(raw)


@pytest.mark.parametrize("name", ["clientKey", "sharedSecret", "baseUrl"])
def test_lacking_field_is_named(name: str) -> None:
    for sent in (install_without(name), an_install_body(**{name: ""}), an_install_body(**{name: None})):
        with pytest.raises(errors.InvalidFields) as caught:
            body.read_install(json.dumps(sent).encode())
        assert caught.value.problems == (errors.FieldProblem(field=name, problem="is missing"),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clientKey", 7),
        ("sharedSecret", ["s"]),
        ("baseUrl", {"href": "https://one.atlassian.net"}),
        ("cloudId", False),
        ("oauthClientId", "NUL\x00"),
        ("clientKey", "surrogate\ud800"),
        ("sharedSecret", "s" * 1025),
        ("displayUrl", "javascript:alert(1)"),
        ("displayUrl", 'https://a.example/"onclick="'),
    ],
)
def test_mistyped_field_is_named_and_its_value_is_not_repeated(name: str, value: object) -> None:
    with pytest.raises(errors.InvalidFields) as caught:
        body.read_install(json.dumps(an_install_body(**{name: value})).encode())
    assert [problem.field for problem in caught.value.problems] == [name]
    assert str(value) not in str(caught.value)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(errors.InvalidFields) as caught:
        body.read_install(b'{"cloudId": 1, "displayUrl": "x"}')
    fields = {problem.field for problem in caught.value.problems}
    assert fields == {"clientKey", "sharedSecret", "baseUrl", "cloudId", "displayUrl"}


def test_notice_needs_a_client_key_alone() -> None:
    assert body.read_client_key(b'{"clientKey": "client-1", "baseUrl": 7}') == "client-1"
    with pytest.raises(errors.InvalidFields):
        body.read_client_key(b"{}")
