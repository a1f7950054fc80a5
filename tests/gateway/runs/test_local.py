"""A run that this process drives alone: at its interval, within its limits, ended from outside."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest
from backends import Backend, Play, backend, raw_server
from local_runs import local
from running import until, web_metric

from gateway.model import Phase
from gateway.run_status import Measurement, RunStatus

GREEN, RED = Play('"green"'), Play('"red"')


def color(url: str, **fields: Any) -> dict[str, Any]:
    """A metric that wants green."""
    return web_metric(url, 'result == "green"', name="color", **fields)


class Silent:
    """A server that never answers."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()

    async def talk(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        """Read until the caller hangs up."""
        self.is_asked.set()
        await reader.read()


class Seen:
    """All statuses, in their order."""

    def __init__(self) -> None:
        self.statuses: list[RunStatus] = []

    def watch(self, before: RunStatus, after: RunStatus) -> None:
        """Keep what came, and see that nothing is missing between."""
        assert before == (self.statuses[-1] if self.statuses else RunStatus())
        self.statuses.append(after)


def outcome(status: RunStatus) -> tuple[Phase, str, list[Phase]]:
    """Phase and message of the run, and the phases of what was measured."""
    measured = [each.phase for result in status.metric_results for each in result.measurements]
    return status.phase, status.message, measured


@pytest.mark.parametrize(
    ("plays", "fields", "expected"),
    [
        pytest.param(
            [GREEN],
            {},
            (Phase.SUCCESSFUL, "", [Phase.SUCCESSFUL]),
            id="without-an-interval-once",
        ),
        pytest.param(
            [GREEN],
            {"interval": "50ms", "count": 3},
            (Phase.SUCCESSFUL, "", [Phase.SUCCESSFUL] * 3),
            id="count-times",
        ),
        pytest.param(
            [RED, GREEN, RED, GREEN],
            {"interval": "50ms", "count": 9, "failureLimit": 1},
            (
                Phase.FAILED,
                'Metric "color" assessed Failed due to failed (2) > failureLimit (1)',
                [Phase.FAILED, Phase.SUCCESSFUL, Phase.FAILED],
            ),
            id="until-a-limit-is-exceeded",
        ),
        pytest.param(
            [RED, GREEN],
            {"interval": "50ms", "consecutiveSuccessLimit": 2, "failureLimit": 1},
            (Phase.SUCCESSFUL, "", [Phase.FAILED, Phase.SUCCESSFUL, Phase.SUCCESSFUL]),
            id="until-it-does-well-in-a-row",
        ),
        pytest.param(
            [GREEN],
            {"initialDelay": "50ms"},
            (Phase.SUCCESSFUL, "", [Phase.SUCCESSFUL]),
            id="after-a-delay",
        ),
    ],
)
async def test_a_run_ends_by_its_own_rules(
    plays: list[Play], fields: dict[str, Any], expected: tuple[Phase, str, list[Phase]]
) -> None:
    """Nothing is measured after that, and every status is seen."""
    async with backend(*plays) as upstream, local(color(upstream.url, **fields)) as made:
        seen, run = Seen(), made.run()
        status = await run.drive(seen.watch)
        await asyncio.sleep(0.1)
        assert len(upstream.requests) == len(expected[2])
    assert outcome(status) == expected
    assert (run.is_cut_short, seen.statuses[-1]) == (False, status)


async def test_an_interval_lies_between_two_measurements() -> None:
    """From the end of one to the start of the next, and not much longer."""
    async with (
        backend(GREEN) as upstream,
        local(color(upstream.url, interval="200ms", count=3)) as made,
    ):
        status = await made.run().drive(Seen().watch)
    (result,) = status.metric_results
    gaps = [_gap_s(one, other) for one, other in pairwise(result.measurements)]
    assert all(0.2 <= gap < 2 for gap in gaps), gaps


def _gap_s(one: Measurement, other: Measurement) -> float:
    assert one.finished_at_unix_s is not None
    return round(other.started_at_unix_s - one.finished_at_unix_s, 3)


async def test_what_is_kept_of_a_measurement_is_cut() -> None:
    """Value and metadata, however much a provider says: a run keeps ten of each for a long time."""
    answer = {
        "status": "success",
        "warnings": ["w" * 5_000],
        "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}] * 5_000},
    }
    async with backend(Play(json.dumps(answer))) as upstream:
        prometheus = {"prometheus": {"address": upstream.url, "query": "up"}}
        async with local({"name": "m", "provider": prometheus}) as made:
            status = await made.run().drive(Seen().watch)
    (measurement,) = status.metric_results[0].measurements
    assert measurement.phase is Phase.SUCCESSFUL
    assert measurement.value == ("[" + "1," * 2_048)[:4_096] + "..."
    assert measurement.metadata == {"warnings": '"' + "w" * 4_095 + "..."}


async def test_many_metrics_share_what_a_run_may_keep() -> None:
    """One metric may keep a thousand measurements, two hundred may not."""
    metrics = [web_metric("http://127.0.0.1:1", name=f"m{place}") for place in range(200)]
    everything = [{"metricName": ".*", "limit": 1_000}]
    kept = set()
    for few in (metrics[:1], metrics):
        async with local(*few, measurementRetention=everything) as made:
            kept.add((len(few), *{each.retention for each in made.plan.rules}))
    assert kept == {(1, 1_000), (200, 10)}


async def measured_once(upstream: Backend, seen: Seen) -> None:
    """Return when one measurement is recorded."""
    await until(lambda: seen.statuses and seen.statuses[-1].metric_results)
    assert len(upstream.requests) == 1


async def test_a_run_that_waits_ends_when_it_is_told_to() -> None:
    """As Argo's terminate: what was measured is within its limits."""
    async with backend(GREEN) as upstream, local(color(upstream.url, interval="1h")) as made:
        seen, run = Seen(), made.run(max_duration_s=1e9)
        driving = asyncio.create_task(run.drive(seen.watch))
        await measured_once(upstream, seen)
        run.terminate()
        status = await driving
    assert outcome(status) == (Phase.SUCCESSFUL, "Run Terminated", [Phase.SUCCESSFUL])
    assert run.is_cut_short


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        pytest.param(
            Play('"green"', delay_s=0.3),
            (Phase.SUCCESSFUL, "Run Terminated", [Phase.SUCCESSFUL]),
            id="a-success",
        ),
        pytest.param(
            Play('"red"', delay_s=0.3),
            (
                Phase.FAILED,
                'Metric "color" assessed Failed due to failed (1) > failureLimit (0)',
                [Phase.FAILED],
            ),
            id="a-failure",
        ),
    ],
)
async def test_what_is_under_way_counts_when_a_run_is_told_to_end(
    play: Play, expected: tuple[Phase, str, list[Phase]]
) -> None:
    """It is finished first."""
    async with backend(play) as upstream, local(color(upstream.url, interval="1h")) as made:
        run = made.run(max_duration_s=1e9)
        driving = asyncio.create_task(run.drive(Seen().watch))
        await until(lambda: upstream.requests)
        run.terminate()
        assert outcome(await driving) == expected


async def test_what_is_under_way_is_lost_when_a_run_is_abandoned() -> None:
    """The run ends now, with what is there: here one metric of two."""
    async with (
        raw_server(Silent().talk) as silent,
        backend(GREEN) as upstream,
        local(color(upstream.url), web_metric(silent, name="silent")) as made,
    ):
        seen, run = Seen(), made.run()
        driving = asyncio.create_task(run.drive(seen.watch))
        await until(lambda: seen.statuses)
        run.abandon()
        async with asyncio.timeout(1):
            status = await driving
    assert outcome(status) == (Phase.SUCCESSFUL, "Run Terminated", [Phase.SUCCESSFUL])
    assert run.is_cut_short
    assert status.result_of("silent") is None


async def test_a_run_that_is_abandoned_before_it_begins_measures_nothing() -> None:
    """Nobody is asked."""
    async with backend(GREEN) as upstream, local(color(upstream.url)) as made:
        run = made.run()
        run.abandon()
        status = await run.drive(Seen().watch)
    assert outcome(status) == (Phase.SUCCESSFUL, "Run Terminated", [])
    assert (run.is_cut_short, upstream.requests) == (True, [])


async def test_a_run_does_not_last_longer_than_it_may() -> None:
    """It ends between two measurements."""
    async with backend(GREEN) as upstream, local(color(upstream.url, interval="150ms")) as made:
        run = made.run(max_duration_s=0.4)
        status = await run.drive(Seen().watch)
    assert status.phase is Phase.INCONCLUSIVE
    assert status.message == "Run did not end within 0.4s (runs.maxDuration)"
    assert not run.is_cut_short
    assert len(upstream.requests) in {2, 3}


async def test_a_run_whose_driver_is_cancelled_leaves_nothing_under_way() -> None:
    """Whoever cancels is not held up by a provider."""
    silent = Silent()
    async with raw_server(silent.talk) as url, local(web_metric(url)) as made:
        driving = asyncio.create_task(made.run().drive(Seen().watch))
        await silent.is_asked.wait()
        driving.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await driving
        await asyncio.sleep(0)
        assert [each for each in asyncio.all_tasks() if each.get_name() == "step"] == []
