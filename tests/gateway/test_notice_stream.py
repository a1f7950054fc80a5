"""Notices in Redis: what is news, who shares the room, and what is dropped."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis_server import Counted, RedisServer

from gateway.model import Phase
from gateway.notifications import stream as notice_stream
from gateway.notifications.notices import VERDICT_CHANGED, Notice
from gateway.notifications.stream import PHASES, PHASES_AT, RECEIVERS, STREAM, NoticeStream
from gateway.storage.store import Store

FAILED = Notice(
    id="n1",
    type=VERDICT_CHANGED,
    at_unix_s=time.time(),
    namespace="shop",
    templates=("t@sha256:1",),
    label="t",
    phase=Phase.FAILED,
    reason="m: too many",
)
SUCCESSFUL = replace(FAILED, id="n2", phase=Phase.SUCCESSFUL)


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[Store]:
    """A store that is up."""
    made = Store(redis_server.url, Counted())
    await made.start()
    yield made
    await made.close()


async def changes(stream: NoticeStream, notice: Notice, *, age_s: float = 0) -> bool:
    """Whether a verdict is news."""
    return await stream.change(notice, "question", ["a"], age_s=age_s) is not None


@pytest.mark.parametrize(
    "ahead_s", [pytest.param(600, id="ahead"), pytest.param(-600, id="set-back")]
)
async def test_the_clock_of_a_replica_silences_nothing(store: Store, ahead_s: float) -> None:
    """By which of them ever a verdict was given."""
    stream = NoticeStream(store, "me", receivers=1)
    wrong_unix_s = time.time() + ahead_s
    assert await changes(stream, replace(FAILED, at_unix_s=wrong_unix_s))
    assert await changes(stream, replace(SUCCESSFUL, at_unix_s=time.time()))
    assert await changes(stream, replace(FAILED, at_unix_s=wrong_unix_s))


async def test_a_verdict_that_waited_is_older_than_one_that_did_not(store: Store) -> None:
    """What has become known since then stays."""
    stream = NoticeStream(store, "me", receivers=1)
    assert await changes(stream, FAILED)
    assert not await changes(stream, SUCCESSFUL, age_s=5)
    assert await changes(stream, SUCCESSFUL)


async def test_the_clock_of_redis_silences_nothing(store: Store, redis_server: RedisServer) -> None:
    """It was set back, or another server is the master now."""
    stream = NoticeStream(store, "me", receivers=1)
    assert await changes(stream, FAILED)
    redis_server.cli("zadd", PHASES_AT, str(time.time() + 600), "question")
    assert await changes(stream, SUCCESSFUL)


async def test_a_first_success_leaves_nothing(store: Store, redis_server: RedisServer) -> None:
    """Callers choose how many questions there are."""
    stream = NoticeStream(store, "me", receivers=1)
    assert not await changes(stream, SUCCESSFUL)
    assert redis_server.cli("keys", "*").strip() == ""


async def test_no_more_questions_are_remembered(
    store: Store, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was asked longest ago gives way, and so does what a week is over."""
    monkeypatch.setattr(notice_stream, "MAX_QUESTIONS", 2)
    stream = NoticeStream(store, "me", receivers=1)
    for question in ("q1", "q2", "q1", "q3"):
        await stream.change(FAILED, question, ["a"], age_s=0)
    assert set(redis_server.cli("hkeys", PHASES).split()) == {"q1", "q3"}
    assert set(redis_server.cli("zrange", PHASES_AT, "0", "-1").split()) == {"q1", "q3"}
    redis_server.cli("zadd", PHASES_AT, str(time.time() - 8 * 24 * 3600), "q1")
    assert await stream.change(SUCCESSFUL, "q1", ["a"], age_s=0) is None
    assert await stream.change(FAILED, "q3", ["a"], age_s=0) is None
    assert redis_server.cli("hkeys", PHASES).split() == ["q3"]
    assert 0 < int(redis_server.cli("ttl", PHASES)) <= 7 * 24 * 3600
    assert 0 < int(redis_server.cli("ttl", PHASES_AT)) <= 7 * 24 * 3600


async def test_receivers_share_the_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is full takes nothing from another."""
    monkeypatch.setattr(notice_stream, "MAX_OUTSTANDING", 4)
    stream = NoticeStream(store, "me", receivers=2)
    assert [await stream.add(FAILED, ["a"]) for _ in range(3)] == [[], [], ["a"]]
    assert await stream.change(FAILED, "question", ["a", "b"], age_s=0) == ["a"]
    assert len(await stream.take("a", 10)) == 2
    assert [each.notice for each in await stream.take("b", 10)] == [FAILED]


async def test_what_is_for_a_receiver_that_only_others_know(
    store: Store, redis_server: RedisServer
) -> None:
    """It is theirs for a day; then it is dropped, as far as it is over."""
    stream = NoticeStream(store, "me", receivers=1)
    redis_server.cli("xadd", f"{STREAM}newer", "1-0", "notice", "{}")
    await stream.add(FAILED, ["newer", "a"])
    redis_server.cli("sadd", RECEIVERS, "gone")
    redis_server.cli("xadd", f"{STREAM}gone", "1-0", "notice", "{}")
    assert await stream.sweep(["a"]) == 2
    assert await stream.sweep(["a"]) == 0
    assert [each.notice for each in await stream.take("newer", 10)] == [FAILED]
    assert set(redis_server.cli("smembers", RECEIVERS).split()) == {"newer", "a"}
    assert redis_server.cli("exists", f"{STREAM}gone").strip() == "0"
