"""How does a secret rest in the database so that a copy of the database gives nothing away?

AES-256-GCM under a ring of keys, the tenant's id as associated data: a sealed secret moved to another tenant's row does
not open. Layout: version (1 byte), key id (8), nonce (12), ciphertext with tag. Does no I/O and knows no tenant's state.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lifecycle import errors
from lifecycle.tenant import TenantId

KEY_BYTES = 32
VERSION = b"\x01"
KEY_ID_BYTES = 8
NONCE_BYTES = 12  # as NIST SP 800-38D advises for GCM; random, far below its limit of 2**32 messages for one key
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES + NONCE_BYTES


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret in the clear, which shows itself to nobody who does not ask by name."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"


class Vault:
    """Seals with the newest key of the ring, opens with any of them.

    `keys`: 32 bytes each, newest first. To rotate, put a new key in front, seal everything again
    (`store.reseal_secrets`), then drop the old one.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("the key ring is empty")
        if any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"every key must have {KEY_BYTES} bytes")
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])

    def seal(self, secret: Secret, *, tenant_id: TenantId) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        header = VERSION + self._newest + nonce
        plain = secret.reveal().encode()
        return header + self._ciphers[self._newest].encrypt(nonce, plain, _associated_data(header, tenant_id))

    def open(self, sealed: bytes, *, tenant_id: TenantId) -> Secret:
        """The secret that was sealed for this tenant. Raises SecretUnreadable."""
        header, ciphertext = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
        cipher = self._ciphers.get(_key_id_of(sealed))
        if cipher is None or not header.startswith(VERSION):
            raise errors.SecretUnreadable("no key of the ring has sealed this")
        try:
            plain = cipher.decrypt(header[-NONCE_BYTES:], ciphertext, _associated_data(header, tenant_id))
        except InvalidTag as exc:
            raise errors.SecretUnreadable("altered, or sealed for another tenant") from exc
        return Secret(plain.decode())

    def needs_resealing(self, sealed: bytes) -> bool:
        """Whether another key than the newest has sealed this."""
        return _key_id_of(sealed) != self._newest


def _key_id(key: bytes) -> bytes:
    """Tells the keys of a ring apart and gives nothing of the key away."""
    return sha256(b"lifecycle.vault key id" + key).digest()[:KEY_ID_BYTES]


def _key_id_of(sealed: bytes) -> bytes:
    return sealed[len(VERSION) : len(VERSION) + KEY_ID_BYTES]


def _associated_data(header: bytes, tenant_id: TenantId) -> bytes:
    return header + tenant_id.bytes
