"""Runs whose measurements are Jobs, when something else goes wrong than what is tested."""

import asyncio
from pathlib import Path

from job_api import AWAY, FakeJobs, condition, job
from redis_server import RedisServer, until
from runs_alone import RUN_ID, alone, job_metric

from gateway.errors import ProviderRejected
from gateway.model import Phase
from gateway.secret_files import SecretsFolder

FIRST, SECOND = f"{RUN_ID}.smoke.1", f"{RUN_ID}.smoke.2"
MARKS = {"job-name": FIRST, "job-namespace": "shop"}
COMPLETE = condition("Complete")
INCONCLUSIVE = (
    'Metric "smoke" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0):'
)
BEGAN_AT = "1970-01-01T00:16:40.000Z"


async def test_a_job_that_cannot_be_stopped_is_an_error(redis_server: RedisServer) -> None:
    """Within the limit of Errors the run is Successful; the message stays."""
    jobs = FakeJobs(faults={"stop": ProviderRejected("jobs.batch is forbidden")})
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric())
        await run.drive()
        await run.store.terminate(RUN_ID)
        assert await run.drive() is None
        result = await run.result("smoke")
        assert (await run.ended())[0] is Phase.SUCCESSFUL
    assert (result["phase"], result["message"], result["error"]) == (
        "Successful",
        "jobs.batch is forbidden",
        1,
    )


async def test_a_run_that_ends_while_the_api_server_is_away_has_not_passed(
    redis_server: RedisServer,
) -> None:
    """Nobody knows how its Job ends, which the message says."""
    jobs = FakeJobs(faults={"stop": AWAY})
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric())
        await run.drive()
        await run.store.terminate(RUN_ID)
        assert await run.drive() is None
        message = f"Metric Terminated; it may go on until its deadline: {AWAY}"
        assert await run.ended() == (
            Phase.INCONCLUSIVE,
            f'{INCONCLUSIVE} "Error Message: {message}"',
        )
        result = await run.result("smoke")
    assert (result["measurements"][0]["message"], result["inconclusive"]) == (message, 1)
    assert "error" not in result


async def test_a_job_of_which_nothing_can_be_learned_is_stopped(
    redis_server: RedisServer,
) -> None:
    """The next measurement is not to run beside it."""
    jobs = FakeJobs()
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric())
        await run.drive()
        jobs.faults = {"read": ProviderRejected("jobs.batch is forbidden")}
        run.now_unix_s = 1_020.0
        await run.drive()
        assert ((await run.result("smoke"))["error"], jobs.jobs) == (1, {})
        jobs.faults, jobs.ends_at_once = {}, "Complete"
        run.now_unix_s = 1_031.0
        await run.drive_to_the_end()
        assert (await run.ended())[0] is Phase.SUCCESSFUL
    assert jobs.created == [FIRST, SECOND]


async def test_a_job_of_somebody_else_that_is_in_the_way_stays(redis_server: RedisServer) -> None:
    """Neither is it taken for ours, nor is it stopped when ours cannot be begun."""
    theirs = job(FIRST, owner="u-9")
    jobs = FakeJobs(jobs={f"shop/{FIRST}": theirs})
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric())
        await run.drive()
        result = await run.result("smoke")
    assert (result["error"], result["measurements"][0]["message"]) == (
        1,
        f'jobs.batch "{FIRST}" already exists',
    )
    assert jobs.jobs == {f"shop/{FIRST}": theirs}


async def test_a_job_that_nobody_recorded_ends_with_its_run(redis_server: RedisServer) -> None:
    """Its driver died after it was created, and the run lasts too long."""
    jobs = FakeJobs(answers_once=asyncio.Event())
    async with alone(redis_server, {}, jobs=jobs, maxDuration="100s") as run:
        await run.start(job_metric())
        killed = asyncio.create_task(run.drive())
        await until(lambda: jobs.created == [FIRST])
        killed.cancel()
        await asyncio.wait({killed})
        run.now_unix_s = 1_100.0
        assert await run.drive() is None
    assert jobs.jobs == {}


async def test_a_driver_that_dies_before_it_saved_leaves_a_job_to_the_next(
    redis_server: RedisServer,
) -> None:
    """The next one finds it under the name that it would have given it."""
    jobs = FakeJobs(answers_once=asyncio.Event())
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric())
        killed = asyncio.create_task(run.drive())
        await until(lambda: jobs.created == [FIRST])
        killed.cancel()
        await asyncio.wait({killed})
        state = await run.store.state(RUN_ID)
        assert state is not None
        assert state.status.metric_results == ()
        run.now_unix_s = 1_030.0
        await run.drive()
        assert (await run.result("smoke"))["measurements"][0]["metadata"] == MARKS
        jobs.end(FIRST, COMPLETE)
        await run.drive_to_the_end()
        assert (await run.result("smoke"))["successful"] == 1
    assert jobs.created == [FIRST]


async def test_a_job_that_is_gone_is_counted_once_and_measured_anew(
    redis_server: RedisServer,
) -> None:
    """The Error takes the place of the measurement in flight; ten seconds later the next begins."""
    jobs = FakeJobs()
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric())
        await run.drive()
        jobs.jobs.clear()
        run.now_unix_s = 1_020.0
        assert await run.drive() == 1_030.0
        result = await run.result("smoke")
        assert result["measurements"] == [
            {
                "phase": "Error",
                "startedAt": BEGAN_AT,
                "finishedAt": "1970-01-01T00:17:00.000Z",
                "message": f'job.batch "{FIRST}" not found',
                "metadata": MARKS,
            }
        ]
        assert (result["error"], result["consecutiveError"], "count" in result) == (1, 1, False)
        jobs.ends_at_once = "Complete"
        run.now_unix_s = 1_031.0
        await run.drive_to_the_end()
        result = await run.result("smoke")
    assert (result["error"], result["successful"], len(result["measurements"])) == (1, 1, 2)
    assert jobs.created == [FIRST, SECOND]


async def test_an_api_server_that_is_away_for_a_while_is_no_error(
    redis_server: RedisServer,
) -> None:
    """Whether the Job had been created or not; the document says what is waited for."""
    jobs = FakeJobs(faults={"create": AWAY})
    async with alone(redis_server, {}, jobs=jobs) as run:
        await run.start(job_metric())
        await run.drive()
        assert (await run.result("smoke"))["measurements"] == [
            {
                "phase": "Running",
                "startedAt": BEGAN_AT,
                "message": str(AWAY),
                "resumeAt": BEGAN_AT,
            }
        ]
        jobs.faults, jobs.loses_answers = {}, True
        run.now_unix_s = 1_002.0
        await run.drive()
        jobs.faults, jobs.loses_answers = {"read": AWAY}, False
        run.now_unix_s = 1_004.0
        await run.drive()
        jobs.faults = {}
        jobs.end(FIRST, COMPLETE)
        run.now_unix_s = 1_100.0
        await run.drive_to_the_end()
        result = await run.result("smoke")
    assert jobs.created == [FIRST]
    assert (result["phase"], "error" in result) == ("Successful", False)
    assert result["measurements"][0]["startedAt"] == BEGAN_AT
    assert "message" not in result["measurements"][0]


async def test_a_job_is_found_again_although_its_name_holds_a_secret(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """Nobody can know that the password of some database is the name of the namespace."""
    key = tmp_path / "shop" / "s" / "k"
    key.parent.mkdir(parents=True)
    key.write_text("shop")
    jobs = FakeJobs(ends_at_once="Complete")
    async with alone(redis_server, {}, jobs=jobs, secrets=SecretsFolder(tmp_path)) as run:
        await run.start(
            job_metric(),
            args=[{"name": "s", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        )
        await run.drive_to_the_end()
        result = await run.result("smoke")
    assert result["phase"] == "Successful"
    assert result["measurements"][0]["metadata"]["job-namespace"] == "*****"


async def test_a_run_that_lasts_too_long_takes_its_job_along(redis_server: RedisServer) -> None:
    """Nothing goes on that nobody looks at any more."""
    jobs = FakeJobs()
    async with alone(redis_server, {}, jobs=jobs, maxDuration="100s") as run:
        await run.start(job_metric())
        await run.drive()
        run.now_unix_s = 1_100.0
        assert await run.drive() is None
        (measurement,) = (await run.result("smoke"))["measurements"]
        assert await run.ended() == (
            Phase.INCONCLUSIVE,
            "Run did not end within 100s (runs.maxDuration)",
        )
    assert (measurement["phase"], measurement["message"]) == ("Inconclusive", "Metric Terminated")
    assert (jobs.created, list(jobs.jobs)) == ([FIRST], [])


class MeetingJobs(FakeJobs):
    """Answers who stops a Job when somebody stops another one, too."""

    def __init__(self) -> None:
        super().__init__()
        self._both = asyncio.Barrier(2)

    async def stop(self, namespace: str, name: str) -> None:
        """Delete a Job, its pods first."""
        async with asyncio.timeout(5):
            await self._both.wait()
        await super().stop(namespace, name)


async def test_one_job_that_is_slow_to_stop_does_not_hold_up_another(
    redis_server: RedisServer,
) -> None:
    """Who ends a run may have little time left, and all of its Jobs are to be stopped in it."""
    jobs = MeetingJobs()
    async with alone(redis_server, {}, jobs=jobs, maxDuration="100s") as run:
        await run.start(job_metric("smoke"), job_metric("load"))
        await run.drive()
        run.now_unix_s = 1_100.0
        assert await run.drive() is None
        results = [await run.result(name) for name in ("smoke", "load")]
    assert [each["measurements"][0]["message"] for each in results] == ["Metric Terminated"] * 2
    assert (len(jobs.created), jobs.jobs) == (2, {})


async def test_a_run_that_cannot_be_planned_any_more_ends_in_time_all_the_same(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """Its Job goes on until its own deadline: without its secret nobody knows what it was."""
    key = tmp_path / "shop" / "s" / "k"
    key.parent.mkdir(parents=True)
    key.write_text("hush")
    jobs = FakeJobs()
    secrets = SecretsFolder(tmp_path)
    async with alone(redis_server, {}, jobs=jobs, secrets=secrets, maxDuration="100s") as run:
        await run.start(
            job_metric(),
            args=[{"name": "s", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        )
        await run.drive()
        key.unlink()
        run.now_unix_s = 1_100.0
        assert await run.drive() is None
        assert (await run.ended())[0] is Phase.INCONCLUSIVE
        (measurement,) = (await run.result("smoke"))["measurements"]
    assert measurement["phase"] == "Running"
    assert len(jobs.jobs) == 1
