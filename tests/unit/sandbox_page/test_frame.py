import datetime as dt
import urllib.parse

import jwt
import pytest

from sandbox import frame, installation, qsh

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


def an_installation(
    *, client_key: str = "client-1", secret: str = "s" * 32, base_url: str = "https://addon.example"
) -> installation.Installation:
    return installation.Installation(
        addon_key="crm",
        client_key=client_key,
        shared_secret=secret,
        descriptor={},
        descriptor_url=f"{base_url}/atlassian-connect.json",
        state=installation.State.ENABLED,
        base_url=base_url,
        account_id="app",
        oauth_client_id="oauth",
    )


def sign(
    installed: installation.Installation, module_url: str = "/page", context: dict[str, str] | None = None
) -> urllib.parse.SplitResult:
    return urllib.parse.urlsplit(
        frame.sign_frame_url(
            installed,
            module_key="contacts",
            module_url=module_url,
            account_id="557058:ada",
            site_url="http://localhost:9000",
            context=context or {},
            now=NOW,
        )
    )


def claims_in(url: urllib.parse.SplitResult, installed: installation.Installation) -> dict[str, object]:
    token = dict(urllib.parse.parse_qsl(url.query))["jwt"]
    return decode(token, installed)


def decode(token: str, installed: installation.Installation) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(
        token, installed.shared_secret, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False}
    )
    return claims


def test_frame_url_carries_connects_standard_parameters() -> None:
    url = sign(an_installation())
    assert url._replace(query="").geturl() == "https://addon.example/page"
    parameters = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
    assert parameters[:-1] == [
        ("xdm_e", "http://localhost:9000"),
        ("xdm_c", "channel-crm__contacts"),
        ("cp", ""),
        ("xdm_deprecated_addon_key_do_not_use", "crm"),
        ("lic", "none"),
        ("cv", "1001.0.0-DEV"),
    ]


def test_frame_token_is_bound_to_the_address_for_three_minutes() -> None:
    installed = an_installation()
    url = sign(installed, "/page?tab=a%20b")
    issued_at = int(NOW.timestamp())
    assert claims_in(url, installed) == {
        "iss": "client-1",
        "sub": "557058:ada",
        "iat": issued_at,
        "exp": issued_at + 180,
        "qsh": qsh.compute("GET", "/page", url.query),
        "context": {},
    }


def test_frame_token_leaves_the_path_of_the_base_url_out_of_its_hash() -> None:
    installed = an_installation(base_url="https://example.org/apps/crm/")
    url = sign(installed)
    assert url.path == "/apps/crm/page"
    assert claims_in(url, installed)["qsh"] == qsh.compute("GET", "/page", url.query)


def test_frame_token_of_one_tenant_is_worthless_for_another() -> None:
    first, second = an_installation(), an_installation(client_key="client-2", secret="t" * 32)
    with pytest.raises(jwt.InvalidSignatureError):
        claims_in(sign(first), second)
    assert claims_in(sign(second), second)["iss"] == "client-2"


@pytest.mark.parametrize(
    ("module_url", "context", "path_and_query"),
    [
        ("/page?contact={ac.contact}", {"ac.contact": "7"}, "/page?contact=7&"),
        ("/page?contact={ac.contact}", {}, "/page?contact=&"),
        ("/page?contact={ac.contact}", {"ac.contact": "a b&jwt=x"}, "/page?contact=a%20b%26jwt%3Dx&"),
        ("/pages/{ac.contact}", {"ac.contact": "a/b"}, "/pages/a%2Fb?"),
        ("/page?issue={issue.key}", {"ac.contact": "7"}, "/page?issue=&"),
    ],
)
def test_placeholder_is_filled_encoded_or_left_empty(
    module_url: str, context: dict[str, str], path_and_query: str
) -> None:
    url = sign(an_installation(), module_url, context)
    assert f"{url.path}?{url.query}".startswith(path_and_query)


def test_session_token_is_bound_to_no_request_for_fifteen_minutes() -> None:
    installed = an_installation()
    claims = decode(frame.sign_session_token(installed, account_id="557058:ada", now=NOW), installed)
    issued_at = int(NOW.timestamp())
    assert claims == {
        "iss": "client-1",
        "sub": "557058:ada",
        "iat": issued_at,
        "exp": issued_at + 900,
        "qsh": "context-qsh",
        "context": {},
    }


def test_context_keeps_only_the_parameters_with_jiras_prefix() -> None:
    assert frame.context_of({"ac.contact": "7", "contact": "8", "jwt": "x"}) == {"ac.contact": "7"}
