"""What an operator got wrong is told by the name of the setting, before anything starts."""

import base64
import uuid
from pathlib import Path

import asyncpg
import pytest
import structlog.testing
from pydantic import SecretStr

from addon import app, deployment
from addon.errors import ConfigurationError
from addon.settings import Settings
from addon.storage import schema
from lifecycle.tenant import TenantId
from lifecycle.vault import Secret, Vault

RING = (bytes(range(32)), bytes(32))  # a new key and the old one
FOREIGN = b"f" * 32
KEY = base64.b64encode(RING[0]).decode()
SITES = [TenantId(uuid.UUID(int=number)) for number in (1, 2, 3)]
A_SITE = """
    INSERT INTO tenant (tenant_id, client_key, base_url, sealed_secret, state, installed_at, uninstalled_at, updated_at)
    VALUES ($1, $2, $2, $3, $4, now(), CASE WHEN $4 = 'uninstalled' THEN now() END, now())
"""


def a_config(url: str, **changes: object) -> Settings:
    keys = ",".join(base64.b64encode(key).decode() for key in RING)
    return Settings.model_validate({"database_url": SecretStr(url), "secret_keys": SecretStr(keys), **changes})


async def site(url: str, tenant_id: TenantId, key: bytes, state: str = "enabled") -> None:
    sealed = Vault([key]).seal(Secret(f"secret of {tenant_id}"), tenant_id=tenant_id)
    connection = await asyncpg.connect(url)
    await connection.execute(A_SITE, tenant_id, str(tenant_id), sealed, state)
    await connection.close()


async def opened_by_the_new_key(url: str) -> list[TenantId]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT tenant_id, sealed_secret FROM tenant ORDER BY tenant_id")
    await connection.close()
    vault = Vault([RING[0]])
    return [row["tenant_id"] for row in rows if not vault.needs_resealing(row["sealed_secret"])]


async def migration_problems(config: Settings) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as raised:
        await deployment.migrate(config)
    return raised.value.problems


@pytest.fixture
def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    return tmp_path / "file" / "data"


async def test_data_directory_that_cannot_be_made_is_named(below_a_file: Path) -> None:
    for settings in ({}, {"secret_keys": SecretStr(KEY)}):
        problems = await deployment.check(Settings.model_validate({"data_dir": below_a_file, **settings}))
        (problem,) = problems
        assert problem.startswith(f"CRM_SYNC_DATA_DIR: {below_a_file}")
        assert problem.endswith(": Not a directory")


@pytest.mark.parametrize("kept", [b"", b"no key", KEY[:20].encode(), b"\xff\xfe"])
async def test_damaged_key_is_named_and_not_repeated(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / app.KEY_FILE).write_bytes(kept)
    problems = await deployment.check(Settings(data_dir=tmp_path))
    path = tmp_path / app.KEY_FILE
    reason = f"{path} is no key of 32 bytes in base64: put it back from where it is backed up"
    assert problems == [f"CRM_SYNC_DATA_DIR: {reason}"]


async def test_database_of_a_newer_version_is_said_to_be_newer(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    newest = schema.newest_revision()
    said = f"the database is newer than this version: it is at schema 9999, and this version knows none after {newest}"
    config = a_config(database_url)
    assert await deployment.check(config) == [said]
    assert await migration_problems(config) == (said,)


async def test_host_that_cannot_be_resolved_is_named_beside_what_else_is_wrong(below_a_file: Path) -> None:
    problems = await deployment.check(Settings(host="nowhere.invalid", data_dir=below_a_file))
    assert [problem.partition(":")[0] for problem in problems] == ["CRM_SYNC_HOST", "CRM_SYNC_DATA_DIR"]
    assert "nowhere.invalid cannot be resolved" in problems[0]


async def test_lost_key_of_one_site_does_not_keep_the_others_from_rotation(database_url: str) -> None:
    for tenant_id, key in zip(SITES, (RING[1], FOREIGN, RING[1]), strict=True):
        await site(database_url, tenant_id, key)
    config = a_config(database_url)
    assert await migration_problems(config) == (
        f"CRM_SYNC_SECRET_KEYS: the secrets of 1 sites do not open: {SITES[1]}",
    )
    assert await opened_by_the_new_key(database_url) == [SITES[0], SITES[2]]
    assert await deployment.check(config) == ["CRM_SYNC_SECRET_KEYS: the secrets of 1 sites do not open"]


async def test_lost_key_of_a_site_that_is_gone_hinders_nobody(database_url: str) -> None:
    await site(database_url, SITES[0], RING[1])
    await site(database_url, SITES[1], FOREIGN, "uninstalled")
    await site(database_url, SITES[2], RING[0])
    config = a_config(database_url)
    with structlog.testing.capture_logs() as logged:
        assert await deployment.migrate(config) == schema.newest_revision()
    assert [(line["event"], line["tenant_id"]) for line in logged] == [("secret-not-resealed", str(SITES[1]))]
    assert await opened_by_the_new_key(database_url) == [SITES[0], SITES[2]]
    assert await deployment.check(config) == []


async def test_keys_that_open_no_stored_secret_are_named(database_url: str) -> None:
    for tenant_id, state in zip(SITES, ("enabled", "disabled", "uninstalled"), strict=True):
        await site(database_url, tenant_id, FOREIGN, state)
    assert await deployment.check(a_config(database_url)) == [
        "CRM_SYNC_SECRET_KEYS: the secrets of 2 sites do not open"
    ]
