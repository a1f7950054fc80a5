"""A run, driven from its first measurement to its end, by one driver and by two."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from redis_server import RedisServer, until
from runs_alone import RUN_ID, Alone, alone, metric

from gateway.audit import Call
from gateway.errors import ProviderUnreachable
from gateway.model import Phase
from gateway.run_events import Event
from gateway.runs.store import Saved, StaleRun


def one_by_one(*values: float | Exception) -> Any:
    """Answers in turn."""
    left = list(values)

    def answer() -> float:
        value = left.pop(0)
        if isinstance(value, Exception):
            raise value
        return value

    return answer


async def test_a_run_is_measured_at_its_interval_until_its_count(redis_server: RedisServer) -> None:
    """Three measurements, a minute apart, each kept with its value."""
    async with alone(redis_server, {"m": one_by_one(0.9, 0.8, 0.7)}) as run:
        await run.start(metric(interval="60s", count=3))
        visits = await run.drive_to_the_end()
        kept = await run.store.load(RUN_ID)
    assert [round(each) for each in visits] == [1000, 1060, 1120]
    assert kept.status.phase is Phase.SUCCESSFUL
    (result,) = kept.status.metric_results
    assert [each.value for each in result.measurements] == ["0.9", "0.8", "0.7"]
    assert result.measurements[0].metadata == {"by": "script"}
    assert result.metadata == {"Asked": "m"}
    assert run.observed.ended == [("inline", "shop", Phase.SUCCESSFUL)]


async def test_an_error_is_retried_and_a_failure_ends_the_run(redis_server: RedisServer) -> None:
    """Ten seconds after the Error, whatever the interval."""
    answers = one_by_one(ProviderUnreachable("no answer"), 0.1)
    async with alone(redis_server, {"m": answers}) as run:
        await run.start(metric(interval="60s", count=3))
        visits = await run.drive_to_the_end()
        kept = await run.store.load(RUN_ID)
    assert [round(each) for each in visits] == [1000, 1010]
    assert (kept.status.phase, kept.status.message) == (
        Phase.FAILED,
        'Metric "m" assessed Failed due to failed (1) > failureLimit (0)',
    )


async def test_a_run_that_fails_stops_its_other_metrics(redis_server: RedisServer) -> None:
    """The pass that finds the failure is followed by one that ends the run, at once."""
    async with alone(redis_server, {"a": lambda: 0, "b": lambda: 1}) as run:
        await run.start(metric("a"), metric("b", interval="60s", count=5))
        visits = await run.drive_to_the_end()
        kept = await run.store.load(RUN_ID)
    assert [round(each) for each in visits] == [1000, 1000]
    assert [each.phase for each in kept.status.metric_results] == [Phase.FAILED, Phase.SUCCESSFUL]
    assert kept.status.phase is Phase.FAILED


async def test_a_reading_is_never_counted_twice(redis_server: RedisServer) -> None:
    """Readings that are fresh enough for others are too old for the run that has them."""
    async with alone(redis_server, {"m": one_by_one(0.9, 0.8)}) as run:
        await run.start(metric("a", url="m", interval="1s", count=2))
        await run.drive_to_the_end()
    assert run.script.asked == ["m", "m"]


async def test_metrics_with_one_question_share_a_reading(redis_server: RedisServer) -> None:
    """One question, two conditions."""
    async with alone(redis_server, {"m": one_by_one(0.9)}) as run:
        await run.start(metric("a", url="m"), metric("b", url="m", successCondition="result < 1"))
        await run.drive_to_the_end()
        kept = await run.store.load(RUN_ID)
    assert run.script.asked == ["m"]
    assert [each.successful for each in kept.status.metric_results] == [1, 1]


async def test_a_finished_measurement_is_kept_while_a_slow_one_goes_on(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes over after a crash does not repeat it."""
    monkeypatch.setattr("gateway.runs.steps.RECORD_WITHIN_S", 0.02)
    gate = asyncio.Event()

    async def slow() -> float:
        await gate.wait()
        return 1.0

    async with alone(redis_server, {"fast": lambda: 1, "slow": slow}) as run:
        await run.start(metric("fast"), metric("slow"))
        killed = asyncio.create_task(run.drive())

        async def is_recorded() -> bool:
            state = await run.store.state(RUN_ID)
            return state is not None and bool(state.status.metric_results)

        async with asyncio.timeout(5):
            while not await is_recorded():  # noqa: ASYNC110 # another process could have done it
                await asyncio.sleep(0.01)
        killed.cancel()
        await asyncio.wait({killed})
        gate.set()
        await run.drive_to_the_end()
        kept = await run.store.load(RUN_ID)
    assert run.script.asked.count("fast") == 1
    assert kept.status.phase is Phase.SUCCESSFUL


async def test_of_two_drivers_one_gives_way(redis_server: RedisServer) -> None:
    """What the slower one measured is not recorded, and it goes on from what is."""
    gate = asyncio.Event()
    left = ["held", "fast"]

    async def answer() -> float:
        if left.pop(0) == "held":
            await gate.wait()
        return 1.0

    async with (
        alone(redis_server, {"m": answer}) as first,
        alone(redis_server, first.script.answers) as second,
    ):
        await first.start(metric(interval="60s", count=3))
        stuck = asyncio.create_task(first.drive())
        await until(lambda: first.script.asked == ["m"])
        second_wake = await second.drive()
        gate.set()
        assert await stuck == second_wake
        state = await first.store.state(RUN_ID)
    assert state is not None
    assert state.version == 1
    (result,) = state.status.metric_results
    assert (result.count, len(result.measurements)) == (1, 1)


async def test_a_run_that_is_told_to_end_while_it_is_measured(redis_server: RedisServer) -> None:
    """It ends in the same visit, with what was measured."""
    async with alone(redis_server, {}) as run:

        async def answer() -> float:
            await run.store.terminate(RUN_ID)
            return 1.0

        run.script.answers["m"] = answer
        await run.start(metric(interval="60s", count=3))
        assert await run.drive() is None
        kept = await run.store.load(RUN_ID)
    assert (kept.status.phase, kept.status.message) == (Phase.SUCCESSFUL, "Run Terminated")
    assert kept.status.metric_results[0].successful == 1
    ended = run.observed.entries[-1]
    assert (ended.phase, ended.is_ok, ended.reason) == ("Successful", False, "Run Terminated")


async def test_a_run_without_end_is_capped(redis_server: RedisServer) -> None:
    """Inconclusive, with the setting's name."""
    async with alone(redis_server, {"m": lambda: 1}, maxDuration="100s") as run:
        await run.start(metric(interval="40s"))
        visits = await run.drive_to_the_end()
        kept = await run.store.load(RUN_ID)
    assert [round(each) for each in visits] == [1000, 1040, 1080, 1100]
    assert (kept.status.phase, kept.status.message) == (
        Phase.INCONCLUSIVE,
        "Run did not end within 100s (runs.maxDuration)",
    )
    assert kept.status.metric_results[0].count == 3
    ended = run.observed.entries[-1]
    assert (ended.call, ended.namespace, ended.phase) == (Call.RUN_ENDED, "shop", "Inconclusive")


async def test_the_end_is_told_whatever_happens_after_it_is_kept(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody who drives the run later on would tell it: all there is to say is known before."""
    async with alone(redis_server, {"m": lambda: 1}, maxDuration="100s") as run:
        await run.start(metric(interval="60s"))
        await run.drive()
        keep = run.store.save

        async def last(*args: Any, **kept: Any) -> Saved:
            saved = await keep(*args, **kept)
            redis_server.kill()
            return saved

        monkeypatch.setattr(run.store, "save", last)
        run.now_unix_s += 101
        async with asyncio.timeout(5):
            assert await run.drive() is None
    assert [each.namespace for each in run.observed.entries] == ["shop"]


async def test_a_run_that_is_gone_wants_nothing(redis_server: RedisServer) -> None:
    """Deleted, or lost."""
    async with alone(redis_server, {}) as run:
        assert await run.drive() is None


async def test_what_happened_is_told_with_the_status(redis_server: RedisServer) -> None:
    """One save, its events in their order."""
    async with alone(redis_server, {"m": lambda: 1}) as run:
        await run.start(metric())
        await run.drive()
        events, _ = await run.store.events(RUN_ID, None)
        later = replace(await _status(run), message="of another driver")
        with pytest.raises(StaleRun):
            await run.store.save(RUN_ID, version=0, status=later, events=())
    told = [event.type for _, event in events]
    assert told == ["measurement", "metric", "phase", "end"]
    assert all(isinstance(event, Event) for _, event in events)


async def _status(run: Alone) -> Any:
    state = await run.store.state(RUN_ID)
    assert state is not None
    return state.status


async def test_a_run_without_a_pause_gets_one(redis_server: RedisServer) -> None:
    """It must not take the turns of the others; a run that is about to end does not wait."""
    async with alone(redis_server, {"m": lambda: 1}, shortestGap="2s") as run:
        await run.start(metric(interval="0s", count=3))
        visits = await run.drive_to_the_end()
    assert [round(each) for each in visits] == [1000, 1002, 1004]
