"""Runs outlive their drivers: replicas die at random, Redis stands still, and nothing is lost."""

import asyncio
import json
import random
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from redis_server import StartRedis
from survival import Caller, Replica, Upstream, analysis_run, replicas, upstream

RUNS: Final = 500
KILLING_S: Final = 120.0
INTERVAL_S: Final = 4.0
RESUMED_WITHIN_S: Final = 15.0
FROZEN_S: Final = 30.0
PHASES: Final = ("Successful", "Failed", "Inconclusive", "Error")
NEEDS: Final = {"Successful": 20, "Failed": 3, "Inconclusive": 3, "Error": 5}
"""Measurements until the end: ``count``, or one more than the limit allows."""

Seen = dict[str, set[str]]
"""By run, the measurements that a document has shown."""


@pytest.mark.timeout(420)
async def test_replicas_killed_at_random_lose_nothing(
    start_redis: StartRedis, tmp_path: Path
) -> None:
    """Three replicas, 500 runs, SIGKILL for two minutes."""
    redis = start_redis("--appendonly", "yes")
    async with (
        upstream() as source,
        replicas(3, redis.url.reveal(), tmp_path) as running,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session,
    ):
        caller = Caller(session, running)
        over = time.monotonic() + KILLING_S
        seen: Seen = {}
        killer = asyncio.create_task(_kill_at_random(running, over))
        ids = await _start_runs(caller, source, over_s=KILLING_S / 2)
        while not killer.done():
            await _look(caller, random.sample(ids, 20), seen)  # no secret
            await asyncio.sleep(0.5)
        await killer
        documents = await _ended(caller, ids, within_s=150)
    assert sum(each.kills for each in running) > 10
    assert Counter(_phases(documents)) == dict.fromkeys(PHASES, RUNS / 4)
    for document in documents:
        _check(document, seen, source, away_s=0)


@pytest.mark.timeout(240)
async def test_a_redis_that_stands_still_costs_time_and_nothing_else(
    start_redis: StartRedis, tmp_path: Path
) -> None:
    """SIGSTOP for 30 seconds: callers are told, and every run goes on where it was."""
    redis = start_redis("--appendonly", "yes")
    async with (
        upstream() as source,
        replicas(2, redis.url.reveal(), tmp_path) as running,
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(session, running)
        ids = await _start_runs(caller, source, number=60, over_s=1)
        await asyncio.sleep(INTERVAL_S)
        redis.freeze()
        told = await _refused(session, running[0], ids[0])
        await asyncio.sleep(FROZEN_S)
        redis.thaw()
        documents = await _ended(caller, ids, within_s=150)
    assert told["reason"].startswith("Redis did not answer")
    assert Counter(_phases(documents)) == dict.fromkeys(PHASES, 15)
    for document in documents:
        _check(document, {}, source, away_s=FROZEN_S)
        # Nobody died: whatever was asked was recorded.
        assert source.asked[document["metadata"]["name"]] == _attempts(document)


async def test_a_redis_that_is_killed_has_every_run_that_it_acknowledged(
    start_redis: StartRedis, tmp_path: Path
) -> None:
    """SIGKILL right after the last 202, and once more in the middle of the measurements."""
    redis = start_redis("--appendonly", "yes")
    async with (
        upstream() as source,
        replicas(2, redis.url.reveal(), tmp_path) as running,
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(session, running)
        ids = await _start_runs(caller, source, number=60, over_s=0)
        for pause_s in (0.0, INTERVAL_S + 1):
            await asyncio.sleep(pause_s)
            redis.kill()
            redis.start()
        documents = await _ended(caller, ids, within_s=100)
    assert Counter(_phases(documents)) == dict.fromkeys(PHASES, 15)
    for document in documents:
        _check(document, {}, source, away_s=0)


async def _kill_at_random(running: list[Replica], over_s: float) -> None:
    dice = random.Random(7)  # no secret
    while time.monotonic() < over_s:
        await asyncio.sleep(dice.uniform(1, 6))
        victim = dice.choice(running)
        victim.kill()
        await asyncio.sleep(dice.uniform(0, 3))
        await victim.start()


async def _start_runs(
    caller: Caller, source: Upstream, *, number: int = RUNS, over_s: float
) -> list[str]:
    async def start(index: int) -> str:
        await asyncio.sleep(index * over_s / number)
        phase = PHASES[index % len(PHASES)]
        count = NEEDS["Successful"] if number == RUNS else 8
        name = f"run-{index}"
        run = analysis_run(source.url, phase, name, interval_s=INTERVAL_S, count=count)
        created = await caller.ask("POST", "/v1/runs", json=run, headers={"Idempotency-Key": name})
        return str(created["metadata"]["uid"])

    return list(await asyncio.gather(*(start(index) for index in range(number))))


async def _look(caller: Caller, ids: list[str], seen: Seen) -> None:
    for document in await asyncio.gather(
        *(caller.ask("GET", f"/v1/runs/{run_id}") for run_id in ids)
    ):
        seen.setdefault(document["metadata"]["uid"], set()).update(_measurements(document))


async def _ended(caller: Caller, ids: list[str], *, within_s: float) -> list[dict[str, Any]]:
    async def end(run_id: str) -> dict[str, Any]:
        while True:
            document: dict[str, Any] = await caller.ask("GET", f"/v1/runs/{run_id}?wait=10s")
            if document["status"]["phase"] not in {"Running", "Pending"}:
                return document

    async with asyncio.timeout(within_s):
        return list(await asyncio.gather(*(end(run_id) for run_id in ids)))


async def _refused(session: aiohttp.ClientSession, replica: Replica, run_id: str) -> dict[str, Any]:
    async with session.get(f"{replica.url}/v1/runs/{run_id}") as response:
        assert response.status == 503, await response.text()
        assert "Retry-After" in response.headers
        told: dict[str, Any] = await response.json(content_type=None)
        return told


def _phases(documents: list[dict[str, Any]]) -> list[str]:
    for document in documents:
        assert document["status"]["phase"] == document["metadata"]["labels"]["kind"], document
    return [document["status"]["phase"] for document in documents]


def _measurements(document: dict[str, Any]) -> list[str]:
    (result,) = document["status"].get("metricResults") or [{"measurements": []}]
    return [json.dumps(each, sort_keys=True) for each in result["measurements"]]


def _attempts(document: dict[str, Any]) -> int:
    (result,) = document["status"]["metricResults"]
    return int(result.get("count", 0)) + int(result.get("error", 0))


def _check(document: dict[str, Any], seen: Seen, source: Upstream, *, away_s: float) -> None:
    """Nothing that was shown is lost, nothing is there twice, and nothing waited for long."""
    (result,) = document["status"]["metricResults"]
    recorded = _measurements(document)
    assert seen.get(document["metadata"]["uid"], set()) <= set(recorded)
    numbers = [
        json.loads(each["value"])["n"] for each in result["measurements"] if each.get("value")
    ]
    assert numbers == sorted(set(numbers)), json.dumps(result)
    assert len(recorded) == _attempts(document)
    name = document["metadata"]["name"]
    assert source.asked[name] >= len(recorded)
    times = source.asked_at_s[name]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    cadence_s = 10.0 if document["status"]["phase"] == "Error" else INTERVAL_S
    assert max(gaps, default=0) < cadence_s + away_s + RESUMED_WITHIN_S
