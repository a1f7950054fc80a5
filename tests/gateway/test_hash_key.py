"""The key that replicas share."""

import hashlib

import pytest
from redis_server import Counted, RedisServer, until

from gateway.hash_key import HashKey
from gateway.questions import KEY_BYTES
from gateway.secrets import Secret
from gateway.storage.store import Store


@pytest.mark.parametrize(
    "text", [pytest.param("", id="empty"), pytest.param("long and equal" * 9, id="long")]
)
async def test_a_chosen_key_needs_no_redis(redis_server: RedisServer, text: str) -> None:
    """Replicas agree because their deployer does."""
    counted = Counted()
    store = Store(redis_server.url, counted)
    redis_server.kill()
    key = await HashKey(Secret(text), store).current()
    await store.close()
    assert key == hashlib.sha256(text.encode()).digest()
    assert counted.faults == []


async def test_replicas_take_the_key_of_the_first(redis_server: RedisServer) -> None:
    """Nobody has to choose one."""
    store = Store(redis_server.url, Counted())
    first, second = HashKey(None, store), HashKey(None, store)
    keys = [await first.current(), await second.current(), await first.current()]
    await store.close()
    assert len(set(keys)) == 1
    assert len(keys[0]) == KEY_BYTES


async def test_a_redis_that_lost_the_key_gets_it_back(redis_server: RedisServer) -> None:
    """Replicas that start later agree with those that run."""
    store = Store(redis_server.url, Counted())
    running = HashKey(None, store)
    key = await running.current()
    redis_server.kill()
    assert await running.current() == key
    redis_server.start()
    await until(lambda: store.state.is_up)
    assert await running.current() == key
    assert await HashKey(None, store).current() == key
    await store.close()


async def test_a_replica_that_started_without_redis_joins_the_others(
    redis_server: RedisServer,
) -> None:
    """Its own key serves until it can see theirs."""
    store = Store(redis_server.url, Counted())
    key = await HashKey(None, store).current()
    late = HashKey(None, store)
    redis_server.freeze()
    own = await late.current()
    assert len(own) == KEY_BYTES
    assert own != key
    redis_server.thaw()
    await until(lambda: store.state.is_up)
    assert await late.current() == key
    await store.close()


async def test_a_key_that_is_none_is_not_used(redis_server: RedisServer) -> None:
    """A short one would be easy to guess."""
    redis_server.cli("set", "analysis-gateway:hash-key", "short")
    store = Store(redis_server.url, Counted())
    key = await HashKey(None, store).current()
    await store.close()
    assert len(key) == KEY_BYTES
