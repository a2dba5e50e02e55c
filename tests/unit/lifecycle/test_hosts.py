import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import errors, hosts

PRODUCTION = ("*.atlassian.net", "*.jira.com")
DEVELOPMENT = (*PRODUCTION, "localhost", "127.0.0.*")


@pytest.mark.parametrize(
    ("base_url", "patterns", "origin"),
    [
        ("https://one.atlassian.net", PRODUCTION, "https://one.atlassian.net"),
        ("https://one.atlassian.net/", PRODUCTION, "https://one.atlassian.net"),
        ("HTTPS://One.Atlassian.NET", PRODUCTION, "https://one.atlassian.net"),
        ("https://one.jira.com", PRODUCTION, "https://one.jira.com"),
        ("https://one.atlassian.net", ("*.Atlassian.net",), "https://one.atlassian.net"),
        ("http://localhost:9000", DEVELOPMENT, "http://localhost:9000"),
        ("http://127.0.0.1:9000/", DEVELOPMENT, "http://127.0.0.1:9000"),
        ("https://localhost", DEVELOPMENT, "https://localhost"),
        ("https://one.atlassian.net:443/", PRODUCTION, "https://one.atlassian.net"),
        ("https://one.atlassian.net:0443", PRODUCTION, "https://one.atlassian.net"),
        ("https://one.atlassian.net:80", PRODUCTION, "https://one.atlassian.net:80"),
        ("https://one.atlassian.net:65535", PRODUCTION, "https://one.atlassian.net:65535"),
        ("http://localhost:80", DEVELOPMENT, "http://localhost"),
    ],
)
def test_site_on_a_named_host_is_accepted(base_url: str, patterns: tuple[str, ...], origin: str) -> None:
    assert hosts.accept(base_url, patterns) == origin


@pytest.mark.parametrize(
    ("base_url", "patterns"),
    [
        ("https://evil.example", PRODUCTION),
        ("https://atlassian.net", PRODUCTION),
        ("https://evil-atlassian.net", PRODUCTION),
        ("https://one.atlassian.net.evil.example", PRODUCTION),
        ("https://one.atlassian.net@evil.example", PRODUCTION),
        ("https://user:password@one.atlassian.net", PRODUCTION),
        ("https://evil.example#.atlassian.net", PRODUCTION),
        ("https://evil.example?.atlassian.net", PRODUCTION),
        ("https://evil.example/.atlassian.net", PRODUCTION),
        ("https://evil.example\\.atlassian.net", PRODUCTION),
        ("https://evil.example%2f.atlassian.net", PRODUCTION),
        ("https://one.atlassian.net/wiki", PRODUCTION),
        ("https://one.atlassian.net/?a=b", PRODUCTION),
        ("https://one.atlassian.net:", PRODUCTION),
        ("https://one.atlassian.net:port", PRODUCTION),
        ("https://one.atlassian.net:0", PRODUCTION),
        ("https://one.atlassian.net:65536", PRODUCTION),
        ("https://one..atlassian.net", PRODUCTION),
        ("https://one.atlassian.net.", ("*",)),
        (f"https://{'a' * 64}.atlassian.net", PRODUCTION),
        ("https://one.atlassian.net\n", PRODUCTION),
        (" https://one.atlassian.net", PRODUCTION),
        ("https://.atlassian.net", PRODUCTION),
        ("https://öne.atlassian.net", PRODUCTION),
        ("https://[::1].atlassian.net", PRODUCTION),
        (f"https://{'a' * 255}.atlassian.net", PRODUCTION),
        ("one.atlassian.net", PRODUCTION),
        ("ftp://one.atlassian.net", PRODUCTION),
        ("javascript://one.atlassian.net", PRODUCTION),
        ("http://one.atlassian.net", PRODUCTION),
        ("http://localhost:9000", PRODUCTION),
        ("http://localhost:9000", ("*",)),
        ("http://127.0.0.1", ("localhost",)),
        ("http://10.0.0.1", ("10.0.0.1",)),
        ("http://0.0.0.0", ("0.0.0.0",)),
        ("http://127.0.0.1.evil.example", ("127.0.0.*",)),
        ("http://127.1", ("127.*",)),
        ("", PRODUCTION),
    ],
)
def test_anything_else_is_refused(base_url: str, patterns: tuple[str, ...]) -> None:
    with pytest.raises(errors.ForeignHost):
        hosts.accept(base_url, patterns)


@given(st.text(max_size=60))
def test_no_text_before_a_foreign_host_makes_it_ours(prefix: str) -> None:
    with pytest.raises(errors.ForeignHost):
        hosts.accept(f"https://{prefix}@evil.example", PRODUCTION)
