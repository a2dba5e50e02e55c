"""Settings that say where to listen, and which hosts may become tenants."""

import pytest

from addon import settings
from addon.errors import ConfigurationError


def problems() -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        settings.load()
    return list(raised.value.problems)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1", "localhost", "web-1.internal"])
def test_host_may_be_an_address_or_a_name(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("CRM_SYNC_HOST", host)
    assert settings.load().host == host


@pytest.mark.parametrize(
    "host", ["", "bad host", "[::1]", "a..b", "localhost:80", "http://localhost", "-", "1.2.3.4\n"]
)
def test_host_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("CRM_SYNC_HOST", host)
    assert problems() == ["CRM_SYNC_HOST: must be an IP address or a host name"]


@pytest.mark.parametrize(
    ("address", "split"),
    [
        ("127.0.0.1:9090", ("127.0.0.1", 9090)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::1]:65535", ("::1", 65535)),
        ("worker-1.internal:9090", ("worker-1.internal", 9090)),
    ],
)
def test_metrics_may_be_served_at_any_address(
    monkeypatch: pytest.MonkeyPatch, address: str, split: tuple[str, int]
) -> None:
    monkeypatch.setenv("CRM_SYNC_METRICS_ADDRESS", address)
    config = settings.load()
    assert config.metrics_address == address
    assert settings.split_address(address) == split


@pytest.mark.parametrize(
    "address",
    [
        "",
        "9090",
        ":9090",
        "localhost",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:http",
        "::1:9090",
        "[::1:9090",
        "http://localhost:9090",
        "localhost:9090/metrics",
        "me@localhost:9090",
        "localhost:9090?x",
        "a b:1",
        "a..b:1",
    ],
)
def test_metrics_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("CRM_SYNC_METRICS_ADDRESS", address)
    assert problems() == ["CRM_SYNC_METRICS_ADDRESS: must be an address like 127.0.0.1:9090"]


def test_pattern_may_be_any_glob_of_host_names(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = ("*.jira-dev.com", "127.0.0.1", "localhost", "acme-?.x.example", "[a-c]x.example", "[!0-9]*.x.example")
    monkeypatch.setenv("CRM_SYNC_TENANT_HOSTS", ",".join(patterns))
    assert settings.load().tenant_hosts == patterns


@pytest.mark.parametrize(
    "hosts",
    [
        "https://acme.atlassian.net",
        "acme.atlassian.net:443",
        "*.atlassian.net;*.jira.com",
        "*.a.example *.b.example",
        "[",
        "a]",
        "[]",
        "!a",
        "*.jira.com/",
    ],
)
def test_pattern_that_no_host_can_match_is_refused(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    monkeypatch.setenv("CRM_SYNC_TENANT_HOSTS", f"*.atlassian.net,{hosts}")
    assert problems() == [f"CRM_SYNC_TENANT_HOSTS: {hosts} is no pattern of host names, such as *.atlassian.net"]
