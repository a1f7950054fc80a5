"""A Redis that is away, forgetful, restarted or full."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from kept_runs import CREATED_AT, ended, event, finish, new_run, running, store_on
from redis_server import RedisServer, StartRedis, until

from gateway.errors import StoreUnavailable
from gateway.runs.store import Created, Filter, Idempotency, RunStore, Saved

ONCE = Idempotency("key-of-a-caller", "digest")
PREFIX = "analysis-gateway:{runs}:"


@pytest.mark.parametrize(
    ("hurt", "sentence", "within_s"),
    [
        pytest.param(RedisServer.freeze, "Redis did not answer within 2 s", 3.0, id="frozen"),
        pytest.param(RedisServer.kill, "Redis cannot be reached", 1.5, id="dead"),
    ],
)
async def test_a_redis_that_is_away_is_a_failure_in_time(
    redis_server: RedisServer,
    store: RunStore,
    hurt: Callable[[RedisServer], None],
    sentence: str,
    within_s: float,
) -> None:
    """Whatever was asked for, and by however many."""
    await store.create(new_run("a"), None)
    hurt(redis_server)
    started_s = time.monotonic()
    calls: list[Awaitable[object]] = [
        store.create(new_run("b"), None),
        store.state("a"),
        store.list(Filter(), limit=9, cursor=None),
        store.live_ids(),
        *(finish(store, "a", running(1)) for _ in range(100)),
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    took_s = time.monotonic() - started_s
    assert {(type(each), str(each)) for each in outcomes} == {(StoreUnavailable, sentence)}
    assert took_s < within_s


async def test_a_save_that_timed_out_and_was_carried_out_is_recorded_once(
    redis_server: RedisServer, store: RunStore
) -> None:
    """Its repeat succeeds."""
    await store.create(new_run("a"), None)
    await store.save("a", version=0, status=running(1), events=[event(1)])
    redis_server.freeze()
    with pytest.raises(StoreUnavailable):
        await store.save("a", version=1, status=running(2), events=[event(2)])
    redis_server.thaw()
    await until(lambda: redis_server.cli("hget", f"{PREFIX}versions", "a") == "2 Running\n")
    saved = await store.save("a", version=1, status=running(2), events=[event(2)])
    events, _ = await store.events("a", None)
    assert saved == Saved(is_terminated=False)
    assert events == (("1-1", event(1)), ("2-1", event(2)))
    assert await store.versions(["a"]) == {"a": 2}


async def test_scripts_that_redis_forgot_are_sent_again(
    redis_server: RedisServer, store: RunStore
) -> None:
    """As after a restart or a failover."""
    await store.create(new_run("a"), None)
    redis_server.cli("script", "flush")
    await store.create(new_run("b"), None)
    assert await store.live_ids() == ("a", "b")


async def test_what_was_acknowledged_outlives_a_redis_that_dies(start_redis: StartRedis) -> None:
    """If it writes down what it does; a client finds it again by itself."""
    server = start_redis("--appendonly", "yes")
    async with store_on(server) as store:
        await store.create(new_run("a"), ONCE)
        await store.save("a", version=0, status=running(1), events=[event(1)])
        before = await store.load("a")
        server.kill()
        with pytest.raises(StoreUnavailable):
            await store.state("a")
        server.start()
        await until(lambda: "loading:0" in server.cli("info", "persistence"))
        assert await store.load("a") == before
        assert (await store.events("a", None))[0] == (("1-1", event(1)),)
        assert await store.create(new_run("b"), ONCE) == Created("a", is_new=False)
        await store.save("a", version=1, status=running(2), events=())


async def test_a_full_redis_refuses_the_whole_and_still_deletes(
    redis_server: RedisServer, store: RunStore
) -> None:
    """No part of a run is left behind, and deleting makes room."""
    await store.create(new_run("a"), None)
    await store.create(new_run("b"), None)
    await finish(store, "b", ended())
    before = sorted(redis_server.cli("keys", "*").split())
    redis_server.cli("config", "set", "maxmemory", "1")
    refused: list[Awaitable[object]] = [
        store.create(new_run("c"), ONCE),
        store.save("a", version=0, status=running(1), events=[event(1)]),
        store.terminate("a"),
    ]
    outcomes = await asyncio.gather(*refused, return_exceptions=True)
    sentence = "Redis is full: it takes nothing in before its maxmemory is raised"
    assert {(type(each), str(each)) for each in outcomes} == {(StoreUnavailable, sentence)}
    assert sorted(redis_server.cli("keys", "*").split()) == before
    await store.delete("b", CREATED_AT)
    assert await store.live_ids() == ("a",)
    redis_server.cli("config", "set", "maxmemory", "0")
    await store.save("a", version=0, status=running(1), events=[event(1)])
    assert await store.versions(["a", "b", "c"]) == {"a": 1, "b": None, "c": None}


@pytest.mark.alone
async def test_more_calls_than_connections_wait_for_their_turn(store: RunStore) -> None:
    """A client that allows for as many as the store needs refuses none."""
    ids = [f"{number:03}" for number in range(200)]
    await asyncio.gather(*(store.create(new_run(each), None) for each in ids))
    assert await store.live_ids() == tuple(ids)
