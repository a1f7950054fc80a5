"""The key under which questions are hashed: the same for all replicas on one Redis."""

import contextlib
import hashlib
import secrets
from typing import Final

from gateway.errors import StoreUnavailable
from gateway.questions import KEY_BYTES
from gateway.secrets import Secret
from gateway.shared_readings import Calls

_NAME: Final = "analysis-gateway:hash-key"
_FIRST_COMES: Final = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
"""


class HashKey:
    """A key chosen by the deployer, else one that the first replica makes and the others take.

    A replica that started while Redis was away hashes under a key of its own, and so shares no
    reading, until Redis is back. One that has the shared key keeps it while Redis is away, and
    gives it back to a Redis that lost it.
    """

    def __init__(self, chosen: Secret | None, store: Calls) -> None:
        self._is_chosen = chosen is not None
        self._key = secrets.token_bytes(KEY_BYTES)
        if chosen is not None:
            # Any text will do, also one that is longer than a key may be.
            self._key = hashlib.sha256(chosen.reveal().encode()).digest()
        self._store = store

    async def current(self) -> bytes:
        """The key, ``KEY_BYTES`` long; asks Redis unless it was chosen. Never raises."""
        if not self._is_chosen:
            with contextlib.suppress(StoreUnavailable):
                shared = await self._store.call(
                    lambda redis: redis.eval(_FIRST_COMES, 1, _NAME, self._key)
                )
                if isinstance(shared, bytes) and len(shared) == KEY_BYTES:
                    self._key = shared
        return self._key
