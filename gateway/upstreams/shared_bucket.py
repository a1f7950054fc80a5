"""A token bucket that replicas share in Redis, by Redis' clock.

A process never takes more than its own bucket of the same rate has, either: so while Redis is away
each goes on at that rate by itself, and nobody is sent a second burst when Redis has forgotten the
first one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol, TypeVar, cast

from redis.asyncio import Redis

from gateway.errors import StoreUnavailable
from gateway.upstreams.buckets import Bucket, Rate

PREFIX: Final = "analysis-gateway:bucket:"
# KEYS: when the bucket is full again, in microseconds. ARGV: from one token to the next in
# microseconds, how many there can be, how many are wanted. What is further ahead than a bucket
# takes to fill was written before the clock was set back.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = tonumber(ARGV[1])
local room = ARGV[2] * interval
local full = tonumber(redis.call('GET', KEYS[1]) or 0) or 0
full = math.min(math.max(full, now), now + room)
local taken = math.min(tonumber(ARGV[3]), math.floor((now + room - full) / interval + 0.000001))
if taken < 1 then return {0, math.ceil(full + interval - room - now)} end
full = full + taken * interval
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return {taken, 0}
"""

T = TypeVar("T")


class Calls(Protocol):
    """The store, as far as it is needed here."""

    async def call(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What a command answers. Raises StoreUnavailable."""


class Taken(NamedTuple):
    """What came of wanting tokens."""

    tokens: int
    wait_s: float
    """When it is worth asking again, if there are none."""


class SharedBucket:
    """The bucket of one connection; ``store`` is None for a process that shares with nobody."""

    def __init__(self, name: str, rate: Rate, store: Calls | None) -> None:
        self._key: Final = f"{PREFIX}{name}"
        self._rate: Final = rate
        self._store: Final = store
        self._own: Final = Bucket(rate)
        self._now_s: Final = asyncio.get_running_loop().time

    async def take(self, wanted: int) -> Taken:
        """As many as there are, up to those wanted. Trouble with Redis is nobody's who asks."""
        own = min(wanted, self._own.available(self._now_s()))
        if own < 1:
            return Taken(0, self._own.wait_s(self._now_s()))
        taken = await self._take_shared(own)
        self._own.take(taken.tokens, self._now_s())
        return taken

    async def _take_shared(self, wanted: int) -> Taken:
        if self._store is None:
            return Taken(wanted, 0.0)
        interval_us = repr(self._rate.interval_s * 1e6)
        try:
            answer = await self._store.call(
                lambda redis: redis.eval(_TAKE, 1, self._key, interval_us, self._rate.burst, wanted)
            )
        except StoreUnavailable:
            return Taken(wanted, 0.0)
        tokens, wait_us = cast("list[int]", answer)
        return Taken(tokens, wait_us / 1e6)
