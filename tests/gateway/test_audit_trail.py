"""What waits for Redis, and what gives way when too much does."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis_server import Counted, RedisServer
from running import until

from gateway.audit import Call, Entry
from gateway.audit_trail import MAX_WAITING, MAX_WAITING_WITH_REPEATS, STREAM, Trail
from gateway.storage.store import Store


def entry(run: int, *, is_repeat: bool = False) -> Entry:
    """One that can be told from others."""
    return Entry(
        at_unix_s=0, call=Call.VERDICT, caller="token:a", run=str(run), is_repeat=is_repeat
    )


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[Store]:
    """A store that is up."""
    made = Store(redis_server.url, Counted())
    await made.start()
    yield made
    await made.close()


async def written(trail: Trail) -> list[int]:
    """What is in the stream, the oldest first."""
    page = await trail.read(lambda _: True, limit=10_000, cursor=None, since_unix_s=None)
    return [int(each["run"]) for each in reversed(page.entries)]


async def flushed(trail: Trail) -> list[int]:
    """What is in the stream when all has been written that waits."""
    for _ in range(MAX_WAITING // 100 + 1):
        await trail.flush()
    return await written(trail)


async def test_what_redis_did_not_take_comes_later(store: Store, redis_server: RedisServer) -> None:
    """In the order in which it happened, and once."""
    trail = Trail(store, max_entries=10_000)
    redis_server.kill()
    for number in range(3):
        trail.note(entry(number))
    await trail.flush()
    trail.note(entry(3))
    redis_server.start()
    await until(lambda: store.state.is_up)
    assert await flushed(trail) == [0, 1, 2, 3]


async def test_the_oldest_give_way(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """The log says how many are missing."""
    trail = Trail(store, max_entries=10_000)
    for number in range(MAX_WAITING + 5):
        trail.note(entry(number))
    assert await flushed(trail) == list(range(5, MAX_WAITING + 5))
    lost = [vars(each)["lost"] for each in caplog.records if "missing" in each.message]
    assert lost == [5]


async def test_text_that_is_none_is_written_all_the_same(store: Store) -> None:
    """Half of a surrogate pair becomes a question mark, and the rest of the batch stays."""
    trail = Trail(store, max_entries=10_000)
    arguments = {"a\udc80": "\ud800"}
    trail.note(entry(1))
    trail.note(replace(entry(2), arguments=arguments, reason="was \udcff", path="/\udcff"))
    trail.note(entry(3))
    assert await flushed(trail) == [1, 2, 3]
    page = await trail.read(lambda _: True, limit=3, cursor=None, since_unix_s=None)
    found = page.entries[1]
    assert (found["arguments"], found["reason"], found["path"]) == ({"a?": "?"}, "was ?", "/?")


async def test_repeats_push_out_nothing(store: Store) -> None:
    """Whoever polls a kept reading leaves room for what is new."""
    trail = Trail(store, max_entries=10_000)
    for number in range(MAX_WAITING_WITH_REPEATS + 50):
        trail.note(entry(number, is_repeat=True))
    trail.note(entry(1_000))
    assert await flushed(trail) == [*range(MAX_WAITING_WITH_REPEATS), 1_000]


async def test_pages_join(store: Store, redis_server: RedisServer) -> None:
    """Also where a page is longer than what is read at once, and where little is wanted."""
    trail = Trail(store, max_entries=10_000)
    for number in range(900):
        trail.note(entry(number))
    await flushed(trail)
    assert redis_server.cli("xlen", STREAM).strip() == "900"
    found: list[int] = []
    cursor: str | None = None
    while True:
        page = await trail.read(
            lambda each: int(each["run"]) % 3 == 0, limit=90, cursor=cursor, since_unix_s=None
        )
        found += [int(each["run"]) for each in page.entries]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == list(range(897, -1, -3))
