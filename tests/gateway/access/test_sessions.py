"""Sessions in a real Redis: what it holds is worth nothing without the cookie."""

from collections.abc import AsyncIterator

import pytest
from redis_server import Counted, RedisServer

from gateway.access.sessions import MAX_OF_CALLER, SESSION_S, StoredSessions
from gateway.errors import StoreUnavailable
from gateway.store import Store

TOKEN = "token-of-alice-4c7f1e"


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[Store]:
    """The way to it."""
    opened = Store(redis_server.url, Counted())
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
def sessions(store: Store) -> StoredSessions:
    """What is tested."""
    return StoredSessions(store)


async def dump(store: Store) -> dict[bytes, bytes]:
    """All texts that Redis holds, by key."""
    keys = await store.call(lambda redis: redis.keys("*"))
    texts = [key for key in keys if b":of:" not in key]
    return {key: await store.call(lambda redis, key=key: redis.get(key)) for key in texts}


async def test_a_session_stands_for_its_token_until_it_ends(sessions: StoredSessions) -> None:
    """Another one for the same token is another one."""
    first = await sessions.open(TOKEN, "token:alice")
    second = await sessions.open(TOKEN, "token:alice")
    assert first != second
    await sessions.close(first)
    assert await sessions.token_of(first) is None
    assert await sessions.token_of(second) == TOKEN


async def test_sessions_that_are_over_do_not_count(sessions: StoredSessions) -> None:
    """Who signs in and out again and again ends none of the others."""
    lasting = await sessions.open(TOKEN, "token:alice")
    for _ in range(MAX_OF_CALLER):
        await sessions.close(await sessions.open(TOKEN, "token:alice"))
    assert await sessions.token_of(lasting) == TOKEN


async def test_redis_cannot_use_what_it_holds(store: Store, sessions: StoredSessions) -> None:
    """Neither the token nor the cookie is in it, and it forgets both."""
    cookie = await sessions.open(TOKEN, "token:alice")
    kept = await dump(store)
    whole = b"".join([*kept, *kept.values()])
    assert TOKEN.encode() not in whole
    assert cookie.encode() not in whole
    assert b"alice" not in whole
    for key in await store.call(lambda redis: redis.keys("*")):
        ttl = await store.call(lambda redis, key=key: redis.ttl(key))
        assert SESSION_S - 5 < ttl <= SESSION_S


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param("", id="empty"),
        pytest.param("wrong", id="made-up"),
        pytest.param("\udcff" * 20, id="no-text"),
        pytest.param("x" * 100_000, id="long"),
    ],
)
async def test_a_cookie_that_is_none_stands_for_nothing(
    sessions: StoredSessions, cookie: str
) -> None:
    """Whatever it is."""
    assert await sessions.token_of(cookie) is None


@pytest.mark.parametrize("damage", [b"", b"nonsense", TOKEN.encode()])
async def test_what_somebody_else_has_put_there_is_no_token(
    store: Store, sessions: StoredSessions, damage: bytes
) -> None:
    """Who can write to Redis cannot choose whose session a cookie is."""
    cookie = await sessions.open(TOKEN, "token:alice")
    (key,) = await dump(store)
    await store.call(lambda redis: redis.set(key, damage))
    assert await sessions.token_of(cookie) is None


async def test_who_has_signed_in_is_not_known_while_redis_is_away(
    redis_server: RedisServer, sessions: StoredSessions
) -> None:
    """Nobody is let in, and nobody is told that the session is over."""
    cookie = await sessions.open(TOKEN, "token:alice")
    redis_server.kill()
    with pytest.raises(StoreUnavailable):
        await sessions.token_of(cookie)
