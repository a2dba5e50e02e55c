from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from lifecycle import qsh
from tests.unit.jira.site import ADDON_KEY, BASE_URL, CLIENT_KEY, NOW, SECRET, connect_auth


def claims_of(request: httpx.Request) -> dict[str, object]:
    scheme, token = request.headers["Authorization"].split(" ")
    assert scheme == "JWT"
    claims: dict[str, object] = jwt.decode(
        token, SECRET, algorithms=["HS256"], audience=CLIENT_KEY, options={"verify_exp": False, "verify_iat": False}
    )
    return claims


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rest/api/3/mypermissions?permissions=USER_PICKER"),
        ("GET", "/rest/api/3/user/email/bulk?accountId=qm%3Aana%3A1&accountId=557058:b&accountId=c%20d"),
        ("GET", "/rest/servicedeskapi/servicedesk/1/customer?start=0&limit=100"),
        ("POST", "/rest/api/3/permissions/check"),
        ("GET", "/rest/api/3/group%2Fodd/member"),
    ],
)
def test_request_is_signed_for_itself_and_for_its_site(method: str, path: str) -> None:
    request = httpx.Request(method, BASE_URL + path)
    signed = next(connect_auth().auth_flow(request))
    parts = urlsplit(str(signed.url))
    assert claims_of(signed) == {
        "iss": ADDON_KEY,
        "aud": [CLIENT_KEY],
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(seconds=180)).timestamp()),
        "qsh": qsh.hash_request(method, parts.path, parts.query),
    }


def test_parameters_of_httpx_are_signed_as_they_go_out() -> None:
    request = httpx.Request("GET", f"{BASE_URL}/rest/api/3/user/bulk", params={"accountId": ["qm:a b", "é&="]})
    claims = claims_of(next(connect_auth().auth_flow(request)))
    assert claims["qsh"] == qsh.hash_request(
        "GET", "/rest/api/3/user/bulk", "accountId=qm%3Aa%20b&accountId=%C3%A9%26%3D"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://globex.atlassian.net/rest/api/3/myself",
        "http://acme.atlassian.net/rest/api/3/myself",
        "https://acme.atlassian.net:8443/rest/api/3/myself",
        "https://acme.atlassian.net.evil.example/",
        "https://acme.atlassian.net@evil.example/",
    ],
)
def test_token_for_one_site_is_never_made_for_another(url: str) -> None:
    request = httpx.Request("GET", url)
    with pytest.raises(ValueError, match="never be sent"):
        next(connect_auth().auth_flow(request))
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("base_url", ["https://acme.atlassian.net:443", "http://localhost:80", "http://localhost:9001"])
def test_site_may_name_its_port(base_url: str) -> None:
    request = httpx.Request("GET", f"{base_url}/rest/api/3/myself")
    assert next(connect_auth(base_url=base_url).auth_flow(request)).headers["Authorization"].startswith("JWT ")


def test_token_is_made_anew_for_each_request() -> None:
    auth = connect_auth()
    one, other = (httpx.Request("GET", f"{BASE_URL}/{name}") for name in ("one", "other"))
    assert claims_of(next(auth.auth_flow(one)))["qsh"] != claims_of(next(auth.auth_flow(other)))["qsh"]
