"""Runs whose measurements are Jobs: begun, looked at, stopped and removed, by whoever is alive."""

from typing import Any

import pytest
from job_api import FakeJobs, condition
from redis_server import RedisServer
from runs_alone import RUN_ID, alone, job_metric, metric

from gateway.model import Phase

FIRST = f"{RUN_ID}.smoke.1"
MARKS = {"job-name": FIRST, "job-namespace": "shop"}
BEGAN_AT = "1970-01-01T00:16:40.000Z"


async def test_a_job_is_begun_waited_for_and_counted(redis_server: RedisServer) -> None:
    """In flight, its document says what to look at and when; in the end, what came of it."""
    jobs = FakeJobs()
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric())
        assert await run.drive() == 1_000.0
        in_flight = {
            "phase": "Running",
            "startedAt": BEGAN_AT,
            "metadata": MARKS,
            "resumeAt": BEGAN_AT,
        }
        assert await run.result("smoke") == {
            "name": "smoke",
            "phase": "Running",
            "measurements": [in_flight],
        }
        run.now_unix_s = 1_050.0
        assert await run.drive() == 1_060.0
        assert await run.result("smoke") == {
            "name": "smoke",
            "phase": "Running",
            "measurements": [{**in_flight, "resumeAt": "1970-01-01T00:17:40.000Z"}],
        }
        run.now_unix_s = 1_055.0
        assert await run.drive() == 1_060.0
        jobs.end(FIRST, condition("Complete"))
        run.now_unix_s = 1_060.0
        assert await run.drive() is None
        assert await run.result("smoke") == {
            "name": "smoke",
            "phase": "Successful",
            "measurements": [
                {
                    "phase": "Successful",
                    "startedAt": BEGAN_AT,
                    "finishedAt": "1970-01-01T00:17:40.000Z",
                    "metadata": {"outcome": "the Job is complete", **MARKS},
                }
            ],
            "count": 1,
            "successful": 1,
            "consecutiveSuccess": 1,
        }
    assert (jobs.created, jobs.called("read")) == ([FIRST], 2)
    assert run.observed.ended == [("inline", "shop", Phase.SUCCESSFUL)]


async def test_each_measurement_is_a_job_of_its_own(redis_server: RedisServer) -> None:
    """Numbers go on over successes, failures and errors."""
    jobs = FakeJobs(ends_at_once="Complete")
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric(interval="60s", count=3))
        await run.drive_to_the_end()
        assert (await run.result("smoke"))["successful"] == 3
    assert jobs.created == [f"{RUN_ID}.smoke.{number}" for number in (1, 2, 3)]


async def test_a_job_that_fails_fails_its_run(redis_server: RedisServer) -> None:
    """No condition of the metric is asked."""
    jobs = FakeJobs(ends_at_once="Failed")
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric(successCondition="true"))
        await run.drive_to_the_end()
        assert await run.ended() == (
            Phase.FAILED,
            'Metric "smoke" assessed Failed due to failed (1) > failureLimit (0)',
        )


async def test_a_job_of_a_dry_run_decides_nothing(redis_server: RedisServer) -> None:
    """It is run all the same, and told of."""
    jobs = FakeJobs(ends_at_once="Failed")
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric(), dryRun=[{"metricName": "smoke"}])
        await run.drive_to_the_end()
        assert (await run.ended())[0] is Phase.SUCCESSFUL
        result = await run.result("smoke")
    assert (result["phase"], result["dryRun"], result["failed"]) == ("Failed", True, 1)
    assert result["message"] == "Metric assessed Failed due to failed (1) > failureLimit (0)"


@pytest.mark.parametrize(
    ("fields", "phase", "message"),
    [
        pytest.param(
            {},
            Phase.INCONCLUSIVE,
            'Metric "smoke" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0):'
            ' "Error Message: Metric Terminated"',
            id="argo-finds-that-inconclusive",
        ),
        pytest.param(
            {"inconclusiveLimit": 1},
            Phase.SUCCESSFUL,
            "Run Terminated",
            id="unless-so-many-may-be",
        ),
    ],
)
async def test_a_run_that_is_told_to_end_stops_its_job(
    redis_server: RedisServer, fields: dict[str, Any], phase: Phase, message: str
) -> None:
    """The measurement is Inconclusive, with Argo's words."""
    jobs = FakeJobs()
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric(**fields))
        await run.drive()
        await run.store.terminate(RUN_ID)
        run.now_unix_s = 1_005.0
        assert await run.drive() is None
        assert await run.ended() == (phase, message)
        result = await run.result("smoke")
    assert result["measurements"] == [
        {
            "phase": "Inconclusive",
            "startedAt": BEGAN_AT,
            "finishedAt": "1970-01-01T00:16:45.000Z",
            "message": "Metric Terminated",
            "metadata": MARKS,
        }
    ]
    assert (result["count"], result["inconclusive"]) == (1, 1)
    assert (jobs.jobs, jobs.called("stop")) == ({}, 1)


async def test_a_failure_of_another_metric_stops_a_job(redis_server: RedisServer) -> None:
    """What nobody waits for any more does not go on."""
    jobs = FakeJobs()
    async with alone(redis_server, {"m": lambda: 0}, jobs=jobs) as run:
        await run.start(job_metric(), metric("m"))
        await run.drive_to_the_end()
        assert (await run.ended())[0] is Phase.FAILED
        result = await run.result("smoke")
    assert (jobs.jobs, result["measurements"][0]["message"]) == ({}, "Metric Terminated")


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        pytest.param(1, [5], id="one"),
        pytest.param(2, [4, 5], id="two"),
        pytest.param(9, [1, 2, 3, 4, 5], id="more-than-there-are"),
    ],
)
async def test_a_run_keeps_the_jobs_of_the_measurements_that_it_keeps(
    redis_server: RedisServer, limit: int, kept: list[int]
) -> None:
    """Those of another metric stay."""
    jobs = FakeJobs(ends_at_once="Complete")
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(
            job_metric(interval="60s", count=5),
            job_metric("load"),
            measurementRetention=[{"metricName": "smoke", "limit": limit}],
        )
        await run.drive_to_the_end()
        assert len((await run.result("smoke"))["measurements"]) == len(kept)
    there = {path.removeprefix(f"shop/{RUN_ID}.") for path in jobs.jobs}
    assert there == {"load.1", *(f"smoke.{number}" for number in kept)}
