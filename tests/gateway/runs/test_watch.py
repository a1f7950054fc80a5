"""Watchers of runs in a real Redis."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest
from kept_runs import CREATED_AT, ended, event, finish, new_run, running, store_on
from redis_server import RedisServer, until

from gateway.errors import RunNotFound, StoreUnavailable
from gateway.model import Phase
from gateway.runs.store import Run, RunStore
from gateway.runs.watch import POLL_S, Events, News, Watch


class CountingStore:
    """The store, with the number of questions; each kind can be made to fail a few times."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.asked: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.answers = asyncio.Event()
        """Set unless answers about events are to come late."""
        self.answers.set()

    async def load(self, run_id: str) -> Run:
        """A run."""
        self._count("load")
        return await self.store.load(run_id)

    async def events(self, run_id: str, after: str | None) -> Events:
        """What happened."""
        self._count("events")
        events = await self.store.events(run_id, after)
        await self.answers.wait()
        return events

    async def versions(self, run_ids: Sequence[str]) -> Mapping[str, int | None]:
        """How far the runs are."""
        self._count("versions")
        return await self.store.versions(run_ids)

    def _count(self, kind: str) -> None:
        self.asked[kind] += 1
        if self.failures[kind]:
            self.failures[kind] -= 1
            raise StoreUnavailable("Redis cannot be reached")


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[CountingStore]:
    """A store on a Redis of its own, with run ``a``."""
    async with store_on(redis_server) as kept:
        await kept.create(new_run("a"), None)
        yield CountingStore(kept)


@pytest.fixture
async def watch(store: CountingStore) -> AsyncIterator[Watch]:
    """Watches the runs of the store."""
    watching = Watch(store)
    yield watching
    await watching.close()


def stays() -> bool:
    """A caller who has not gone."""
    return False


async def waiter(watch: Watch, run_id: str = "a", *, wait_s: float = 10) -> Run:
    """One who waits for the end of a run."""
    run = await watch.store.load(run_id)
    return await watch.until_ended(run, wait_s=wait_s, is_abandoned=stays)


async def test_all_hear_of_the_end_for_one_question_at_a_time(
    store: CountingStore, watch: Watch
) -> None:
    """A hundred on one run and one on each of fifty others; news are read once for all."""
    others = [f"b{number}" for number in range(50)]
    for run_id in others:
        await store.store.create(new_run(run_id), None)
    waiting = [asyncio.create_task(waiter(watch)) for _ in range(100)]
    waiting += [asyncio.create_task(waiter(watch, run_id)) for run_id in others]
    await until(lambda: store.asked["versions"] >= 1)
    store.asked.clear()
    began_s = time.monotonic()
    await store.store.save("a", version=0, status=running(1), events=())
    await until(lambda: store.asked["load"] >= 1)
    await finish(store.store, "a", ended(), version=1)
    for run_id in others:
        await finish(store.store, run_id, ended(Phase.FAILED))
    runs = await asyncio.gather(*waiting)
    took_s = time.monotonic() - began_s
    phases = Counter(run.status.phase for run in runs)
    assert phases == {Phase.SUCCESSFUL: 100, Phase.FAILED: 50}
    assert store.asked["load"] == 1 + 1 + 50
    assert store.asked["versions"] <= took_s / POLL_S + 1
    assert took_s < 5


async def test_who_waits_in_vain_gets_the_run_as_it_stands(
    store: CountingStore, watch: Watch
) -> None:
    """When the time is over, however short it is."""
    await store.store.save("a", version=0, status=running(3), events=())
    began_s = time.monotonic()
    assert (await waiter(watch, wait_s=0.4)).status == running(3)
    assert 0.4 <= time.monotonic() - began_s < 2
    assert (await waiter(watch, wait_s=0)).status == running(3)


async def test_who_comes_after_the_end_does_not_wait(store: CountingStore, watch: Watch) -> None:
    """Nor is anything asked."""
    await finish(store.store, "a", ended())
    assert (await waiter(watch)).status == ended()
    assert store.asked == {"load": 1}


async def test_a_run_that_is_deleted_ends_the_wait(store: CountingStore, watch: Watch) -> None:
    """It is told that there is none."""
    run = await watch.store.load("a")
    await finish(store.store, "a", ended())
    await store.store.delete("a", CREATED_AT)
    with pytest.raises(RunNotFound):
        await watch.until_ended(run, wait_s=10, is_abandoned=stays)


async def test_who_leaves_frees_everything(store: CountingStore, watch: Watch) -> None:
    """A caller who hangs up, and one who is cancelled; then nothing is asked any more."""
    run = await watch.store.load("a")
    gone: list[int] = []
    abandoned = asyncio.create_task(
        watch.until_ended(run, wait_s=60, is_abandoned=lambda: bool(gone))
    )
    cancelled = asyncio.create_task(waiter(watch, wait_s=60))
    await until(lambda: store.asked["versions"] >= 1)
    gone.append(1)
    cancelled.cancel()
    assert await abandoned == run
    await asyncio.wait({cancelled})
    assert watch._runs == {}
    polling = watch._polling
    assert polling is not None
    await until(polling.done)
    store.asked.clear()
    await finish(store.store, "a", ended())
    assert (await waiter(watch)).status == ended()
    assert store.asked["versions"] == 0


async def test_the_end_of_the_process_ends_all_waits(store: CountingStore, watch: Watch) -> None:
    """As if their time were over; and nobody begins to wait."""
    waiting = [asyncio.create_task(waiter(watch, wait_s=60)) for _ in range(10)]
    await until(lambda: store.asked["versions"] >= 1)
    await watch.close()
    async with asyncio.timeout(1):
        assert {run.version for run in await asyncio.gather(*waiting)} == {0}
        assert (await waiter(watch, wait_s=60)).version == 0
    await watch.close()


async def test_an_outage_of_redis_is_waited_out(
    store: CountingStore, watch: Watch, redis_server: RedisServer
) -> None:
    """Whose time is over meanwhile is told why; the others hear of the end after it."""
    patient = asyncio.create_task(waiter(watch, wait_s=30))
    hasty = asyncio.create_task(waiter(watch, wait_s=0.6))
    await until(lambda: store.asked["versions"] >= 1)
    redis_server.freeze()
    with pytest.raises(StoreUnavailable, match="Redis did not answer within 2 s"):
        await hasty
    redis_server.thaw()
    await finish(store.store, "a", ended())
    assert (await patient).status == ended()


async def test_news_that_cannot_be_read_at_first_are_read_later(
    store: CountingStore, watch: Watch
) -> None:
    """Redis may go away just between the two questions."""
    store.failures["load"] = 0
    waiting = asyncio.create_task(waiter(watch))
    await until(lambda: store.asked["versions"] >= 1)
    store.failures["load"] = 3
    await finish(store.store, "a", ended())
    assert (await waiting).status == ended()
    assert store.asked["load"] == 1 + 3 + 1


async def test_a_run_that_only_its_version_is_gone_of_is_no_busy_loop(
    store: CountingStore, watch: Watch, redis_server: RedisServer
) -> None:
    """It is read once, and waited for as long as was wished."""
    redis_server.cli("hdel", "analysis-gateway:{runs}:versions", "a")
    assert (await waiter(watch, wait_s=1)).version == 0
    assert store.asked["load"] <= 3
    run = await watch.store.load("a")
    with watch.join(run, is_abandoned=stays) as watcher:
        assert await watcher.news(5) is News.CHANGED
        await watcher.events(None)
        assert await watcher.news(0.6) is News.NONE


async def test_events_are_read_once_for_all_who_want_the_same(
    store: CountingStore, watch: Watch
) -> None:
    """Who is elsewhere in the stream reads on its own; nothing is told twice."""
    run = await watch.store.load("a")
    with (
        watch.join(run, is_abandoned=stays) as one,
        watch.join(run, is_abandoned=stays) as two,
        watch.join(run, is_abandoned=stays) as late,
    ):
        await store.store.save("a", version=0, status=running(1), events=[event(1), event(2)])
        assert [await each.news(5) for each in (one, two, late)] == [News.CHANGED] * 3
        read = await asyncio.gather(one.events(None), two.events(None), late.events("1-1"))
        assert await one.news(0) is News.NONE
    both = ((("1-1", event(1)), ("1-2", event(2))), False)
    assert read == [both, both, ((("1-2", event(2)),), False)]
    assert store.asked["events"] == 2


async def test_an_answer_from_before_the_news_is_for_nobody_who_knows_them(
    store: CountingStore, watch: Watch
) -> None:
    """Who asked before hears of them as well, a moment later."""
    run = await watch.store.load("a")
    with (
        watch.join(run, is_abandoned=stays) as early,
        watch.join(run, is_abandoned=stays) as late,
    ):
        store.answers.clear()
        before = asyncio.create_task(early.events(None))
        await until(lambda: store.asked["events"] == 1)
        # A turn of Redis later its answer is on the way.
        await store.store.load("a")
        await store.store.save("a", version=0, status=running(1), events=[event(1)])
        assert await late.news(5) is News.CHANGED
        after = asyncio.create_task(late.events(None))
        await until(lambda: store.asked["events"] == 2)
        store.answers.set()
        assert [await before, await after] == [((), False), ((("1-1", event(1)),), False)]
        assert await early.news(5) is News.CHANGED
        assert await early.events(None) == ((("1-1", event(1)),), False)


async def test_a_reader_who_leaves_takes_nothing_from_the_others(
    store: CountingStore, watch: Watch
) -> None:
    """The answer that they share comes; a failure that nobody waits for any more is dropped."""
    readers = [asyncio.create_task(watch.load("a", 0)) for _ in range(2)]
    await asyncio.sleep(0)
    readers[0].cancel()
    assert (await readers[1]).id == "a"
    store.failures["load"] = 1
    failing = asyncio.create_task(watch.load("a", 0))
    await asyncio.sleep(0)
    failing.cancel()
    await asyncio.wait({failing})
    await until(lambda: not watch._loads)
