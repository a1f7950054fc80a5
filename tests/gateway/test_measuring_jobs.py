"""A question that a Job answers: begun by one caller, waited for by all who ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from job_api import BLOCK, CREATED_AT, FakeJobs, condition, pod, provider, waiting
from manifests import metric
from one_way import ways_of
from virtual_time import in_virtual_time, now_s

from gateway.explanations import Explanations
from gateway.measuring import Measuring, Patience
from gateway.memory import Memory
from gateway.model import Phase
from gateway.plan import MetricPlan
from gateway.planned import Planned, PlannedMetric
from gateway.quota_telemetry import QuotaTelemetry
from gateway.reading_telemetry import ReadingTelemetry
from gateway.readings import Freshness, Readings
from gateway.secrets import Redaction
from gateway.telemetry import Telemetry
from gateway.verdict import Measurement

KEY = "9f86d081884c7d659a2feaa0c55ad015"
FIRST = f"{KEY}.smoke.1000000"
BY_DEFAULT = Freshness(5, is_explicit=False)
PLANNED = PlannedMetric(
    MetricPlan(
        metric=metric("smoke", provider={"job": BLOCK}),
        path="spec.metrics[0]",
        provider_name="job",
        block=BLOCK,
        provider=provider(),
        success_condition="false",
        failure_condition="",
        is_dry_run=False,
    ),
    KEY,
    "",
)
QUESTION = Planned(
    namespace="shop", label="t", templates=(), metrics=(PLANNED,), redaction=Redaction(())
)


def clock() -> float:
    """Wall time, as the loop has it."""
    return CREATED_AT + now_s()


@dataclass
class Replica:
    """One process that is asked."""

    measuring: Measuring

    async def ask(self, freshness: Freshness = BY_DEFAULT, *, wait_s: float = 3_600) -> Measurement:
        """A caller who waits for so long."""
        return await self.measuring.measure(
            PLANNED, planned=QUESTION, freshness=freshness, patience=Patience.of(wait_s)
        )


@asynccontextmanager
async def replica(jobs: FakeJobs) -> AsyncIterator[Replica]:
    """A process of its own on the same cluster; it dies with its callers."""
    telemetry, context = Telemetry(), jobs.context()
    readings = Readings(
        memory=Memory(max_entries=10, max_bytes=10_000, retention_s=3_600),
        shared=None,
        observer=ReadingTelemetry(telemetry),
        now_unix_s=clock,
        monotonic_s=now_s,
    )
    explanations = Explanations(budget_s=0, now_s=now_s)
    yield Replica(
        Measuring(
            readings=readings,
            explanations=explanations,
            ways=ways_of(context, QuotaTelemetry(telemetry)),
            now_unix_s=context.now_unix_s,
            telemetry=telemetry,
        )
    )
    await readings.drain(0)


async def ends(jobs: FakeJobs, name: str, *, after_s: float, how: str = "Complete") -> None:
    """Time passes, and a Job ends."""
    await asyncio.sleep(after_s)
    jobs.end(name, condition(how, at=clock()))


@in_virtual_time
async def test_all_who_ask_at_once_have_one_job() -> None:
    """Its end is the verdict, whatever the metric's conditions are; it takes more than a minute."""
    jobs = FakeJobs(clock)
    async with replica(jobs) as asked:
        first, second, _ = await asyncio.gather(
            asked.ask(), asked.ask(), ends(jobs, FIRST, after_s=100)
        )
        third = await asked.ask(Freshness(3_600, is_explicit=True))
    assert jobs.created == [FIRST]
    assert [each.phase for each in (first, second, third)] == [Phase.SUCCESSFUL] * 3
    assert [each.cache for each in (first, second, third)] == ["miss", "coalesced", "hit"]
    assert first.reading is not None
    assert (first.reading.text, first.reading.metadata) == (
        "the Job is complete",
        {"job-name": FIRST, "job-namespace": "shop"},
    )
    assert 100 <= now_s() < 120


@in_virtual_time
async def test_a_caller_who_does_not_wait_leaves_the_job_to_the_next() -> None:
    """Who is told how to go on."""
    jobs = FakeJobs(clock)
    async with replica(jobs) as asked:
        first = await asked.ask(wait_s=8)
        second, _ = await asyncio.gather(asked.ask(), ends(jobs, FIRST, after_s=30, how="Failed"))
    assert (first.phase, first.message) == (
        Phase.RUNNING,
        "not measured within 8s; the measurement goes on, ask again",
    )
    assert (second.phase, second.message) == (Phase.FAILED, "")
    assert jobs.created == [FIRST]


@pytest.mark.parametrize(
    ("freshness", "created"),
    [
        pytest.param(BY_DEFAULT, [FIRST], id="any-will-do"),
        pytest.param(Freshness(10, is_explicit=True), [FIRST], id="one-that-is-young-enough"),
        pytest.param(
            Freshness(5, is_explicit=True),
            [FIRST, f"{KEY}.smoke.1008000"],
            id="one-that-is-too-old",
        ),
        pytest.param(
            Freshness(0, is_explicit=True),
            [FIRST, f"{KEY}.smoke.1008000"],
            id="nothing-but-a-new-one",
        ),
    ],
)
def test_the_job_of_a_replica_that_died_is_found_by_another(
    freshness: Freshness, created: list[str]
) -> None:
    """If it is what the caller wants."""

    @in_virtual_time
    async def story() -> None:
        jobs = FakeJobs(clock)
        async with replica(jobs) as dies:
            assert (await dies.ask(wait_s=8)).phase is Phase.RUNNING
        async with replica(jobs) as lives:
            measured, _ = await asyncio.gather(
                lives.ask(freshness), ends(jobs, created[-1], after_s=5)
            )
        assert measured.phase is Phase.SUCCESSFUL
        assert jobs.created == created

    story()


@pytest.mark.parametrize(
    ("freshness", "asked_at_s", "is_new"),
    [
        pytest.param(BY_DEFAULT, 4, False, id="created-within-the-default-age"),
        pytest.param(BY_DEFAULT, 6, True, id="created-before-it-although-it-ended-within-it"),
        pytest.param(BY_DEFAULT, 51, True, id="ended-long-ago"),
        pytest.param(Freshness(60, is_explicit=True), 58, False, id="created-within-an-age"),
        pytest.param(Freshness(60, is_explicit=True), 61, True, id="created-before-that-age"),
        pytest.param(Freshness(0, is_explicit=True), 4, True, id="nothing-but-a-new-one"),
    ],
)
def test_the_end_of_a_job_is_repeated_no_longer_than_the_age(
    freshness: Freshness,
    asked_at_s: float,
    is_new: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """By a replica that was not there: what counts is when the Job was created."""

    @in_virtual_time
    async def story() -> None:
        jobs = FakeJobs(clock)
        async with replica(jobs) as dies:
            await asyncio.gather(dies.ask(), ends(jobs, FIRST, after_s=3))
        jobs.ends_at_once = "Failed"
        await asyncio.sleep(asked_at_s - now_s())
        async with replica(jobs) as lives:
            measured = await lives.ask(freshness)
        assert len(jobs.created) == 1 + is_new
        assert measured.phase is (Phase.FAILED if is_new else Phase.SUCCESSFUL)

    story()


@in_virtual_time
async def test_two_who_want_a_new_one_within_a_second_have_two_jobs() -> None:
    """Their numbers are milliseconds."""
    jobs = FakeJobs(clock, ends_at_once="Complete")
    async with replica(jobs) as asked:
        await asked.ask(Freshness(0, is_explicit=True))
        await asked.ask(Freshness(0, is_explicit=True))
    assert jobs.created == [FIRST, f"{KEY}.smoke.1000250"]


@in_virtual_time
async def test_an_image_that_cannot_be_pulled_is_asked_for_again() -> None:
    """It is no verdict to repeat; the Job goes on, and so may still find its image."""
    jobs = FakeJobs(clock, pods_there=[pod("p1", waiting("t", "ErrImagePull", "no"), of=FIRST)])
    async with replica(jobs) as asked:
        first = await asked.ask()
        jobs.pods_there.clear()
        second, _ = await asyncio.gather(asked.ask(), ends(jobs, FIRST, after_s=5))
    assert (first.phase, first.message) == (
        Phase.INCONCLUSIVE,
        "Pod p1, container t has terminal error (ErrImagePull): no\n",
    )
    assert second.phase is Phase.SUCCESSFUL
    assert jobs.created == [FIRST]


@in_virtual_time
async def test_a_job_without_end_is_given_up() -> None:
    """A while after its deadline."""
    jobs = FakeJobs(clock)
    async with replica(jobs) as asked:
        measured = await asked.ask()
    assert (measured.phase, now_s()) == (Phase.ERROR, 1_200)


@in_virtual_time
async def test_a_question_that_is_asked_again_and_again_leaves_few_jobs() -> None:
    """The newest that have ended, which here is at once."""
    jobs = FakeJobs(clock, ends_at_once="Complete")
    async with replica(jobs) as asked:
        for _ in range(6):
            await asked.ask(Freshness(0, is_explicit=True))
            await asyncio.sleep(100)
    assert len(jobs.created) == 6
    assert list(jobs.jobs) == [f"shop/{name}" for name in jobs.created[-3:]]
