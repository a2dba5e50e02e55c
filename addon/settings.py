"""Which settings does the process run with? Read once from the environment; every problem is reported together.

Only `addon.app`, `addon.deployment` and `addon.cli` import this module; everything else receives values. Names and
defaults are fixed by the table *Settings* in docs/operations.md.
"""

import base64
import binascii
import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from addon import errors

PREFIX = "CRM_SYNC_"
SECRET_KEY_BYTES = 32  # AES-256
MIN_POINTS_PER_HOUR = 5_000  # with less, background work's part would not do for one step of a run
MAX_ADDON_KEY_LENGTH = 64  # Atlassian, "App descriptor": key
MAX_PORT = 65535
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
NAME = rf"{LABEL}(?:\.{LABEL})*"
ADDRESS = re.compile(rf"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>{NAME})):(?P<port>[0-9]{{1,5}})")
HOST_PATTERN = re.compile(r"(?:[A-Za-z0-9.*?-]|\[!?[A-Za-z0-9-]+\])+")
UNSAFE = re.compile(r"[^!-~]|[?#@\"'\\]")
# In the text itself: `urlsplit` drops white space, and does not tell an empty query, fragment or user from none.
NOT_YET = {"forge_app_id": "Forge Remote is not supported yet", "forge_jwks_url": "Forge Remote is not supported yet"}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    """Whether it has the form of an IP address or of a host name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return re.fullmatch(NAME, text) is not None
    return True


def _is_postgres_address(text: str) -> bool:
    """Whether asyncpg can make something of it; the host may stand in the query, as `host=/var/run/postgresql`."""
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) or "host" in parse_qs(parts.query)
        return parts.scheme in {"postgresql", "postgres"} and has_host and len(parts.path) > 1 and parts.port != 0
    except ValueError:
        # Its text would repeat a part of the address, which may be a part of the password.
        return False


class Settings(BaseSettings):
    """Everything an operator may set. Secrets are masked in `repr`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    base_url: str = "http://localhost:8080"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=MAX_PORT)] = 8080
    addon_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=MAX_ADDON_KEY_LENGTH)] = "crm-contact-sync"
    database_url: SecretStr | None = None
    data_dir: Path = Path(".data")
    secret_keys: Annotated[SecretStr | None, Field(validate_default=True)] = None
    tenant_hosts: Annotated[tuple[str, ...], NoDecode] = ("*.atlassian.net", "*.jira.com")
    install_keys_url: str = "https://connect-install-keys.atlassian.com"
    host_script_url: str = "https://connect-cdn.atl-paas.net/all.js"
    api_points_per_hour: Annotated[int, Field(ge=MIN_POINTS_PER_HOUR)] = 65_000
    retention_days: Annotated[int, Field(ge=0, le=3650)] = 30
    metrics_address: str | None = None
    log_format: Literal["json", "console"] = "json"

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        if not _is_host(value):
            raise ValueError("must be an IP address or a host name")
        return value

    @field_validator("tenant_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("tenant_hosts")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("names no host, so that nobody could install the add-on")
        for pattern in value:
            if HOST_PATTERN.fullmatch(pattern) is None:
                raise ValueError(f"{pattern} is no pattern of host names, such as *.atlassian.net")
        return value

    @field_validator("base_url", "install_keys_url", "host_script_url")
    @classmethod
    def _https_or_loopback(cls, value: str) -> str:
        if UNSAFE.search(value):
            raise ValueError("must have no user, query, fragment, white space, quote or backslash, and be in ASCII")
        parts = urlsplit(value)
        host = parts.hostname or ""
        # `port` raises ValueError where it is none.
        if parts.scheme not in {"http", "https"} or not _is_host(host) or parts.port == 0 or parts.netloc.endswith(":"):
            raise ValueError("must be an http(s) address")
        if parts.scheme == "http" and not _is_loopback(host):
            raise ValueError("must be https, except on a loopback host")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_postgres_address(value.get_secret_value()):
            raise ValueError("must be an address like postgresql://user:password@host:5432/name")
        return value

    @field_validator("metrics_address")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is not None:
            split_address(value)
        return value

    @field_validator("secret_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            decode_keys(value.get_secret_value())
        elif info.data.get("database_url", "wrong") is not None:  # one that is wrong is not in `data`
            raise ValueError(f"must be set when {PREFIX}DATABASE_URL is")
        return value


def decode_keys(text: str) -> tuple[bytes, ...]:
    """The key ring written in `text`, newest first. Raises ValueError without repeating any key."""
    try:
        keys = tuple(base64.b64decode(part.strip(), validate=True) for part in text.split(","))
    except binascii.Error as exc:
        raise ValueError("must be base64 keys, comma separated") from exc
    if any(len(key) != SECRET_KEY_BYTES for key in keys):
        raise ValueError(f"each key must have {SECRET_KEY_BYTES} bytes")
    return keys


def split_address(text: str) -> tuple[str, int]:
    """The host and the port of `host:port`; an IPv6 address stands in brackets. Raises ValueError."""
    found = ADDRESS.fullmatch(text)
    if found is None or not 1 <= int(found["port"]) <= MAX_PORT:
        raise ValueError("must be an address like 127.0.0.1:9090")
    return found["v6"] or found["host"], int(found["port"])


def load() -> Settings:
    """Read the environment. Raises ConfigurationError that names every wrong setting, and every name that is none."""
    unknown = _unknown_names()
    try:
        config = Settings()
    except ValidationError as exc:
        wrong = [_problem(error["loc"], error["msg"]) for error in exc.errors()]
        raise errors.ConfigurationError([*wrong, *unknown]) from exc
    if unknown:
        raise errors.ConfigurationError(unknown)
    return config


def _problem(location: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {text}" if location else text


def _unknown_names() -> list[str]:
    """What the environment sets that is no setting; case does not matter, as it does not for those that are."""
    ours = {name.lower().removeprefix(PREFIX.lower()) for name in os.environ if name.upper().startswith(PREFIX)}
    unknown = sorted(ours - Settings.model_fields.keys())
    return [f"{PREFIX}{name.upper()}: {NOT_YET.get(name, 'there is no such setting')}" for name in unknown]
