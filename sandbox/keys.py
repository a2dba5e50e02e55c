"""The install keys: with what does Atlassian sign `installed` and `uninstalled`, and how does an app get the public half?

One key pair per cloud, made when it starts; it never leaves memory.
"""

import collections.abc
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ALGORITHM = "RS256"
KEY_SIZE_BITS = 2048


class InstallKeys:
    """`kid` holds a slash and a dot: since November 2024 Atlassian's key ids are not always UUIDs."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self._private_key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_SIZE_BITS)

    def sign(self, claims: collections.abc.Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self._private_key, algorithm=ALGORITHM, headers={"kid": self.kid})

    def public_pem(self, kid: str) -> str | None:
        """The PEM text behind `kid`, None for a key that was never ours."""
        if kid != self.kid:
            return None
        return (
            self._private_key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )
