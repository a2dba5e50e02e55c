import base64
import traceback
from pathlib import Path

import pytest

from addon import settings
from addon.errors import ConfigurationError
from addon.jira.directory import STEP_POINTS
from addon.sync import quota

KEY = base64.b64encode(bytes(range(32))).decode()
OLD_KEY = base64.b64encode(bytes(32)).decode()
PASSWORD = "hunter2-of-the-database"
DATABASE = f"postgresql://crm:{PASSWORD}@db.example:5432/crm"

# The table of docs/operations.md; None: unset.
DEFAULTS = {
    "BASE_URL": "http://localhost:8080",
    "HOST": "127.0.0.1",
    "PORT": 8080,
    "ADDON_KEY": "crm-contact-sync",
    "DATABASE_URL": None,
    "DATA_DIR": Path(".data"),
    "SECRET_KEYS": None,
    "TENANT_HOSTS": ("*.atlassian.net", "*.jira.com"),
    "INSTALL_KEYS_URL": "https://connect-install-keys.atlassian.com",
    "HOST_SCRIPT_URL": "https://connect-cdn.atl-paas.net/all.js",
    "API_POINTS_PER_HOUR": 65_000,
    "RETENTION_DAYS": 30,
    "METRICS_ADDRESS": None,
    "LOG_FORMAT": "json",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEFAULTS:
        monkeypatch.delenv(settings.PREFIX + name, raising=False)


def set_all(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(settings.PREFIX + name, value)


def problems() -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        settings.load()
    return list(raised.value.problems)


def test_defaults_are_those_of_the_table() -> None:
    assert {name.upper(): value for name, value in settings.load().model_dump().items()} == DEFAULTS


def test_everything_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        BASE_URL="https://crm.example/app/",
        PORT="9090",
        DATABASE_URL=DATABASE,
        SECRET_KEYS=f"{KEY}, {OLD_KEY}",
        TENANT_HOSTS="*.atlassian.net, localhost,",
        INSTALL_KEYS_URL="http://127.0.0.1:9001/keys",
        LOG_FORMAT="console",
    )
    config = settings.load()
    assert config.base_url == "https://crm.example/app"
    assert config.port == 9090
    assert config.tenant_hosts == ("*.atlassian.net", "localhost")
    assert config.secret_keys is not None
    assert settings.decode_keys(config.secret_keys.get_secret_value()) == (bytes(range(32)), bytes(32))


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        BASE_URL="http://crm.example",
        HOST="bad host",
        PORT="eighty",
        ADDON_KEY="crm contact sync",
        DATABASE_URL=DATABASE.replace("postgresql", "mysql"),
        TENANT_HOSTS=" , ",
        INSTALL_KEYS_URL="connect-install-keys.atlassian.com",
        HOST_SCRIPT_URL="ftp://localhost/all.js",
        API_POINTS_PER_HOUR="4999",
        LOG_FORMAT="xml",
        RETENTION_DAY="365",
    )
    named = {problem.partition(":")[0] for problem in problems()}
    assert named == {
        f"CRM_SYNC_{name}"
        for name in (
            "BASE_URL",
            "HOST",
            "PORT",
            "ADDON_KEY",
            "DATABASE_URL",
            "SECRET_KEYS",
            "TENANT_HOSTS",
            "INSTALL_KEYS_URL",
            "HOST_SCRIPT_URL",
            "API_POINTS_PER_HOUR",
            "LOG_FORMAT",
            "RETENTION_DAY",
        )
    }


def test_missing_keys_are_named_beside_other_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, DATABASE_URL=DATABASE, PORT="0")
    assert [problem.partition(":")[0] for problem in problems()] == ["CRM_SYNC_PORT", "CRM_SYNC_SECRET_KEYS"]


def test_keys_may_be_missing_with_the_embedded_database_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load().secret_keys is None
    set_all(monkeypatch, DATABASE_URL=DATABASE)
    assert problems() == ["CRM_SYNC_SECRET_KEYS: must be set when CRM_SYNC_DATABASE_URL is"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "crm.example",
        "http://crm.example",
        "https://",
        "https://user:pass@crm.example",
        "https://crm.example?x=1",
        "https://crm.example#top",
        "https://crm.example:0",
        "https://crm.example:99999",
        "https://crm.example:eighty",
        "https://[::1",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "https://crm.example?",
        "https://crm.example#",
        "https://@crm.example",
        "https://crm.example:",
        "https://crm example",
        " https://crm.example",
        'https://crm"example',
        "https://crm.example/'",
        "https://crm.example/\\x",
        "https://crm.example/\n",
        "https://crm;example",
        "https://münchen.example",
    ],
)
def test_address_that_no_browser_could_use_safely_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    set_all(monkeypatch, BASE_URL=url)
    assert [problem.partition(":")[0] for problem in problems()] == ["CRM_SYNC_BASE_URL"]


def test_unknown_names_are_refused_however_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CRM_SYNC_RETENTION_DAY", "crm_sync_Hosts", "crm_sync_port"):
        monkeypatch.setenv(name, "365")
    assert problems() == [
        "CRM_SYNC_HOSTS: there is no such setting",
        "CRM_SYNC_RETENTION_DAY: there is no such setting",
    ]


@pytest.mark.parametrize("name", ["FORGE_APP_ID", "FORGE_JWKS_URL"])
def test_door_that_is_not_built_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    set_all(monkeypatch, **{name: "x"})
    assert problems() == [f"CRM_SYNC_{name}: Forge Remote is not supported yet"]


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.0.0.2:1", "http://[::1]:8080", "https://crm.example:8443/app"]
)
def test_address_may_be_plain_http_on_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    set_all(monkeypatch, BASE_URL=url)
    assert settings.load().base_url == url


@pytest.mark.parametrize("keys", ["", "not base64!", KEY[:-4], f"{KEY},", f"{KEY},short", "sch\u00f6n"])
def test_wrong_keys_are_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    set_all(monkeypatch, SECRET_KEYS=keys)
    (problem,) = problems()
    assert problem.startswith("CRM_SYNC_SECRET_KEYS: ")
    assert len(keys) < 8 or keys not in problem


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://crm@db.example/crm",
        "postgres://crm:pass@10.0.0.1:6432/crm?sslmode=require",
        "postgresql://postgres:@/crm?host=%2Fvar%2Frun%2Fpostgresql",
    ],
)
def test_database_may_be_anywhere(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    set_all(monkeypatch, DATABASE_URL=url, SECRET_KEYS=KEY)
    config = settings.load()
    assert config.database_url is not None
    assert config.database_url.get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "db.example",
        f"mysql://crm:{PASSWORD}@db.example/crm",
        f"postgresql://crm:{PASSWORD}@db.example",
        f"postgresql://crm:{PASSWORD}@/crm",
        f"postgresql://crm:{PASSWORD}/more@db.example/crm",
        f"postgresql://crm:{PASSWORD}@db.example:none/crm",
        f"postgresql://crm:{PASSWORD}@[::1/crm",
    ],
)
def test_address_that_is_no_database_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    set_all(monkeypatch, DATABASE_URL=url, SECRET_KEYS=KEY)
    (problem,) = problems()
    assert problem == "CRM_SYNC_DATABASE_URL: must be an address like postgresql://user:password@host:5432/name"


def test_secrets_are_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, DATABASE_URL=DATABASE, SECRET_KEYS=KEY)
    config = settings.load()
    texts = [repr(config), str(config), repr(config.model_dump()), config.model_dump_json()]
    assert not [text for text in texts if PASSWORD in text or KEY in text]


def test_secrets_are_in_no_error_and_in_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, DATABASE_URL=DATABASE.replace("postgresql", "mysql"), SECRET_KEYS=f"{KEY},{KEY[:20]}")
    with pytest.raises(ConfigurationError) as raised:
        settings.load()
    text = "".join(traceback.format_exception(raised.value))
    assert PASSWORD not in text
    assert KEY[:20] not in text


def test_settings_cannot_be_changed_afterwards() -> None:
    config = settings.load()
    with pytest.raises(ValueError, match="frozen"):
        config.port = 1  # type: ignore[misc]  # that it is refused is the test


def test_smallest_budget_does_for_a_step_of_a_run() -> None:
    assert quota.background(settings.MIN_POINTS_PER_HOUR) >= STEP_POINTS
