import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import errors, tokens
from lifecycle.tenant import AccountId, ClientKey
from lifecycle.vault import Secret
from tests.unit.lifecycle.atlassian import NOW, a_secret, claims, hs256, pem, rs256, rsa_key, unsigned

SECRET = a_secret()
OTHER_SECRET = a_secret()
KEY = rsa_key("atlassian").public_key()


def verify(raw_token: str, *, secret: str = SECRET) -> tokens.VerifiedClaims:
    return tokens.verify_shared(raw_token, secret=Secret(secret), now=NOW)


def at(seconds: float) -> float:
    return NOW.timestamp() + seconds


def a_token(**changes: Any) -> str:
    return hs256(claims(**({"iss": "client-1"} | changes)), SECRET)


def raw_jwt(header: bytes, payload: bytes) -> str:
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, payload, b"x"))


def test_valid_token_gives_its_claims() -> None:
    verified = verify(a_token(sub="557058:abc", qsh="00ff", aud="someone"))
    assert verified == tokens.VerifiedClaims(
        issuer="client-1", audience=("someone",), subject=AccountId("557058:abc"), qsh="00ff"
    )


def test_token_without_a_person_has_no_subject() -> None:
    assert verify(a_token()).subject is None
    assert verify(a_token(sub="")).subject is None


def test_token_of_another_tenants_secret_is_refused() -> None:
    with pytest.raises(errors.BadSignature):
        verify(a_token(), secret=OTHER_SECRET)


def test_token_with_altered_claims_is_refused() -> None:
    header, _, signature = a_token().split(".")
    altered = base64.urlsafe_b64encode(json.dumps(claims(iss="client-2")).encode()).rstrip(b"=").decode()
    with pytest.raises(errors.BadSignature):
        verify(f"{header}.{altered}.{signature}")


@pytest.mark.parametrize(
    "raw_token",
    [
        unsigned(claims(iss="client-1")),
        rs256(claims(iss="client-1")),
        jwt.encode(claims(iss="client-1"), "x" * 64, algorithm="HS512"),
    ],
    ids=["none", "RS256", "HS512"],
)
def test_token_of_another_algorithm_is_refused(raw_token: str) -> None:
    with pytest.raises(errors.WrongAlgorithm):
        verify(raw_token)


def test_public_key_does_not_serve_as_a_shared_secret() -> None:
    signed = ".".join(a_token().split(".")[:2])
    signature = base64.urlsafe_b64encode(hmac.digest(pem(), signed.encode(), "sha256")).rstrip(b"=").decode()
    with pytest.raises(errors.WrongAlgorithm):
        tokens.verify_signed(f"{signed}.{signature}", key=KEY, now=NOW)


def test_secret_in_the_shape_of_a_public_key_verifies_nothing() -> None:
    with pytest.raises(errors.BadSignature):
        verify(a_token(), secret=pem().decode())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exp": None}, errors.MalformedToken),
        ({"exp": at(-31)}, errors.Expired),
        ({"exp": at(-30)}, errors.Expired),
        ({"exp": at(-29)}, None),
        ({"exp": -(2**39)}, errors.Expired),
        ({"exp": 10**400}, errors.MalformedToken),
        ({"exp": float("inf")}, errors.MalformedToken),
        ({"exp": float("nan")}, errors.MalformedToken),
        ({"exp": True}, errors.MalformedToken),
        ({"exp": "2999"}, errors.MalformedToken),
        ({"iat": at(29)}, None),
        ({"iat": at(31)}, errors.NotYetValid),
        ({"iat": "now"}, errors.MalformedToken),
        ({"iat": None}, None),
        ({"nbf": at(31)}, errors.NotYetValid),
        ({"iss": None}, errors.MalformedToken),
        ({"iss": ""}, errors.MalformedToken),
        ({"iss": 7}, errors.MalformedToken),
        ({"iss": "client\x00"}, errors.MalformedToken),
        ({"iss": "client\ud800"}, errors.MalformedToken),
        ({"iss": "c" * 256}, errors.MalformedToken),
        ({"sub": {"a": 1}}, errors.MalformedToken),
        ({"qsh": ["x"]}, errors.MalformedToken),
        ({"aud": 7}, errors.MalformedToken),
        ({"aud": [7]}, errors.MalformedToken),
        ({"aud": ["one", "two"]}, None),
    ],
)
def test_claims_are_accepted_only_as_declared(changes: dict[str, Any], error: type[errors.Refused] | None) -> None:
    token = jwt.PyJWS().encode(json.dumps(claims(**({"iss": "client-1"} | changes))).encode(), SECRET, "HS256")
    if error is None:
        verify(token)
    else:
        with pytest.raises(error):
            verify(token)


@pytest.mark.parametrize(
    "raw_token",
    [
        "",
        "x",
        "a.b.c",
        "é.é.é",
        "\ud800",
        "a" * (tokens.MAX_TOKEN_CHARS + 1),
        raw_jwt(b'{"alg":"HS256"}', b"[" * 4000),
        raw_jwt(b"[" * 4000, b"{}"),
        raw_jwt(b'{"alg":"HS256"}', b"[]"),
        raw_jwt(b'{"alg":"HS256"}', b"{}"),
        raw_jwt(b'{"alg":"HS256","kid":7}', b'{"iss":"client-1"}'),
        raw_jwt(b'{"alg":"HS256","b64":false}', b""),
        raw_jwt(b"\xff", b"\xff"),
    ],
)
def test_text_that_is_no_token_is_refused(raw_token: str) -> None:
    with pytest.raises(errors.MalformedToken):
        verify(raw_token)


@given(st.text(max_size=64) | st.binary(max_size=64).map(lambda raw: raw_jwt(b'{"alg":"HS256"}', raw)))
def test_no_text_escapes_as_another_error(raw_token: str) -> None:
    with pytest.raises(errors.Refused):
        verify(raw_token)


def test_unverified_claims_name_the_issuer_and_the_key() -> None:
    read = tokens.read_unverified(rs256(claims(iss="client-1"), key_id="a/b"), algorithm="RS256")
    assert (read.issuer, read.key_id) == ("client-1", "a/b")


def test_signed_token_is_accepted_and_one_of_another_key_refused() -> None:
    assert tokens.verify_signed(rs256(claims(iss="client-1")), key=KEY, now=NOW).issuer == "client-1"
    with pytest.raises(errors.BadSignature):
        tokens.verify_signed(rs256(claims(iss="client-1"), key="forger"), key=KEY, now=NOW)


def test_app_token_says_what_jira_checks() -> None:
    raw_token = tokens.issue_app_token(
        secret=Secret(SECRET), addon_key="crm-contact-sync", client_key=ClientKey("client-1"), qsh="00ff", now=NOW
    )
    assert jwt.decode(raw_token, SECRET, algorithms=["HS256"], options=tokens.SIGNATURE_ONLY) == {
        "iss": "crm-contact-sync",
        "aud": ["client-1"],
        "iat": NOW.timestamp(),
        "exp": (NOW + timedelta(seconds=180)).timestamp(),
        "qsh": "00ff",
    }
