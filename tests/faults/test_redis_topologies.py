"""Sentinels and clusters, for real, and what their failures cost."""

import asyncio
import time

import pytest
from redis_server import Counted, RedisServer, replica_of, until

from gateway.errors import StoreUnavailable
from gateway.model import Reading, ResultType
from gateway.readings import CacheState, Freshness
from gateway.secrets import Secret
from gateway.storage.store import Store

READING = Reading(0.5, ResultType.FLOAT, "0.5")
BY_DEFAULT = Freshness(5, is_explicit=False)


async def measure() -> Reading:
    """A provider that takes no time."""
    return READING


async def test_a_master_that_dies_is_replaced_by_its_sentinels(
    sentinels: tuple[Secret, RedisServer],
) -> None:
    """The store follows them to the new master."""
    url, master = sentinels
    counted = Counted()
    store = Store(url, counted)
    await store.start()
    await store.call(lambda redis: redis.set("question", b"answer"))
    master.kill()
    with pytest.raises(StoreUnavailable):
        await store.call(lambda redis: redis.set("question", b"newer"))
    await until(lambda: store.state.is_up, within_s=20)
    await store.call(lambda redis: redis.set("question", b"newest"))
    answer = await store.call(lambda redis: redis.get("question"))
    await store.close()
    assert (answer, counted.ups_and_downs) == (b"newest", ["up", "down", "up"])


async def test_a_cluster_shares_readings_whatever_their_slot(cluster: list[RedisServer]) -> None:
    """Two replicas that know different nodes measure each question once."""
    urls = [Secret(f"redis+cluster://127.0.0.1:{cluster[number].port}") for number in (0, 2)]
    async with replica_of(urls[0]) as first, replica_of(urls[1]) as second:
        await first.store.start()
        await second.store.start()
        replicas = (first, second)
        answers = await asyncio.gather(
            *(
                replica.readings.read(f"question-{number}", BY_DEFAULT, measure)
                for number in range(30)
                for replica in replicas
            )
        )
        faults = first.counted.faults + second.counted.faults
    states = [answer.cache for answer in answers]
    assert (states.count(CacheState.MISS), faults) == (30, [])
    sizes = [int(node.cli("dbsize")) for node in cluster]
    assert sum(sizes) == 30
    assert all(sizes)


async def test_a_frozen_node_of_a_cluster_costs_one_moment(cluster: list[RedisServer]) -> None:
    """While one node is frozen the circuit is open for all; thawed, the cluster serves again."""
    async with replica_of(Secret(f"redis+cluster://127.0.0.1:{cluster[0].port}")) as replica:
        await replica.store.start()
        cluster[1].freeze()
        started_s = time.monotonic()
        for number in range(20):
            await replica.readings.read(f"question-{number}", BY_DEFAULT, measure)
        took_s = time.monotonic() - started_s
        cluster[1].thaw()
        await until(lambda: replica.store.state.is_up)
        assert took_s < 0.25
        assert replica.counted.ups_and_downs == ["up", "down", "up"]
