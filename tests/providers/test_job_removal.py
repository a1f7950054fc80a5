"""job: Jobs are stopped when nobody wants them any more, and removed when they are old."""

from dataclasses import replace

import pytest
from job_api import (
    ATTEMPT,
    AWAY,
    CREATED_AT,
    MARKS,
    Document,
    FakeJobs,
    condition,
    job,
    provider,
)

from gateway.errors import ProviderError, ProviderRejected

DONE = condition("Complete")
UID_LABEL = "analysisrun.argoproj.io/uid"


@pytest.mark.parametrize(
    ("metadata", "there", "calls"),
    [
        pytest.param(MARKS, None, ["stop shop/u-1.smoke.1"], id="as-it-was-recorded"),
        pytest.param(
            {"job-name": "old", "job-namespace": "before"},
            None,
            ["stop before/old"],
            id="where-it-was-begun-whatever-the-rules-say-now",
        ),
        pytest.param(
            {},
            job(),
            ["read jobs/u-1.smoke.1", "stop jobs/u-1.smoke.1"],
            id="if-nobody-heard-of-its-creation",
        ),
        pytest.param({}, None, ["read jobs/u-1.smoke.1"], id="if-there-never-was-one"),
        pytest.param(
            {},
            job(owner="u-9"),
            ["read jobs/u-1.smoke.1"],
            id="but-not-one-of-another-run-that-was-in-the-way",
        ),
        pytest.param(
            {},
            job(metric="load"),
            ["read jobs/u-1.smoke.1"],
            id="nor-one-of-another-metric",
        ),
    ],
)
async def test_a_job_is_stopped(
    metadata: dict[str, str], there: Document | None, calls: list[str]
) -> None:
    """With its pods; one that is not there is fine (J16), and nobody else's is touched."""
    jobs = FakeJobs(jobs={} if there is None else {"jobs/u-1.smoke.1": there})
    attempt = replace(ATTEMPT, metadata=metadata)
    await provider(namespace="jobs").terminate(jobs.context(), attempt)
    assert jobs.calls == calls


@pytest.mark.parametrize("error", [AWAY, ProviderRejected("jobs.batch is forbidden")])
async def test_a_job_that_cannot_be_stopped_is_an_error(error: ProviderError) -> None:
    """With the API's words (J17)."""
    jobs = FakeJobs(faults={"stop": error})
    with pytest.raises(type(error), match=str(error)):
        await provider().terminate(jobs.context(), replace(ATTEMPT, metadata=MARKS))


@pytest.mark.parametrize(
    ("there", "keep", "dropped"),
    [
        pytest.param(
            [job(f"j{number}", DONE, created_at=CREATED_AT - number) for number in range(12)],
            10,
            ["j11", "j10"],
            id="the-oldest-go-first-J18",
        ),
        pytest.param([job("j1", DONE), job("j2", DONE)], 2, [], id="as-many-as-are-kept"),
        pytest.param([job("j1", DONE)], 2, [], id="fewer-than-are-kept"),
        pytest.param(
            [job("j1", condition("Failed")), job("j2", DONE)], 0, ["j1", "j2"], id="none-is-kept"
        ),
        pytest.param(
            [job("old", created_at=1), job("j2", DONE), job("j3", DONE, created_at=2_000)],
            1,
            ["j2"],
            id="one-that-has-not-ended-stays-and-does-not-count",
        ),
        pytest.param(
            [job("j1", DONE, metric="load"), job("j2", DONE), job("j3", DONE)],
            1,
            ["j2"],
            id="those-of-another-metric-stay-and-do-not-count",
        ),
        pytest.param(
            [job("j1", DONE, owner="u-9"), job("j2", DONE, created_at=2_000)],
            1,
            [],
            id="those-of-another-run-stay",
        ),
        pytest.param(
            [job("j1", DONE), job("j2", DONE, creationTimestamp="soon")],
            1,
            ["j2"],
            id="one-of-an-unknown-age-is-the-oldest",
        ),
    ],
)
async def test_old_jobs_are_removed(there: list[Document], keep: int, dropped: list[str]) -> None:
    """Unlike Argo's, those of one metric, and only what has ended."""
    jobs = FakeJobs(jobs={f"shop/{each['metadata']['name']}": each for each in there})
    await provider().collect(jobs.context(), ATTEMPT, keep=keep)
    assert jobs.calls == [f"list shop?{UID_LABEL}=u-1", *(f"drop shop/{name}" for name in dropped)]
