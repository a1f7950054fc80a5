"""Steps under way: how many, how they end, and what a worker gives back."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from redis_server import RedisServer, until

from gateway.errors import ClusterUnavailable, StoreUnavailable
from gateway.runs.queue import RunQueue
from gateway.runs.records import RunOfNewer
from gateway.runs.worker import PAUSE_AFTER_A_FAULT_S, PAUSE_S, Drive, RunWorker
from gateway.store_client import Patience, connect

PATIENCE = Patience(socket_timeout_s=10, max_connections=32, retries=1)
FAR_S = 60.0


class Lateness:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.late_s: list[float] = []

    def run_stepped(self, *, late_s: float) -> None:
        """A step begins."""
        self.late_s.append(late_s)


class Team:
    """A worker, its queue, and the Redis behind."""

    def __init__(self, redis: Redis, drive: Drive, concurrency: int) -> None:
        self.redis = redis
        self.queue = RunQueue(redis)
        self.observer = Lateness()
        self.worker = RunWorker(self.queue, drive, concurrency=concurrency, observer=self.observer)

    async def due_in_s(self, run_id: str) -> float | None:
        """When the run is due, from now; None if it is in hand or not there."""
        key = f"saq:{self.queue.name}:incomplete"
        due = await self.redis.zscore(key, self.queue.job_id(run_id))
        return due - time.time() if due else None

    async def waits(self, run_id: str) -> float:
        """When the run is due, from now, once it is put back."""
        for _ in range(500):
            if (due_in_s := await self.due_in_s(run_id)) is not None:
                return due_in_s
            await asyncio.sleep(0.01)
        raise AssertionError("it was not put back")


Gather = Callable[..., Team]


@pytest.fixture
async def team_of(redis_server: RedisServer) -> AsyncIterator[Gather]:
    """Teams on the test's Redis; they stop with the test."""
    client = connect(redis_server.url, PATIENCE)
    teams: list[Team] = []

    def gather(drive: Drive, *, concurrency: int = 10) -> Team:
        teams.append(Team(client.commands, drive, concurrency))
        return teams[-1]

    yield gather
    for team in teams:
        await team.worker.stop(0)
    await client.close()


class Steps:
    """A driver that is told what to answer, and remembers who was driven."""

    def __init__(self, answer: Callable[[int], Awaitable[float | None]]) -> None:
        self._answer = answer
        self.driven: list[str] = []
        self.under_way = 0
        self.most_under_way = 0
        self.cut: list[str] = []

    async def drive(self, run_id: str) -> float | None:
        """Take a step."""
        self.driven.append(run_id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._answer(len(self.driven))
        except asyncio.CancelledError:
            self.cut.append(run_id)
            raise
        finally:
            self.under_way -= 1


async def test_a_run_is_driven_until_it_has_ended(team_of: Gather) -> None:
    """Each step says when the next one is due; how late each began is told."""

    async def thrice(steps_so_far: int) -> float | None:
        return time.time() + 0.2 if steps_so_far < 3 else None

    steps = Steps(thrice)
    team = team_of(steps.drive)
    await team.worker.start()
    await team.queue.put("run")
    await until(lambda: len(steps.driven) == 3)
    await asyncio.sleep(0.3)
    assert await team.queue.missing(["run"]) == ["run"]
    assert steps.driven == ["run"] * 3
    assert len(team.observer.late_s) == 3
    assert all(0 <= late_s < 0.5 for late_s in team.observer.late_s)


async def test_no_more_steps_are_under_way_than_may_be(team_of: Gather) -> None:
    """The others wait their turn, and none is forgotten."""

    async def slowly(_: int) -> None:
        await asyncio.sleep(0.05)

    steps = Steps(slowly)
    team = team_of(steps.drive, concurrency=3)
    runs = [f"run {number}" for number in range(10)]
    await asyncio.gather(*(team.queue.put(run_id) for run_id in runs))
    await team.worker.start()
    await until(lambda: len(steps.driven) == 10 and not steps.under_way)
    assert (sorted(steps.driven), steps.most_under_way) == (sorted(runs), 3)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(StoreUnavailable("Redis cannot be reached"), id="redis-was-away"),
        pytest.param(ClusterUnavailable("no answer"), id="the-cluster-was-away"),
    ],
)
async def test_a_step_that_could_not_begin_is_tried_again_soon(
    team_of: Gather, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """There is nothing to say about this run."""

    async def fail(_: int) -> None:
        raise error

    steps = Steps(fail)
    team = team_of(steps.drive)
    await team.worker.start()
    await team.queue.put("run")
    await until(lambda: steps.driven == ["run"])
    assert 0 < await team.waits("run") <= PAUSE_S
    assert caplog.records == []


async def test_an_error_in_the_gateway_ends_neither_run_nor_worker(
    team_of: Gather, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says what and where, but not the error's text, which may hold a secret."""

    async def break_down(_: int) -> None:
        raise ValueError("hunter2")

    caplog.set_level(logging.INFO)
    steps = Steps(break_down)
    team = team_of(steps.drive)
    await team.worker.start()
    await team.queue.put("run")
    await until(lambda: steps.driven == ["run"])
    assert PAUSE_AFTER_A_FAULT_S - 0.5 < await team.waits("run") <= PAUSE_AFTER_A_FAULT_S
    (record,) = caplog.records
    told = vars(record)
    assert (record.getMessage(), told["run"], told["kind"]) == (
        "a step failed by an error in the gateway",
        "run",
        "ValueError",
    )
    assert told["places"].startswith(f"{__file__}:")
    assert "hunter2" not in str(told) + caplog.text


async def test_runs_that_are_left_to_newer_replicas_are_told_of_in_one_line(
    team_of: Gather, caplog: pytest.LogCaptureFixture
) -> None:
    """There may be thousands of them; each is offered to the others again and again."""

    async def leave(_: int) -> None:
        raise RunOfNewer("x", "a newer gateway wrote it")

    steps = Steps(leave)
    team = team_of(steps.drive)
    await team.worker.start()
    for run_id in ("first", "second"):
        await team.queue.put(run_id)
        await until(lambda run_id=run_id: run_id in steps.driven)
        assert PAUSE_S - 0.5 < await team.waits(run_id) <= PAUSE_S
    (record,) = caplog.records
    told = vars(record)
    assert (record.getMessage(), told["run"]) == ("a run is not driven here", "first")
    assert "it is left to newer replicas" in told["reason"]


async def test_stopping_lets_steps_finish(team_of: Gather) -> None:
    """What they answered counts, and no new step begins."""
    go_on = asyncio.Event()

    async def when_told(_: int) -> float:
        await go_on.wait()
        return time.time() + FAR_S

    steps = Steps(when_told)
    team = team_of(steps.drive)
    await team.worker.start()
    await team.queue.put("under way")
    await until(lambda: steps.under_way == 1)
    stopping = asyncio.create_task(team.worker.stop(5))
    await asyncio.sleep(0.05)
    await team.queue.put("later")
    await asyncio.sleep(0.2)
    assert not stopping.done()
    go_on.set()
    await stopping
    assert (steps.driven, steps.cut) == (["under way"], [])
    assert await team.waits("under way") > FAR_S - 5
    assert await team.waits("later") < 0


async def test_stopping_cuts_what_does_not_finish_and_gives_it_back(team_of: Gather) -> None:
    """Another worker has it at once."""

    async def forever(_: int) -> None:
        await asyncio.Event().wait()

    stuck, fresh = Steps(forever), Steps(forever)
    team, other = team_of(stuck.drive), team_of(fresh.drive)
    await team.worker.start()
    runs = [f"run {number}" for number in range(10)]
    await asyncio.gather(*(team.queue.put(run_id) for run_id in runs))
    await until(lambda: stuck.under_way == 10)
    await other.worker.start()
    started_s = time.monotonic()
    await team.worker.stop(0.2)
    await until(lambda: fresh.under_way == 10)
    assert time.monotonic() - started_s < 1.5
    assert (sorted(stuck.cut), sorted(fresh.driven)) == (runs, runs)


async def test_stopping_without_redis_ends_all_the_same(
    team_of: Gather, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so once; the others will find out."""

    async def forever(_: int) -> None:
        await asyncio.Event().wait()

    steps = Steps(forever)
    team = team_of(steps.drive)
    await team.worker.start()
    await team.queue.put("run")
    await until(lambda: steps.under_way == 1)
    redis_server.kill()
    started_s = time.monotonic()
    await team.worker.stop(0)
    assert time.monotonic() - started_s < 1
    ours = [record for record in caplog.records if record.name.startswith("gateway")]
    assert [record.getMessage() for record in ours] == ["runs wait for Redis"]


async def test_nobody_needs_to_stop_what_has_not_started(team_of: Gather) -> None:
    """A start of the process that failed half way can be undone."""
    team = team_of(Steps(asyncio.sleep).drive)
    await team.worker.stop(5)
    assert team.observer.late_s == []
