"""Readings that replicas share: whoever holds the lock of a question measures, the others follow.

A lock is short and renewed while its holder measures, so that a replica that dies is replaced
within ``LOCK_S`` seconds. Without Redis every replica measures for itself.
"""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from redis.asyncio import Redis

from gateway.errors import StoreUnavailable
from gateway.stored import Stored, StoredUnreadable, dump, load

LOCK_S: Final = 2.0
RENEW_S: Final = 0.6
POLL_S: Final = 0.02
MAX_STORED_BYTES: Final = 1024 * 1024
"""Larger readings stay in the memory of the replica that measured them."""
_TTL_JITTER: Final = 0.1
_RELEASE: Final = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""
_RENEW: Final = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0
"""

T = TypeVar("T")


class Calls(Protocol):
    """The store, as far as it is needed here."""

    async def call(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What a command answers. Raises StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Another replica has measured."""

    stored: Stored
    has_waited: bool


class Lead:
    """This replica is to measure; while it does, the others wait for it."""

    def __init__(self, store: Calls, lock: str, token: bytes | None) -> None:
        self._store = store
        self._lock = lock
        self._token = token
        self._renewal: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._token is not None:
            self._renewal = asyncio.create_task(self._renew(self._token), name="renew lock")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._renewal is None or self._token is None:
            return
        self._renewal.cancel()
        token = self._token
        with contextlib.suppress(StoreUnavailable):
            await self._store.call(lambda redis: redis.eval(_RELEASE, 1, self._lock, token))

    async def _renew(self, token: bytes) -> None:
        with contextlib.suppress(StoreUnavailable):
            while True:
                await asyncio.sleep(RENEW_S)
                await self._store.call(
                    lambda redis: redis.eval(_RENEW, 1, self._lock, token, int(LOCK_S * 1000))
                )


class SharedReadings:
    """Readings in Redis."""

    def __init__(self, store: Calls, *, retention_s: float) -> None:
        self._store = store
        self._retention_s = retention_s

    async def follow_or_lead(
        self, key: str, is_acceptable: Callable[[Stored], bool]
    ) -> Follow | Lead:
        """An acceptable reading, waited for while another replica measures; or the lead.

        Never raises: without Redis everybody leads.
        """
        with contextlib.suppress(StoreUnavailable):
            return await self._follow_or_lead(key, is_acceptable)
        return Lead(self._store, _lock(key), None)

    async def put(self, key: str, stored: Stored) -> None:
        """Share a reading; one that is too large or that Redis does not take is not shared."""
        data = dump(key, stored)
        if len(data) > MAX_STORED_BYTES:
            return
        # Readings that were taken together must not all expire together.
        ttl_s = self._retention_s * (1 - _TTL_JITTER * random.random())  # noqa: S311 - no secret
        with contextlib.suppress(StoreUnavailable):
            await self._store.call(lambda redis: redis.set(_name(key), data, px=int(ttl_s * 1000)))

    async def _follow_or_lead(
        self, key: str, is_acceptable: Callable[[Stored], bool]
    ) -> Follow | Lead:
        has_waited = False
        token = secrets.token_bytes(16)
        while True:
            stored = await self._get(key)
            if stored is not None and is_acceptable(stored):
                await self._claim(key, stored)
                return Follow(stored, has_waited)
            if await self._store.call(
                lambda redis: redis.set(_lock(key), token, nx=True, px=int(LOCK_S * 1000))
            ):
                return await self._confirmed(key, is_acceptable, token, has_waited=has_waited)
            has_waited = True
            await asyncio.sleep(POLL_S)

    async def _confirmed(
        self,
        key: str,
        is_acceptable: Callable[[Stored], bool],
        token: bytes,
        *,
        has_waited: bool,
    ) -> Follow | Lead:
        # Between the look and the lock another replica may have measured and released.
        lead = Lead(self._store, _lock(key), token)
        stored = await self._get(key)
        if stored is None or not is_acceptable(stored):
            return lead
        async with lead:
            await self._claim(key, stored)
        return Follow(stored, has_waited)

    async def _get(self, key: str) -> Stored | None:
        data = await self._store.call(lambda redis: redis.get(_name(key)))
        if data is None:
            return None
        try:
            return load(key, data if isinstance(data, bytes) else data.encode())
        except StoredUnreadable:
            await self._store.call(lambda redis: redis.delete(_name(key)))
            return None

    async def _claim(self, key: str, stored: Stored) -> None:
        if stored.is_unclaimed:
            data = dump(key, Stored(stored.reading, stored.measured_at_unix_s))
            await self._store.call(lambda redis: redis.set(_name(key), data, xx=True, keepttl=True))


def _name(key: str) -> str:
    return f"analysis-gateway:reading:{{{key}}}"


def _lock(key: str) -> str:
    return f"analysis-gateway:lock:{{{key}}}"
