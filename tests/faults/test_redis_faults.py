"""What a Redis that is frozen, dead, replaced or cut off costs: little, and only once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
import uvloop
from redis_server import RedisServer, Replica, replica_of, until

from gateway.model import Reading, ResultType
from gateway.readings import CacheState, Freshness

READING = Reading(0.5, ResultType.FLOAT, "0.5")
BY_DEFAULT = Freshness(5, is_explicit=False)
FIRST_FAILURE_S = 0.25
"""The most that a Redis in trouble may add to one verdict."""
TRIES = 3
"""A busy machine only ever adds to a time: the best try counts."""
NOTHING_S = 0.1
"""What it may add to those that follow; room for a busy machine."""


@pytest.fixture
async def replica(redis_server: RedisServer) -> AsyncIterator[Replica]:
    """A replica that has used its Redis."""
    async with replica_of(redis_server.url) as replica:
        await replica.store.start()
        await replica.readings.read("before", BY_DEFAULT, measure_at_once)
        await replica.readings.drain(1)
        yield replica


async def measure_at_once() -> Reading:
    """A provider that takes no time."""
    return READING


async def took_s(*reads: object) -> float:
    """How long awaitables take together."""
    started_s = time.monotonic()
    await asyncio.gather(*reads)  # type: ignore[arg-type]
    return time.monotonic() - started_s


async def read_in_turn(replica: Replica, name: str) -> None:
    """A verdict that reads three metrics one after the other."""
    for number in range(3):
        await replica.readings.read(f"{name}-{number}", BY_DEFAULT, measure_at_once)


async def read_later(replica: Replica, name: str, after_s: float) -> None:
    """A metric that is read a moment later than its neighbours."""
    await asyncio.sleep(after_s)
    await replica.readings.read(name, BY_DEFAULT, measure_at_once)


async def test_a_frozen_redis_costs_the_first_verdict_a_moment_and_the_next_nothing(
    redis_server: RedisServer, replica: Replica
) -> None:
    """However many metrics a verdict reads in turn, it pays for one failure."""
    tries = []
    for number in range(TRIES):
        redis_server.freeze()
        first_s = await took_s(read_in_turn(replica, f"first-{number}"))
        next_s = await took_s(read_in_turn(replica, f"next-{number}"))
        tries.append((first_s, next_s))
        details = replica.store.details()
        redis_server.thaw()
        await until(lambda: replica.store.state.is_up)
    assert min(first_s for first_s, _ in tries) < FIRST_FAILURE_S
    assert all(first_s > 0.1 for first_s, _ in tries)
    assert min(next_s for _, next_s in tries) < NOTHING_S
    assert (details["state"], details["lastError"]) == ("down", "timeout")
    assert set(replica.counted.faults) == {"timeout", "circuit_open"}


async def test_metrics_read_side_by_side_do_not_pay_one_after_the_other(
    redis_server: RedisServer, replica: Replica
) -> None:
    """Calls that began later fail with the first one, not each after a budget of its own."""
    tries = []
    for number in range(TRIES):
        redis_server.freeze()
        moments_s = (0, 0.05, 0.1, 0.14)
        late = [read_later(replica, f"{number}-{after_s}", after_s) for after_s in moments_s]
        tries.append(await took_s(*late))
        redis_server.thaw()
        await until(lambda: replica.store.state.is_up)
    # On its own, the last one would end after 0.14 s and the budget of 0.15 s.
    assert min(tries) < 0.2


async def test_probes_cost_no_verdict_time(redis_server: RedisServer, replica: Replica) -> None:
    """While Redis is probed in the background, verdicts are as quick as without it."""
    redis_server.freeze()
    await read_in_turn(replica, "first")
    slowest_s = 0.0
    for number in range(20):
        slowest_s = max(slowest_s, await took_s(read_in_turn(replica, f"next-{number}")))
        await asyncio.sleep(0.02)
    assert slowest_s < NOTHING_S


async def test_a_thawed_redis_is_used_again(redis_server: RedisServer, replica: Replica) -> None:
    """The probe notices, and readings are shared again."""
    redis_server.freeze()
    await read_in_turn(replica, "first")
    redis_server.thaw()
    await until(lambda: replica.store.state.is_up)
    await replica.readings.read("after", BY_DEFAULT, measure_at_once)
    await replica.readings.drain(1)
    async with replica_of(redis_server.url) as other:
        answer = await other.readings.read("after", BY_DEFAULT, measure_at_once)
    assert answer.cache is CacheState.HIT
    assert replica.counted.ups_and_downs == ["up", "down", "up"]


async def test_a_killed_redis_costs_nothing_and_a_new_one_is_used(
    redis_server: RedisServer, replica: Replica
) -> None:
    """A refused connection is known at once; a restarted Redis knows no scripts and no keys."""
    redis_server.kill()
    assert await took_s(read_in_turn(replica, "first")) < NOTHING_S
    assert replica.store.details()["lastError"] == "unreachable"
    redis_server.start()
    await until(lambda: replica.store.state.is_up)
    await replica.readings.read("after", BY_DEFAULT, measure_at_once)
    await replica.readings.drain(1)
    assert redis_server.cli("dbsize").strip() == "1"


async def test_a_redis_that_freezes_while_another_replica_measures_is_not_waited_for(
    redis_server: RedisServer, replica: Replica
) -> None:
    """The follower measures for itself as soon as it cannot see the leader any more."""
    is_free = asyncio.Event()

    async def measure_when_free() -> Reading:
        await is_free.wait()
        return READING

    async with replica_of(redis_server.url) as follower:
        leading = asyncio.create_task(replica.readings.read("q", BY_DEFAULT, measure_when_free))
        await until(lambda: replica.counted.in_flight == 1)
        following = asyncio.create_task(follower.readings.read("q", BY_DEFAULT, measure_at_once))
        await asyncio.sleep(0.1)
        assert not following.done()
        redis_server.freeze()
        started_s = time.monotonic()
        answer = await following
        assert time.monotonic() - started_s < FIRST_FAILURE_S
        assert answer.cache is CacheState.MISS
        is_free.set()
        assert (await leading).cache is CacheState.MISS


async def test_the_lease_of_a_running_measurement_survives_the_loss_of_all_keys(
    redis_server: RedisServer, replica: Replica
) -> None:
    """After a restart without its data Redis learns again who measures what."""
    is_free = asyncio.Event()

    async def measure_when_free() -> Reading:
        await is_free.wait()
        return READING

    leading = asyncio.create_task(replica.readings.read("q", BY_DEFAULT, measure_when_free))
    await until(lambda: replica.counted.in_flight == 1)
    redis_server.cli("flushall")
    await until(lambda: redis_server.cli("dbsize").strip() == "1")
    async with replica_of(redis_server.url) as follower:
        following = asyncio.create_task(follower.readings.read("q", BY_DEFAULT, measure_at_once))
        await asyncio.sleep(0.05)
        is_free.set()
        states = {(await leading).cache, (await following).cache}
    assert states == {CacheState.MISS, CacheState.COALESCED}


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_gateway_that_stalls_does_not_blame_redis(
    redis_server: RedisServer, run: Callable[[Coroutine[object, object, None]], None]
) -> None:
    """An answer that came in time is taken, even if this process was late to read it."""

    async def stall() -> None:
        async with replica_of(redis_server.url) as replica:
            await replica.store.start()
            call = asyncio.create_task(replica.store.call(lambda redis: redis.ping()))
            for _ in range(5):
                await asyncio.sleep(0)
            time.sleep(0.3)  # noqa: ASYNC251 # this is the stall
            await call
            assert (replica.counted.faults, replica.store.state.is_up) == ([], True)

    run(stall())


async def test_without_redis_readings_are_kept_in_the_process(
    redis_server: RedisServer, replica: Replica
) -> None:
    """One process goes on measuring once for all of its own askers."""
    redis_server.kill()
    answers = await asyncio.gather(
        *(replica.readings.read("q", BY_DEFAULT, measure_at_once) for _ in range(50))
    )
    states = [answer.cache for answer in answers]
    again = await replica.readings.read("q", BY_DEFAULT, measure_at_once)
    assert (states.count(CacheState.MISS), states.count(CacheState.COALESCED)) == (1, 49)
    assert again.cache is CacheState.HIT
