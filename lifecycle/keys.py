"""Which public key has Atlassian published under this key id?

Keys are immutable for their id, so that a key once read is kept. Answers that there is none are kept shortly: a key may
be published a moment after its first use. Does not verify tokens. The key server is configured, never derived from a
request.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

import httpx
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from lifecycle import errors

FETCH_TIMEOUT = timedelta(seconds=5)
UNKNOWN_FOR = timedelta(seconds=30)
MAX_KEYS = 64  # Atlassian rotates slowly: a handful is in use at any time
MAX_UNKNOWN = 1024
MAX_PEM_BYTES = 16_384
MIN_KEY_BITS = 2048

# Not always a UUID since November 2024. Segments of plain characters, so that nothing leads out of the server's folder
# or to another server; "..", a scheme, a query, a backslash, an escape and a leading slash all fail.
KEY_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_-]+)*")
MAX_KEY_ID_CHARS = 256

# What the key server says about ids that it does not have; a CDN before a bucket answers 403 for them.
MISSING = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

T = TypeVar("T")


class Keys:
    """Reads keys from `keys_url`; concurrent questions for one id share one request."""

    def __init__(self, *, client: httpx.AsyncClient, keys_url: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._keys_url = keys_url.rstrip("/")
        self._clock = clock
        self._known: OrderedDict[str, RSAPublicKey] = OrderedDict()
        self._unknown_until: OrderedDict[str, datetime] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[RSAPublicKey | errors.LifecycleError]] = {}

    async def find(self, key_id: str) -> RSAPublicKey:
        """The key of this id. Raises UnknownKey, or KeysUnreachable after FETCH_TIMEOUT at the latest.

        Do not call it while a transaction is open.
        """
        if len(key_id) > MAX_KEY_ID_CHARS or not KEY_ID.fullmatch(key_id):
            raise errors.UnknownKey("not the shape of a key id")
        if (known := self._known.get(key_id)) is not None:
            self._known.move_to_end(key_id)
            return known
        if key_id in self._unknown_until and self._clock() < self._unknown_until[key_id]:
            raise errors.UnknownKey("answered a moment ago")
        if (task := self._fetching.get(key_id)) is None:
            task = self._fetching[key_id] = asyncio.create_task(self._fetch(key_id))
            task.add_done_callback(lambda _: self._fetching.pop(key_id))
        # Shielded: one caller that hangs up does not take the answer from the others.
        answer = await asyncio.shield(task)
        if isinstance(answer, errors.LifecycleError):
            raise answer
        return answer

    async def _fetch(self, key_id: str) -> RSAPublicKey | errors.LifecycleError:
        """The answer as a value: it may go to several callers, or to none."""
        try:
            async with asyncio.timeout(FETCH_TIMEOUT.total_seconds()):
                status, body = await self._get(f"{self._keys_url}/{key_id}")
        except (TimeoutError, httpx.HTTPError) as exc:
            return errors.KeysUnreachable(f"{type(exc).__name__} from the key server")
        if status in MISSING:
            _remember(self._unknown_until, key_id, self._clock() + UNKNOWN_FOR, limit=MAX_UNKNOWN)
            return errors.UnknownKey("the key server has none")
        if status != HTTPStatus.OK:
            return errors.KeysUnreachable(f"the key server answered {status}")
        key = _read_key(body)
        if key is None:
            return errors.KeysUnreachable("the key server answered with something that is not a key")
        _remember(self._known, key_id, key, limit=MAX_KEYS)
        return key

    async def _get(self, url: str) -> tuple[int, bytes]:
        """Status and the first MAX_PEM_BYTES, or a little more, of the body. Redirects are not followed."""
        body = bytearray()
        async with self._client.stream(
            "GET", url, follow_redirects=False, timeout=FETCH_TIMEOUT.total_seconds()
        ) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_PEM_BYTES:
                    break
            return response.status_code, bytes(body)


def _read_key(pem: bytes) -> RSAPublicKey | None:
    if len(pem) > MAX_PEM_BYTES:
        return None
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS else None


def _remember(cache: OrderedDict[str, T], key_id: str, value: T, *, limit: int) -> None:
    cache[key_id] = value
    cache.move_to_end(key_id)
    while len(cache) > limit:
        cache.popitem(last=False)
