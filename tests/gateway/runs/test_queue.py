"""Which run is due, who has it, and what becomes of it when somebody is gone."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis_server import RedisServer, until
from saq import Job, Status

from gateway.errors import StoreUnavailable
from gateway.runs.queue import LEASE_S, NAME, OUTAGE_S, RETRY_S, RunQueue
from gateway.secrets import Secret
from gateway.storage.client import Patience, connect

PATIENCE = Patience(socket_timeout_s=10, max_connections=32, retries=1)
WORKERS = f"saq:{NAME}:workers"
SOON_S = 0.4
"""Longer than it takes to see what is due."""


class Member:
    """A replica's queue, and who calls it."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.queue = RunQueue(redis)

    async def take(self, *, within_s: float = 5.0) -> Job:
        """The next job."""
        async with asyncio.timeout(within_s):
            job = await self.queue.dequeue()
        assert job is not None
        return job

    async def take_now(self) -> Job:
        """The next job, for a member that does not serve."""
        waiting = asyncio.create_task(self.take())
        await asyncio.sleep(0)
        await self.roll_call()
        await self.queue._take_turn()
        return await waiting

    async def finds_nothing(self) -> bool:
        """Whether no job is due soon."""
        try:
            job = await self.take(within_s=SOON_S)
        except TimeoutError:
            return True
        raise AssertionError(f"{job.key} was due")

    async def finish(self, job: Job, due_unix_s: float | None) -> None:
        """End a step as SAQ's worker does."""
        await job.finish(Status.COMPLETE, result=due_unix_s)

    async def counts(self) -> tuple[int, int, int]:
        """How many runs are due, in hand, and there at all."""
        return (
            await self.queue.count("queued"),
            await self.queue.count("active"),
            await self.queue.count("incomplete"),
        )

    async def silent_for(self, seconds: float, *others: "Member") -> None:
        """Let Redis believe that nothing was heard of these members for a time."""
        for member in (self, *others):
            await self.redis.zincrby(WORKERS, -seconds, member.queue.worker_id)

    async def roll_call(self) -> None:
        """Call the roll ahead of time."""
        await self.queue._answer_roll_call()


@asynccontextmanager
async def member_of(url: Secret) -> AsyncIterator[Member]:
    """A member that serves its workers until it is left."""
    client = connect(url, PATIENCE)
    member = Member(client.commands)
    serving = asyncio.create_task(member.queue.serve())
    try:
        yield member
    finally:
        serving.cancel()
        await asyncio.wait({serving})
        await client.close()


Joined = AbstractAsyncContextManager[Member]
Join = Callable[[], Joined]


@pytest.fixture
def join(redis_server: RedisServer) -> Join:
    """A member on the test's Redis."""
    return lambda: member_of(redis_server.url)


@pytest.fixture
async def member(join: Join) -> AsyncIterator[Member]:
    """One member."""
    async with join() as joined:
        yield joined


@pytest.fixture
async def still(redis_server: RedisServer) -> AsyncIterator[Member]:
    """A member that does nothing unless it is told to, and whose workers are known to Redis."""
    client = connect(redis_server.url, PATIENCE)
    member = Member(client.commands)
    await member.roll_call()
    yield member
    await client.close()


async def test_a_run_is_due_from_when_it_is_put_until_it_ends(member: Member) -> None:
    """Between two steps it waits; ended, it leaves nothing behind."""
    await member.queue.put("run")
    first = await member.take()
    assert await member.counts() == (0, 1, 1)
    due_unix_s = time.time() + SOON_S + 0.2
    await member.finish(first, due_unix_s)
    assert await member.finds_nothing()
    second = await member.take()
    assert (first.key, second.key) == ("run", "run")
    assert second.meta["due_unix_s"] == pytest.approx(due_unix_s)
    assert time.time() >= due_unix_s
    await member.finish(second, None)
    assert await member.finds_nothing()
    assert await member.redis.keys() == [WORKERS.encode()]


async def test_a_run_that_is_put_for_later_waits(member: Member) -> None:
    """It is there, and not due."""
    await member.queue.put("run", due_unix_s=time.time() + 60)
    assert await member.finds_nothing()
    assert await member.counts() == (0, 0, 1)


async def test_a_run_that_is_put_again_has_one_job(member: Member) -> None:
    """Neither waiting nor in hand it gets a second one, and its time stays."""
    await member.queue.put("run")
    await member.queue.put("run")
    job = await member.take()
    await member.queue.put("run")
    assert await member.finds_nothing()
    await member.finish(job, time.time() + 60)
    await member.queue.put("run")
    assert await member.finds_nothing()
    assert await member.counts() == (0, 0, 1)


async def test_the_run_that_has_waited_longest_is_taken_first(member: Member) -> None:
    """Whatever the order in which they came."""
    now = time.time()
    await asyncio.gather(
        *(
            member.queue.put(run_id, due_unix_s=now + 0.3 + delay_s)
            for run_id, delay_s in (("third", 0.03), ("first", 0.01), ("second", 0.02))
        )
    )
    await asyncio.sleep(0.4)
    assert [(await member.take()).key for _ in range(3)] == ["first", "second", "third"]


async def test_a_run_that_is_woken_is_due_now(member: Member) -> None:
    """Its next step does not wait for its time."""
    await member.queue.put("run", due_unix_s=time.time() + 60)
    await member.queue.wake("run")
    job = await member.take()
    assert job.meta["due_unix_s"] == pytest.approx(time.time(), abs=1)


async def test_a_run_that_is_woken_during_a_step_is_due_right_after_it(member: Member) -> None:
    """Once, however often it was woken; the step after that has its time again."""
    await member.queue.put("run")
    job = await member.take()
    await member.queue.wake("run")
    await member.queue.wake("run")
    assert await member.finds_nothing()
    await member.finish(job, time.time() + 60)
    again = await member.take()
    await member.finish(again, time.time() + 60)
    assert await member.finds_nothing()


async def test_waking_what_is_due_or_gone_changes_nothing(member: Member) -> None:
    """A run without a job gets none, and one that is due already is not due twice."""
    await member.queue.wake("gone")
    assert await member.counts() == (0, 0, 0)
    await member.queue.put("run")
    await member.queue.wake("run")
    await member.finish(await member.take(), None)
    assert await member.finds_nothing()
    assert await member.counts() == (0, 0, 0)


async def test_runs_without_a_job_are_missing(member: Member) -> None:
    """Those that wait or are in hand are not; more are asked for than fit one call."""
    await member.queue.put("in hand")
    await member.take()
    await member.queue.put("waiting", due_unix_s=time.time() + 60)
    lost = [f"lost {number}" for number in range(1_500)]
    assert await member.queue.missing(["in hand", *lost, "waiting"]) == lost


async def test_no_failure_ends_a_run(member: Member) -> None:
    """What SAQ counts as failed or to be tried again goes back into the queue."""
    await member.queue.put("run")
    job = await member.take()
    await job.finish(Status.FAILED, error="it broke")
    job = await member.take()
    await job.retry("cancelled")
    assert (await member.take()).key == "run"


async def test_a_job_for_one_who_has_gone_meanwhile_goes_back(still: Member) -> None:
    """He went while the answer of Redis was under way."""
    await still.queue.put("run")
    gone = asyncio.create_task(still.queue.dequeue())
    await asyncio.sleep(0)
    turn = asyncio.create_task(still.queue._take_turn())
    await asyncio.sleep(0)
    gone.cancel()
    await turn
    assert await still.counts() == (0, 1, 1)
    await still.queue._take_turn()
    assert await still.counts() == (1, 0, 1)


async def test_a_closed_queue_gives_nothing(member: Member) -> None:
    """Neither to those who wait nor to those who come."""
    waiting = asyncio.create_task(member.queue.dequeue())
    await asyncio.sleep(0.05)
    member.queue.close()
    assert (await waiting, await member.queue.dequeue()) == (None, None)


async def test_who_leaves_gives_back_what_is_in_hand(join: Join, still: Member) -> None:
    """Others have it at once."""
    await still.queue.put("run")
    await still.take_now()
    async with join() as other:
        assert await other.finds_nothing()
        await still.queue.leave()
        assert (await other.take(within_s=1)).key == "run"


async def test_the_runs_of_the_dead_are_taken_up(join: Join, still: Member) -> None:
    """Another has them, and what the dead says when he turns out to live is not heard."""
    await still.queue.put("run")
    first = await still.take_now()
    async with join() as other:
        assert await other.finds_nothing()
        await still.silent_for(LEASE_S + 0.1)
        second = await other.take()
        assert second.key == first.key
        await still.finish(first, None)
        await still.queue._take_turn()
        assert await still.counts() == (0, 1, 1)
        await other.finish(second, time.time() + 60)
        assert await other.finds_nothing()
        assert await other.counts() == (0, 0, 1)


async def test_who_was_thought_dead_takes_nothing_before_he_is_back(still: Member) -> None:
    """What he took would be taken from him while he is at work on it."""
    await still.queue.put("run")
    await still.redis.delete(WORKERS)
    waiting = asyncio.create_task(still.queue.dequeue())
    await asyncio.sleep(0)
    await still.queue._take_turn()
    assert await still.counts() == (1, 0, 1)
    await still.roll_call()
    await still.queue._take_turn()
    job = await waiting
    assert job is not None
    assert job.key == "run"


async def test_an_outage_of_redis_is_nobodys_death(join: Join, still: Member) -> None:
    """A silence of all is held against none; silence after it counts again."""
    await still.queue.put("run")
    await still.take_now()
    async with join() as other:
        await other.roll_call()
        await still.silent_for(3_600, other)
        await other.roll_call()
        assert await other.finds_nothing()
        await still.silent_for(LEASE_S + 0.1)
        assert (await other.take()).key == "run"


async def test_a_clock_of_redis_that_is_set_back_keeps_no_dead_alive(
    join: Join, still: Member
) -> None:
    """What was heard in the future was heard just now."""
    await still.queue.put("run")
    await still.take_now()
    async with join() as other:
        await other.roll_call()
        await still.silent_for(-3_600, other)
        await other.roll_call()
        age_s = time.time() - (await still.redis.zscore(WORKERS, still.queue.worker_id) or 0)
        assert abs(age_s) < OUTAGE_S


async def test_a_job_whose_take_was_never_answered_is_due_again(still: Member) -> None:
    """Redis says that it is in hand here, and it is not."""
    twin = Member(still.redis)
    object.__setattr__(twin.queue, "worker_id", still.queue.worker_id)
    await still.queue.put("lost")
    await twin.take_now()
    await still.queue.put("held")
    held = await still.take_now()
    await still.roll_call()
    assert (await still.take_now()).key == "lost"
    await still.finish(held, None)
    await still.queue._take_turn()
    assert await still.counts() == (0, 1, 1)


async def test_a_dead_redis_is_said(redis_server: RedisServer, still: Member) -> None:
    """Who puts, wakes or asks learns why nothing was done."""
    redis_server.kill()
    reason = "^Redis cannot be reached$"
    with pytest.raises(StoreUnavailable, match=reason):
        await still.queue.put("run")
    with pytest.raises(StoreUnavailable, match=reason):
        await still.queue.wake("run")
    with pytest.raises(StoreUnavailable, match=reason):
        await still.queue.missing(["run"])


async def test_whatever_the_client_raises_is_tried_again(
    member: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A loop of events may refuse to write to a connection that is being closed."""

    async def refuse(**_: object) -> None:
        raise RuntimeError("unable to write to secret")

    with monkeypatch.context() as patch:
        patch.setattr(member.queue, "_turn", refuse)
        await until(lambda: bool(caplog.records))
        await asyncio.sleep(2 * RETRY_S)
    await member.queue.put("run")
    assert (await member.take()).key == "run"
    said = [(record.getMessage(), vars(record).get("reason")) for record in caplog.records]
    assert said == [("runs wait for Redis", "RuntimeError"), ("runs go on", None)]


async def test_a_full_redis_is_said_and_waited_out(
    member: Member, caplog: pytest.LogCaptureFixture
) -> None:
    """No job is half put back, and all go on once there is room."""
    await member.queue.put("run")
    job = await member.take()
    await member.redis.config_set("maxmemory", 1)
    reason = "Redis is full: it takes nothing in before its maxmemory is raised"
    with pytest.raises(StoreUnavailable, match=f"^{reason}$"):
        await member.queue.put("another")
    await until(lambda: bool(caplog.records))
    await member.finish(job, time.time())
    await asyncio.sleep(2 * RETRY_S)
    assert sum(await member.counts()) == 2
    await member.redis.config_set("maxmemory", 0)
    assert (await member.take()).key == "run"
    said = [(record.getMessage(), vars(record).get("reason")) for record in caplog.records]
    assert said == [("runs wait for Redis", reason), ("runs go on", None)]


async def test_scripts_are_taught_again(member: Member) -> None:
    """A Redis that was started anew does not know them."""
    await member.queue.put("run")
    job = await member.take()
    await member.redis.script_flush()
    await member.finish(job, time.time())
    assert (await member.take()).key == "run"


async def test_a_cluster_holds_the_queue_in_one_slot(cluster: list[RedisServer]) -> None:
    """Put, taken, woken, put back and ended through different nodes."""
    urls = [Secret(f"redis+cluster://127.0.0.1:{cluster[number].port}") for number in (0, 2)]
    async with member_of(urls[0]) as member, member_of(urls[1]) as caller:
        caller.queue.close()
        await caller.queue.put("run", due_unix_s=time.time() + 60)
        await caller.queue.wake("run")
        job = await member.take()
        await caller.queue.wake("run")
        await member.finish(job, time.time() + 60)
        job = await member.take()
        assert await caller.queue.missing(["run", "lost"]) == ["lost"]
        await member.finish(job, None)
        assert await member.finds_nothing()
        assert await member.counts() == (0, 0, 0)
        assert [int(node.cli("dbsize")) for node in cluster].count(0) == 2
        for node in cluster:
            node.kill()
        with pytest.raises(StoreUnavailable, match=r"^Redis cannot be reached$"):
            await caller.queue.put("run")
