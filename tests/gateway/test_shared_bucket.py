"""Tokens of one bucket, for processes that share it in a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis_server import Counted, RedisServer

from gateway.storage.store import CALL_BUDGET_S, Store
from gateway.upstreams.buckets import Rate
from gateway.upstreams.shared_bucket import PREFIX, SharedBucket, Taken

SLOW = Rate(0.1, burst=5)


@pytest.fixture
async def stores(redis_server: RedisServer) -> AsyncIterator[list[Store]]:
    """Those of two replicas."""
    both = [Store(redis_server.url, Counted()) for _ in range(2)]
    yield both
    for store in both:
        await store.close()


async def test_a_process_alone_has_a_bucket_of_its_own() -> None:
    """Without a store."""
    bucket = SharedBucket("u", SLOW, None)
    assert await bucket.take(3) == Taken(3, 0.0)
    assert (await bucket.take(9)).tokens == 2
    rest = await bucket.take(1)
    assert rest.tokens == 0
    assert 9 < rest.wait_s <= 10


async def test_two_replicas_share_one(stores: list[Store]) -> None:
    """What one takes the other has not."""
    first, second = (SharedBucket("u", SLOW, store) for store in stores)
    assert (await first.take(3)).tokens == 3
    assert (await second.take(9)).tokens == 2
    rest = await second.take(1)
    assert rest.tokens == 0
    assert 9 < rest.wait_s <= 10
    other = SharedBucket("v", SLOW, stores[0])
    assert (await other.take(1)).tokens == 1


async def test_together_they_are_no_faster_than_one(stores: list[Store]) -> None:
    """Both take whatever there is, for a while."""
    rate = Rate(100, burst=5)
    buckets = [SharedBucket("u", rate, store) for store in stores]
    began_s = time.monotonic()

    async def greedy(bucket: SharedBucket) -> int:
        total = 0
        while time.monotonic() - began_s < 0.6:
            taken = await bucket.take(3)
            total += taken.tokens
            await asyncio.sleep(taken.wait_s)
        return total

    total = sum(await asyncio.gather(*(greedy(bucket) for bucket in buckets)))
    took_s = time.monotonic() - began_s
    assert 40 <= total <= rate.burst + rate.per_s * took_s + 1


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("9999999999999999", id="the-clock-was-set-back"),
        pytest.param("nonsense", id="no-number"),
    ],
)
async def test_whatever_is_in_redis_it_goes_on(
    redis_server: RedisServer, stores: list[Store], value: str
) -> None:
    """At worst after the time in which it fills."""
    redis_server.cli("set", f"{PREFIX}u", value)
    bucket = SharedBucket("u", SLOW, stores[0])
    taken = await bucket.take(1)
    assert taken.tokens == 1 or 9 < taken.wait_s <= 10


async def test_a_frozen_redis_costs_its_budget_once(
    redis_server: RedisServer, stores: list[Store]
) -> None:
    """Then each replica goes on by itself, with what it has left of its own bucket."""
    first, second = (SharedBucket("u", SLOW, store) for store in stores)
    assert (await first.take(3)).tokens == 3
    redis_server.freeze()
    try:
        times_s = []
        for bucket, tokens in ((first, 2), (second, 4), (second, 1)):
            began_s = time.monotonic()
            assert (await bucket.take(tokens)).tokens == tokens
            times_s.append(time.monotonic() - began_s)
        assert (await first.take(1)).tokens == 0
    finally:
        redis_server.thaw()
    assert max(times_s) < CALL_BUDGET_S + 0.15
    assert times_s[2] < 0.05


async def test_a_redis_that_has_forgotten_all_gives_no_second_burst(
    redis_server: RedisServer, stores: list[Store]
) -> None:
    """To who has had the first one."""
    bucket = SharedBucket("u", SLOW, stores[0])
    assert (await bucket.take(5)).tokens == 5
    redis_server.cli("flushall")
    assert (await bucket.take(1)).tokens == 0
