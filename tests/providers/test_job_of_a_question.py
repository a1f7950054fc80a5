"""job: what is under way for a question serves the next one who asks it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from job_api import ATTEMPT, Clock, Document, FakeJobs, condition, job, provider

from gateway.errors import ProviderRejected
from gateway.model import Phase
from gateway.provider import Progress

NOW = 5_000.0
QUESTION = replace(
    ATTEMPT,
    number=5_000_000,
    began_at_unix_s=NOW,
    joins_since_unix_s=0.0,
    takes_since_unix_s=NOW - 5,
)
NEW = "u-1.smoke.5000000"
LISTED = "list shop?analysisrun.argoproj.io/uid=u-1"
COMPLETE, FAILED = condition("Complete", at=NOW), condition("Failed", at=NOW)


@pytest.mark.parametrize(
    ("there", "joins_since", "takes_since", "found", "began_at"),
    [
        pytest.param([], 0, 4_995, NEW, None, id="nothing-is-there"),
        pytest.param([job("j1")], 0, 4_995, "j1", 1_000, id="one-under-way-serves"),
        pytest.param([job("j1", created_at=1)], 0, 4_995, "j1", 1, id="however-long-it-has-been"),
        pytest.param(
            [job("j1", created_at=4_000), job("j2", created_at=4_002), job("j3", created_at=4_001)],
            0,
            4_995,
            "j2",
            4_002,
            id="the-newest-of-several",
        ),
        pytest.param(
            [job("j1", created_at=4_900)], 4_900, 4_900, "j1", 4_900, id="one-as-young-as-asked"
        ),
        pytest.param(
            [job("j1", created_at=4_899)], 4_900, 4_900, NEW, None, id="one-that-is-too-old"
        ),
        pytest.param(
            [job("j1", created_at=4_899), job("j2", created_at=4_950)],
            4_900,
            4_900,
            "j2",
            4_950,
            id="one-young-enough-beside-one-too-old",
        ),
        pytest.param(
            [job("j1", FAILED, created_at=4_995)],
            0,
            4_995,
            "j1",
            4_995,
            id="one-that-ended-and-began-within-the-age",
        ),
        pytest.param(
            [job("j1", COMPLETE, created_at=4_994)],
            0,
            4_995,
            NEW,
            None,
            id="one-that-ends-only-now-and-began-before-that-age",
        ),
        pytest.param(
            [job("j1", COMPLETE, created_at=4_999), job("j2", created_at=4_000)],
            0,
            4_995,
            "j1",
            4_999,
            id="one-that-has-ended-is-taken-if-it-is-the-newest",
        ),
        pytest.param(
            [job("j1", COMPLETE, created_at=4_990), job("j2", created_at=4_000)],
            0,
            4_995,
            "j2",
            4_000,
            id="one-that-ended-and-is-too-old-hides-none-that-is-under-way",
        ),
        pytest.param(
            [job("j1", COMPLETE, created_at=4_999), job("j2", FAILED, created_at=4_998)],
            4_995,
            4_995,
            "j1",
            4_999,
            id="the-newest-of-those-that-ended",
        ),
        pytest.param(
            [
                job(
                    "j1",
                    condition("SuccessCriteriaMet", at=1),
                    condition("Failed", status="False", at=1),
                    created_at=4_000,
                )
            ],
            0,
            4_995,
            "j1",
            4_000,
            id="what-ends-it-is-not-yet-true",
        ),
        pytest.param(
            [job("j1", created_at=4_999, deletionTimestamp="1970-01-01T01:00:00Z")],
            0,
            4_995,
            NEW,
            None,
            id="one-that-is-being-deleted",
        ),
        pytest.param(
            [job("j1", COMPLETE, creationTimestamp="soon")],
            0,
            4_995,
            NEW,
            None,
            id="one-that-ended-and-is-of-an-unknown-age",
        ),
        pytest.param([job("j1", metric="load")], 0, 4_995, NEW, None, id="one-of-another-metric"),
        pytest.param([job("j1", owner="u-9")], 0, 4_995, NEW, None, id="one-of-another-question"),
        pytest.param([job("j1", annotations=None)], 0, 4_995, NEW, None, id="one-of-no-metric"),
    ],
)
async def test_what_is_under_way_is_the_answer(
    there: Sequence[Document],
    joins_since: float,
    takes_since: float,
    found: str,
    began_at: float | None,
) -> None:
    """Nobody who asks knows the number that a process had which has died; its age is known."""
    jobs = FakeJobs(Clock(NOW), jobs={f"shop/{each['metadata']['name']}": each for each in there})
    attempt = replace(QUESTION, joins_since_unix_s=joins_since, takes_since_unix_s=takes_since)
    assert await provider().advance(jobs.context(), attempt) == Progress(
        phase=Phase.RUNNING,
        metadata={"job-name": found, "job-namespace": "shop"},
        resume_at_unix_s=NOW,
        began_at_unix_s=began_at,
    )
    assert jobs.calls == [LISTED, *([f"create shop/{NEW}"] if found == NEW else [])]


async def test_who_wants_a_new_one_does_not_even_look() -> None:
    """Nothing that is there can have begun since now."""
    jobs = FakeJobs(Clock(NOW), jobs={"shop/j1": job("j1", created_at=NOW)})
    attempt = replace(QUESTION, joins_since_unix_s=NOW, takes_since_unix_s=NOW)
    await provider().advance(jobs.context(), attempt)
    assert jobs.calls == [f"create shop/{NEW}"]


async def test_a_run_takes_no_other_job_for_its_own() -> None:
    """It knows the number of its measurement."""
    jobs = FakeJobs(jobs={"shop/u-1.smoke.1": job()})
    await provider().advance(jobs.context(), replace(ATTEMPT, number=2))
    assert jobs.calls == ["create shop/u-1.smoke.2"]


async def test_who_may_not_list_jobs_is_told_so() -> None:
    """A Job that nobody can find again is not begun."""
    jobs = FakeJobs(faults={"list": ProviderRejected("the gateway has no right to list jobs")})
    with pytest.raises(ProviderRejected, match="no right to list"):
        await provider().advance(jobs.context(), QUESTION)
    assert jobs.created == []


async def test_a_known_job_is_looked_at_whatever_else_there_is() -> None:
    """Once found, it is the measurement to its end."""
    jobs = FakeJobs(
        jobs={"shop/j1": job("j1", condition("Complete")), "shop/j2": job("j2", created_at=NOW)}
    )
    known = {"job-name": "j1", "job-namespace": "shop"}
    progress = await provider().advance(jobs.context(), replace(QUESTION, metadata=known))
    assert (progress.phase, progress.metadata["job-name"]) == (Phase.SUCCESSFUL, "j1")
