"""Browsers that have signed in: what stands for the token that somebody typed.

A cookie holds a random key, Redis holds the token sealed under that key, by a hash of it. So the
cookie is worth nothing when Redis has forgotten it, and what Redis has is worth nothing without the
cookie. The token is what proves who asks, anew with every request: a session gives no right that
its token has not.
"""

import asyncio
import hashlib
from typing import Final, Protocol

from gateway.store import Store

COOKIE: Final = "analysis-gateway-session"
SESSION_S: Final = 8 * 3600
"""A working day; then the token is asked for again."""
MAX_OF_CALLER: Final = 10
"""Sessions of one caller; the oldest one ends when another begins."""
MAX_TOKEN_CHARS: Final = 8_000
"""About what fits into the header that a token is sent in otherwise."""
_PREFIX: Final = "analysis-gateway:{sessions}:"
_OPEN: Final = """
for _, key in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZREM', KEYS[2], key)
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
local at = redis.call('TIME')
redis.call('ZADD', KEYS[2], at[1] + at[2] / 1e6, KEYS[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
while redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[3]) do
  redis.call('DEL', redis.call('ZPOPMIN', KEYS[2])[1])
end
"""
"""Who has signed out, or whose working day is over, has no session that counts. What it deletes are
keys in the same slot as those that it is told."""


class Sessions(Protocol):
    """What stands for tokens."""

    async def token_of(self, cookie: str) -> str | None:
        """The token of a session; None if there is none any more. Raises StoreUnavailable."""


class StoredSessions:
    """Sessions in Redis, so that every replica knows them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(self, token: str, caller: str) -> str:
        """Begin a session. Raises StoreUnavailable.

        Args:
            token: one that the door has accepted.
            caller: the name of its caller, whose oldest session may have to end for it.

        Returns:
            What the cookie holds.

        """
        cookie, sealed = await asyncio.to_thread(_seal, token)
        keys = [_key(cookie), f"{_PREFIX}of:{hashlib.sha256(caller.encode()).hexdigest()}"]
        await self._store.call(
            lambda redis: redis.eval(
                _OPEN, len(keys), *keys, sealed, str(SESSION_S), str(MAX_OF_CALLER)
            )
        )
        return cookie

    async def token_of(self, cookie: str) -> str | None:
        """The token of a session; None if there is none any more. Raises StoreUnavailable."""
        sealed = await self._store.call(lambda redis: redis.get(_key(cookie)))
        return _unseal(cookie, sealed) if isinstance(sealed, bytes) else None

    async def close(self, cookie: str) -> None:
        """End a session, if there is one. Raises StoreUnavailable."""
        await self._store.call(lambda redis: redis.delete(_key(cookie)))


def _key(cookie: str) -> str:
    return f"{_PREFIX}{hashlib.sha256(cookie.encode(errors='replace')).hexdigest()}"


def _seal(token: str) -> tuple[str, bytes]:
    # Who never signs anybody in does not pay for the library with memory and a slower start.
    from cryptography.fernet import Fernet  # noqa: PLC0415

    key = Fernet.generate_key()
    return key.decode(), Fernet(key).encrypt(token.encode())


def _unseal(cookie: str, sealed: bytes) -> str | None:
    from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415 - as above

    try:
        return Fernet(cookie).decrypt(sealed, ttl=SESSION_S).decode()
    except (InvalidToken, ValueError):
        # Somebody has put something else there.
        return None
