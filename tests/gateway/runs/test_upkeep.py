"""Runs that nobody drives are found and driven again; the others are left alone."""

import time

import pytest
from kept_runs import ended, finish, new_run
from redis.asyncio import Redis
from redis_server import RedisServer

from gateway.runs import keys, upkeep
from gateway.runs.queue import RunQueue
from gateway.runs.store import RunStore
from gateway.runs.upkeep import Upkeep


class Observed:
    """Remembers the number of live runs."""

    live = -1

    def runs_live(self, number: int) -> None:
        """So many runs are under way."""
        self.live = number


async def test_a_run_without_a_job_gets_one(
    store: RunStore,
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that has a job keeps it, one that has ended gets none."""
    monkeypatch.setattr(upkeep, "SETTLE_S", 0)
    for run_id in ("lost", "driven", "ended"):
        await store.create(new_run(run_id), None)
    await finish(store, "ended", ended())
    async with Redis(unix_socket_path=str(redis_server.socket)) as redis:
        queue = RunQueue(redis)
        await queue.put("driven")
        observed = Observed()
        await Upkeep(store, queue, observed, now_unix_s=lambda: 0.0).round()
        assert await queue.missing(["lost", "driven", "ended"]) == ["ended"]
    assert observed.live == 2
    assert [record.__dict__["run"] for record in caplog.records] == ["lost"]


async def test_a_run_that_cannot_be_read_keeps_no_other_from_its_job(
    store: RunStore, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told of, and passed over."""
    monkeypatch.setattr(upkeep, "SETTLE_S", 0)
    for run_id in ("a", "b", "c"):
        await store.create(new_run(run_id), None)
    redis_server.cli("hset", f"{keys.RUN}b", "status", "{")
    async with Redis(unix_socket_path=str(redis_server.socket)) as redis:
        queue = RunQueue(redis)
        await Upkeep(store, queue, Observed(), now_unix_s=lambda: 0.0).round()
        assert await queue.missing(["a", "b", "c"]) == ["b"]


async def test_a_clock_that_is_set_back_wakes_every_run(
    store: RunStore, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Once; a few seconds more or less, as time servers correct them, wake nobody."""
    clock = {"unix_s": 10_000.0, "s": 50.0}
    await store.create(new_run("a"), None)
    async with Redis(unix_socket_path=str(redis_server.socket)) as redis:
        queue = RunQueue(redis)
        upkeep = Upkeep(
            store,
            queue,
            Observed(),
            now_unix_s=lambda: clock["unix_s"],
            now_s=lambda: clock["s"],
        )
        due: list[float | None] = []
        for unix_s in (10_010, 10_000, 6_400, 6_410):
            await queue.put("a", due_unix_s=time.time() + 99)
            await redis.zadd(queue._incomplete, {queue.job_id("a"): time.time() + 99})
            clock["s"] += 10
            clock["unix_s"] = unix_s
            await upkeep.round()
            score = await redis.zscore(queue._incomplete, queue.job_id("a"))
            due.append(round((score or 0) - time.time(), -1))
    assert due == [100, 100, 0, 100]
    assert [vars(record)["seconds"] for record in caplog.records] == [3610]
