"""Readings that replicas share: who holds a question's lock measures, the others follow.

Three keys in Redis belong to a question:

    reading     when its measurement began, and the reading
    lock        when the measurement under way began, and who takes it; short, renewed meanwhile
    unclaimed   there while the reading was seen by nobody, because all who asked had left

Times are those of Redis' clock, so that the clocks of replicas need not agree. Without Redis every
replica measures for itself.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from redis.asyncio import Redis

from gateway.errors import StoreUnavailable
from gateway.model import Reading
from gateway.storage.store import StoreFault
from gateway.stored import SCHEMA_VERSION, StoredUnreadable, Unstorable, dump, load

LEASE_S: Final = 1.0
"""How long after a replica's death another takes over its measurement."""
RENEW_S: Final = 0.25
MAX_STORED_BYTES: Final = 1024 * 1024
"""Larger readings stay in the memory of the replica that measured them."""
_TTL_JITTER: Final = 0.1
_FOREVER_S: Final = 1e9

# A reading from a second or more ahead was stored before the clock was set back.
_NOW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function age(text)
  local began = tonumber(string.match(text, '^(%d+) '))
  if began and now - began >= -1000 then return math.max(now - began, 0) end
end
local function holder(lock) return string.match(lock, ' (.+)$') end
"""
# KEYS: reading, lock, unclaimed. ARGV: longest age of a reading, longest age of a measurement under
# way (ms), '1' to take an unclaimed reading of any age, token, lease (ms).
_CLAIM: Final = (
    _NOW
    + """
local head = redis.call('GETRANGE', KEYS[1], 0, 20)
if head ~= '' then
  if not string.match(head, '^%d+ ') then return {'found', 0, redis.call('GET', KEYS[1])} end
  local held = age(head)
  if held and held <= tonumber(ARGV[1]) then
    redis.call('DEL', KEYS[3])
    return {'found', held, redis.call('GET', KEYS[1])}
  end
  if held and ARGV[3] == '1' and redis.call('DEL', KEYS[3]) == 1 then
    return {'unclaimed', held, redis.call('GET', KEYS[1])}
  end
end
local lock = redis.call('GET', KEYS[2])
local under_way = lock and age(lock)
if under_way and under_way <= tonumber(ARGV[2]) then return {'follow', under_way} end
redis.call('SET', KEYS[2], now .. ' ' .. ARGV[4], 'PX', ARGV[5])
return {'lead'}
"""
)
# KEYS: lock. ARGV: token, age of the measurement (ms), lease (ms).
_RENEW: Final = (
    _NOW
    + """
local lock = redis.call('GET', KEYS[1])
if not lock or holder(lock) == ARGV[1] then
  redis.call('SET', KEYS[1], (now - ARGV[2]) .. ' ' .. ARGV[1], 'PX', ARGV[3])
end
"""
)
# KEYS: lock. ARGV: token.
_RELEASE: Final = (
    _NOW
    + """
local lock = redis.call('GET', KEYS[1])
if lock and holder(lock) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
)
# KEYS: reading, lock, unclaimed. ARGV: bytes, age and time to live of the reading (ms), how long it
# waits to be claimed (ms), token.
_PUBLISH: Final = (
    _NOW
    + """
local held = age(redis.call('GETRANGE', KEYS[1], 0, 20))
if not held or held >= tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], (now - ARGV[2]) .. ' ' .. ARGV[1], 'PX', ARGV[3])
  redis.call('DEL', KEYS[3])
  if ARGV[4] ~= '0' then redis.call('SET', KEYS[3], '', 'PX', ARGV[4]) end
end
local lock = redis.call('GET', KEYS[2])
if lock and holder(lock) == ARGV[5] then redis.call('DEL', KEYS[2]) end
"""
)

T = TypeVar("T")


class Calls(Protocol):
    """The store, as far as it is needed here."""

    async def call(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What a command answers. Raises StoreUnavailable."""

    def count(self, fault: StoreFault) -> None:
        """Count an answer that is of no use."""


class NoStore:
    """The store of a gateway that has none: it is always away."""

    async def call(self, _command: Callable[[Redis], Awaitable[T]]) -> T:
        """Raise StoreUnavailable."""
        raise StoreUnavailable("there is no Redis")

    def count(self, _fault: StoreFault) -> None:
        """Count nothing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an asker takes, at the time of asking."""

    reading_age_s: float
    """The longest age of a reading."""
    under_way_s: float
    """For how long a measurement to wait for may be under way; infinity takes any."""
    takes_unclaimed: bool
    """Whether a reading of any age will do, if nobody has seen it yet."""


@dataclass(frozen=True, slots=True)
class Found:
    """A reading that serves."""

    reading: Reading
    age_s: float
    is_unclaimed: bool


@dataclass(frozen=True, slots=True)
class Follow:
    """Another replica is measuring: ask again soon."""

    under_way_s: float


@dataclass(frozen=True, slots=True)
class Lead:
    """It is this replica that has to measure."""


class SharedReadings:
    """The readings in Redis. Its failures are never an asker's."""

    def __init__(self, store: Calls, *, retention_s: float) -> None:
        self._store = store
        self._retention_s = retention_s

    async def claim(self, key: str, wanted: Wanted, *, token: str) -> Found | Follow | Lead:
        """In one step: a reading that serves, or whom to wait for, or the lead for ``token``."""
        try:
            while True:
                match await self._eval(
                    _CLAIM,
                    _keys(key),
                    _age_ms(wanted.reading_age_s),
                    _age_ms(wanted.under_way_s),
                    int(wanted.takes_unclaimed),
                    token,
                    int(LEASE_S * 1000),
                ):
                    case [b"follow", int(age_ms)]:
                        return Follow(age_ms / 1000)
                    case [bytes(how), int(age_ms), bytes(data)]:
                        try:
                            reading = load(key, data.partition(b" ")[2])
                        except StoredUnreadable:
                            self._store.count(StoreFault.UNREADABLE)
                            await self._store.call(lambda redis: redis.delete(_keys(key)[0]))
                            continue
                        return Found(reading, age_ms / 1000, is_unclaimed=how == b"unclaimed")
                    case _:
                        return Lead()
        except StoreUnavailable:
            return Lead()

    @contextlib.asynccontextmanager
    async def lease(
        self, key: str, age_s: Callable[[], float], *, token: str
    ) -> AsyncIterator[None]:
        """Keep the lead while measuring, over a restart of Redis as well.

        ``age_s`` says how long ago the measurement began.
        """
        renewal = asyncio.create_task(self._renew(key, age_s, token), name="renew lease")
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.wait({renewal})

    async def publish(
        self, key: str, reading: Reading, *, age_s: float, token: str, unclaimed_s: float
    ) -> bool:
        """Share a reading and give up the lead; whether the others can see it now.

        ``age_s`` counts from the begin of its measurement. For ``unclaimed_s`` seconds the next
        asker who does not say how old it may be gets it; 0 if somebody has it already.
        """
        try:
            # Its text alone tells of a large one, and writing that down takes its time.
            data = dump(key, reading) if len(reading.text) <= MAX_STORED_BYTES else b""
        except Unstorable:
            data = b""
        if not data or len(data) > MAX_STORED_BYTES:
            await self.release(key, token=token)
            return False
        # Readings that were taken together must not all expire together.
        ttl_s = self._retention_s * (1 - _TTL_JITTER * random.random())  # noqa: S311 # no secret
        ttl_ms = max(1, int(ttl_s * 1000))
        age_ms, unclaimed_ms = int(age_s * 1000), int(unclaimed_s * 1000)
        try:
            await self._eval(_PUBLISH, _keys(key), data, age_ms, ttl_ms, unclaimed_ms, token)
        except StoreUnavailable:
            return False
        return True

    async def release(self, key: str, *, token: str) -> None:
        """Give up the lead without a reading: another replica may measure at once."""
        with contextlib.suppress(StoreUnavailable):
            await self._eval(_RELEASE, _keys(key)[1:2], token)

    async def _renew(self, key: str, age_s: Callable[[], float], token: str) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            age_ms = int(age_s() * 1000)
            with contextlib.suppress(StoreUnavailable):
                await self._eval(_RENEW, _keys(key)[1:2], token, age_ms, int(LEASE_S * 1000))

    async def _eval(self, script: str, keys: list[str], *arguments: str | bytes | int) -> object:
        # A script's full text, not its hash: a restarted or failed-over Redis knows no hashes.
        return await self._store.call(
            lambda redis: redis.eval(script, len(keys), *keys, *arguments)
        )


def _keys(key: str) -> list[str]:
    # The braces keep the keys of a question on one server of a cluster.
    prefix = f"analysis-gateway:{SCHEMA_VERSION}:{{{key}}}:"
    return [prefix + name for name in ("reading", "lock", "unclaimed")]


def _age_ms(age_s: float) -> int:
    # Less a millisecond: what began within the same one may have begun before.
    return int(min(age_s, _FOREVER_S) * 1000) - 1
