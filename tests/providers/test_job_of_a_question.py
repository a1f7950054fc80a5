"""job: what is under way for a question serves the next one who asks it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from job_api import ATTEMPT, Clock, Document, FakeJobs, condition, job, provider

from gateway.errors import ProviderRejected
from gateway.model import Phase
from gateway.provider import Progress
from providers.job import CLAIMABLE_S

NOW = 5_000.0
QUESTION = replace(ATTEMPT, is_one_of_many=True, number=5_000, began_at_unix_s=NOW)
NEW = "u-1.smoke.5000"
LISTED = "list shop?analysisrun.argoproj.io/uid=u-1"


@pytest.mark.parametrize(
    ("there", "not_before", "found"),
    [
        pytest.param([], 0.0, NEW, id="nothing-is-there"),
        pytest.param([job("j1")], 0.0, "j1", id="one-under-way-serves"),
        pytest.param([job("j1", created_at=1)], 0.0, "j1", id="however-long-it-has-been"),
        pytest.param(
            [job("j1", created_at=4_000), job("j2", created_at=4_002), job("j3", created_at=4_001)],
            0.0,
            "j2",
            id="the-newest-of-several",
        ),
        pytest.param([job("j1", created_at=4_900)], 4_900.0, "j1", id="one-as-young-as-wanted"),
        pytest.param([job("j1", created_at=4_899)], 4_900.0, NEW, id="one-that-is-too-old"),
        pytest.param(
            [job("j1", created_at=4_899), job("j2", created_at=4_950)],
            4_900.0,
            "j2",
            id="one-young-enough-beside-one-too-old",
        ),
        pytest.param(
            [job("j1", condition("Failed", at=NOW - CLAIMABLE_S))],
            0.0,
            "j1",
            id="one-whose-end-nobody-may-have-seen-yet",
        ),
        pytest.param(
            [job("j1", condition("Complete", at=NOW - CLAIMABLE_S - 1))],
            0.0,
            NEW,
            id="one-that-ended-too-long-ago",
        ),
        pytest.param(
            [
                job(
                    "j1",
                    condition("SuccessCriteriaMet", at=1),
                    condition("Failed", status="False", at=1),
                    condition("Complete", at=NOW),
                )
            ],
            0.0,
            "j1",
            id="only-the-condition-that-ends-it-says-when",
        ),
        pytest.param(
            [job("j1", deletionTimestamp="1970-01-01T01:00:00Z")],
            0.0,
            NEW,
            id="one-that-is-being-deleted",
        ),
        pytest.param([job("j1", metric="load")], 0.0, NEW, id="one-of-another-metric"),
        pytest.param([job("j1", owner="u-9")], 0.0, NEW, id="one-of-another-question"),
        pytest.param([job("j1", annotations=None)], 0.0, NEW, id="one-of-no-metric"),
    ],
)
async def test_what_is_under_way_is_the_answer(
    there: Sequence[Document], not_before: float, found: str
) -> None:
    """Nobody who asks knows the number that a process had which has died."""
    jobs = FakeJobs(Clock(NOW), jobs={f"shop/{each['metadata']['name']}": each for each in there})
    attempt = replace(QUESTION, not_before_unix_s=not_before)
    assert await provider().advance(jobs.context(), attempt) == Progress(
        phase=Phase.RUNNING,
        metadata={"job-name": found, "job-namespace": "shop"},
        resume_at_unix_s=NOW,
    )
    assert jobs.calls == [LISTED, *([f"create shop/{NEW}"] if found == NEW else [])]


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
