"""What Redis knows of a question, and who may measure it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator

import pytest
from redis_server import Counted, RedisServer, StartRedis

from gateway.model import Reading, ResultType
from gateway.shared_readings import LEASE_S, Follow, Found, Lead, NoStore, SharedReadings, Wanted
from gateway.storage.store import Store, StoreFault
from gateway.stored import dump

READING = Reading(0.5, ResultType.FLOAT, "0.5", {"warnings": "none"})
NEWER = Reading(0.7, ResultType.FLOAT, "0.7")
ANY = Wanted(reading_age_s=60, under_way_s=math.inf, takes_unclaimed=False)
NAME = "analysis-gateway:1:{question}:reading"
LOCK = "analysis-gateway:1:{question}:lock"


@pytest.fixture
def counted() -> Counted:
    """What the store counts."""
    return Counted()


@pytest.fixture
async def shared(redis_server: RedisServer, counted: Counted) -> AsyncIterator[SharedReadings]:
    """Shared readings on a real Redis."""
    store = Store(redis_server.url, counted)
    yield SharedReadings(store, retention_s=300)
    await store.close()


async def publish(
    shared: SharedReadings, reading: Reading, *, age_s: float = 0, unclaimed_s: float = 0
) -> None:
    """Share a reading of the question."""
    assert await shared.publish(
        "question", reading, age_s=age_s, token="a", unclaimed_s=unclaimed_s
    )


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [
        pytest.param(Wanted(10.5, 0, takes_unclaimed=False), True, id="young-enough"),
        pytest.param(Wanted(9.9, 0, takes_unclaimed=False), False, id="too-old"),
        pytest.param(Wanted(0, 0, takes_unclaimed=False), False, id="no-cache"),
        pytest.param(Wanted(9.9, 0, takes_unclaimed=True), False, id="somebody-has-seen-it"),
    ],
)
async def test_a_reading_is_found_by_its_age(
    shared: SharedReadings, wanted: Wanted, *, is_found: bool
) -> None:
    """Its age is counted by Redis."""
    await publish(shared, READING, age_s=10)
    claim = await shared.claim("question", wanted, token="b")
    if is_found:
        assert isinstance(claim, Found)
        assert (claim.reading, claim.is_unclaimed) == (READING, False)
        assert 10 <= claim.age_s < 10.2
    else:
        assert claim == Lead()


async def test_no_cache_does_not_take_what_was_stored_within_the_same_millisecond(
    shared: SharedReadings,
) -> None:
    """What is not surely younger is older."""
    await publish(shared, READING)
    assert await shared.claim("question", Wanted(0, 0, takes_unclaimed=False), token="b") == Lead()


async def test_an_unclaimed_reading_is_claimed_once(shared: SharedReadings) -> None:
    """By the first who takes it at any age, or by the first whom it serves anyway."""
    anybody = Wanted(1, math.inf, takes_unclaimed=True)
    await publish(shared, READING, age_s=10, unclaimed_s=60)
    first = await shared.claim("question", anybody, token="b")
    second = await shared.claim("question", anybody, token="c")
    await publish(shared, NEWER, age_s=5, unclaimed_s=60)
    third = await shared.claim("question", ANY, token="d")
    fourth = await shared.claim("question", anybody, token="e")
    assert isinstance(first, Found)
    assert first.is_unclaimed
    assert second == Lead()
    assert isinstance(third, Found)
    assert not third.is_unclaimed
    assert isinstance(fourth, Follow)


async def test_a_newer_reading_that_was_seen_is_not_unclaimed(shared: SharedReadings) -> None:
    """What was said of the older one does not hold for it."""
    await publish(shared, READING, age_s=10, unclaimed_s=60)
    await publish(shared, NEWER, age_s=5)
    anybody = Wanted(1, math.inf, takes_unclaimed=True)
    assert await shared.claim("question", anybody, token="b") == Lead()


async def test_one_leads_and_the_others_follow(shared: SharedReadings) -> None:
    """Until the leader gives up, or its measurement is too old for the asker."""
    young = Wanted(1, 0.01, takes_unclaimed=False)
    assert await shared.claim("question", ANY, token="a") == Lead()
    await asyncio.sleep(0.05)
    followed = await shared.claim("question", ANY, token="b")
    assert isinstance(followed, Follow)
    assert 0.04 < followed.under_way_s < 0.2
    assert await shared.claim("question", young, token="c") == Lead()
    # The first one's end is not the second one's.
    await shared.release("question", token="a")
    assert isinstance(await shared.claim("question", ANY, token="d"), Follow)
    await shared.release("question", token="c")
    assert await shared.claim("question", ANY, token="e") == Lead()


async def test_a_lease_is_renewed_while_it_is_held(
    shared: SharedReadings, redis_server: RedisServer
) -> None:
    """And ends soon after its holder does."""
    assert await shared.claim("question", ANY, token="a") == Lead()
    began_s = time.monotonic()
    async with shared.lease("question", lambda: time.monotonic() - began_s, token="a"):
        await asyncio.sleep(LEASE_S + 0.2)
        followed = await shared.claim("question", ANY, token="b")
    assert isinstance(followed, Follow)
    assert LEASE_S < followed.under_way_s < LEASE_S + 0.5
    assert 0 < int(redis_server.cli("pttl", LOCK)) <= LEASE_S * 1000


async def test_a_lease_that_another_has_taken_over_is_left_alone(
    shared: SharedReadings, redis_server: RedisServer
) -> None:
    """An asker who wanted it younger leads now."""
    await shared.claim("question", ANY, token="a")
    async with shared.lease("question", lambda: 0.0, token="a"):
        await shared.claim("question", Wanted(0, 0, takes_unclaimed=False), token="b")
        await asyncio.sleep(0.3)
    assert redis_server.cli("get", LOCK).split()[1] == "b"


async def test_an_older_reading_does_not_replace_a_newer_one(shared: SharedReadings) -> None:
    """Whoever comes last."""
    await publish(shared, NEWER, age_s=1)
    await publish(shared, READING, age_s=2)
    claim = await shared.claim("question", ANY, token="b")
    assert isinstance(claim, Found)
    assert claim.reading == NEWER


async def test_readings_expire_a_little_apart(
    shared: SharedReadings, redis_server: RedisServer
) -> None:
    """Those that were taken together are not measured together again."""
    lives_ms = set()
    for _ in range(20):
        await publish(shared, READING)
        lives_ms.add(int(redis_server.cli("pttl", NAME)))
    assert 269_000 < min(lives_ms) < max(lives_ms) <= 300_000
    assert max(lives_ms) - min(lives_ms) > 3_000


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("no time at all", id="no-time"),
        pytest.param("{now} {{", id="damaged"),
        pytest.param('{now} {{"schema":2,"key":"question"}}', id="another-version"),
        pytest.param('{now} {{"schema":1,"key":"other"}}', id="another-question"),
    ],
)
async def test_an_unreadable_value_is_counted_and_removed(
    shared: SharedReadings, redis_server: RedisServer, counted: Counted, value: str
) -> None:
    """It is as if there were none."""
    redis_server.cli("set", NAME, value.format(now=int(time.time() * 1000)))
    assert await shared.claim("question", ANY, token="b") == Lead()
    assert counted.faults == ["unreadable"]
    assert redis_server.cli("exists", NAME).strip() == "0"


async def test_a_value_of_another_kind_is_no_asker_s_problem(
    shared: SharedReadings, redis_server: RedisServer, counted: Counted
) -> None:
    """Who leads without a lock measures for itself."""
    redis_server.cli("lpush", NAME, "what is this?")
    assert await shared.claim("question", ANY, token="b") == Lead()
    assert not await shared.publish("question", READING, age_s=0, token="b", unclaimed_s=0)
    assert set(counted.faults) == {"rejected"}


async def test_a_reading_from_the_future_is_not_believed(
    shared: SharedReadings, redis_server: RedisServer
) -> None:
    """Redis' clock was set back: nobody knows how old the reading is."""
    ahead_ms = int(time.time() * 1000) + 60_000
    redis_server.cli("set", NAME, f"{ahead_ms} {dump('question', NEWER).decode()}")
    assert await shared.claim("question", ANY, token="b") == Lead()
    await publish(shared, READING)
    claim = await shared.claim("question", ANY, token="b")
    assert isinstance(claim, Found)
    assert claim.reading == READING


async def test_a_redis_that_is_full_still_gives_what_it_has(start_redis: StartRedis) -> None:
    """New readings are not shared, and nobody is worse off than without Redis."""
    server, counted = start_redis(), Counted()
    store = Store(server.url, counted)
    shared = SharedReadings(store, retention_s=300)
    await publish(shared, READING)
    server.cli("config", "set", "maxmemory", "1")
    found = await shared.claim("question", ANY, token="b")
    other = await shared.claim("other", ANY, token="b")
    is_shared = await shared.publish("other", READING, age_s=0, token="b", unclaimed_s=0)
    await store.close()
    assert isinstance(found, Found)
    assert (other, is_shared) == (Lead(), False)
    assert counted.ups_and_downs == ["up"]


async def test_without_a_store_everybody_leads() -> None:
    """As when Redis is away."""
    shared = SharedReadings(NoStore(), retention_s=300)
    NoStore().count(StoreFault.UNREADABLE)
    assert await shared.claim("question", ANY, token="a") == Lead()
    assert not await shared.publish("question", READING, age_s=0, token="a", unclaimed_s=0)
    await shared.release("question", token="a")
