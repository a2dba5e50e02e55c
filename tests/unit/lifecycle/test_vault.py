import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import errors
from lifecycle.tenant import TenantId
from lifecycle.vault import Secret, Vault

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
ONE, OTHER = TenantId(uuid.UUID(int=1)), TenantId(uuid.UUID(int=2))


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_sealed_secret_opens_for_its_tenant(text: str) -> None:
    vault = Vault([NEW])
    assert vault.open(vault.seal(Secret(text), tenant_id=ONE), tenant_id=ONE).reveal() == text


def test_sealed_secret_of_one_tenant_does_not_open_for_another() -> None:
    vault = Vault([NEW])
    with pytest.raises(errors.SecretUnreadable):
        vault.open(vault.seal(Secret("s"), tenant_id=ONE), tenant_id=OTHER)


def test_every_altered_byte_makes_the_secret_unreadable() -> None:
    vault = Vault([NEW, OLD])
    sealed = vault.seal(Secret("some secret"), tenant_id=ONE)
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(errors.SecretUnreadable):
            vault.open(bytes(altered), tenant_id=ONE)
    for length in range(len(sealed)):
        with pytest.raises(errors.SecretUnreadable):
            vault.open(sealed[:length], tenant_id=ONE)


def test_same_secret_is_never_sealed_the_same_way_and_is_not_in_what_is_sealed() -> None:
    vault = Vault([NEW])
    sealed = {vault.seal(Secret("some secret"), tenant_id=ONE) for _ in range(50)}
    assert len(sealed) == 50
    assert not any(b"some secret" in each for each in sealed)


def test_rotated_ring_opens_what_the_old_key_sealed_and_wants_it_resealed() -> None:
    sealed = Vault([OLD]).seal(Secret("s"), tenant_id=ONE)
    rotated = Vault([NEW, OLD])
    assert rotated.open(sealed, tenant_id=ONE).reveal() == "s"
    assert rotated.needs_resealing(sealed)
    assert not rotated.needs_resealing(rotated.seal(Secret("s"), tenant_id=ONE))


def test_dropped_key_makes_the_secret_unreadable() -> None:
    with pytest.raises(errors.SecretUnreadable):
        Vault([NEW]).open(Vault([OLD]).seal(Secret("s"), tenant_id=ONE), tenant_id=ONE)


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b"short"]])
def test_unusable_ring_is_refused_at_once(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        Vault(keys)


def test_secret_does_not_show_itself() -> None:
    assert "hush" not in f"{Secret('hush')} {Secret('hush')!r} {[Secret('hush')]}"
    assert Secret("hush") == Secret("hush")
