"""job: how a Job stands, by its conditions and its images."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from job_api import (
    ATTEMPT,
    CREATED_AT,
    MARKS,
    Clock,
    Document,
    FakeJobs,
    condition,
    ended,
    exited,
    job,
    looked,
    pod,
    provider,
    waiting,
)

from gateway.errors import ProviderRejected
from gateway.model import Phase
from gateway.provider import Progress

FOUND = replace(ATTEMPT, metadata=MARKS)
RUNNING = Progress(phase=Phase.RUNNING, metadata=MARKS, resume_at_unix_s=CREATED_AT + 4)
COMPLETE, FAILED = condition("Complete"), condition("Failed", "BackoffLimitExceeded")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        pytest.param([], RUNNING, id="no-condition-yet"),
        pytest.param([COMPLETE], ended(Phase.SUCCESSFUL, "the Job is complete"), id="complete-J08"),
        pytest.param(
            [FAILED],
            ended(
                Phase.FAILED,
                "the Job has failed: BackoffLimitExceeded",
                job_reason="BackoffLimitExceeded",
            ),
            id="failed-J09",
        ),
        pytest.param([condition("Failed")], ended(Phase.FAILED, "the Job has failed"), id="unsaid"),
        pytest.param(
            [condition("Complete", "CompletionsReached")],
            ended(
                Phase.SUCCESSFUL,
                "the Job is complete: CompletionsReached",
                job_reason="CompletionsReached",
            ),
            id="complete-for-a-reason",
        ),
        pytest.param(
            [FAILED, COMPLETE],
            ended(Phase.SUCCESSFUL, "the Job is complete"),
            id="of-both-the-later-one-counts",
        ),
        pytest.param(
            [COMPLETE, condition("Failed")],
            ended(Phase.FAILED, "the Job has failed"),
            id="of-both-the-later-one-counts-whichever-it-is",
        ),
        pytest.param(
            [COMPLETE, condition("Failed", status="False")],
            ended(Phase.SUCCESSFUL, "the Job is complete"),
            id="what-is-not-true-is-no-condition",
        ),
        pytest.param(
            [condition("Complete", status="False"), condition("Failed", status="Unknown")],
            RUNNING,
            id="nothing-is-true",
        ),
        pytest.param(
            [condition("SuccessCriteriaMet"), condition("FailureTarget")],
            RUNNING,
            id="what-is-certain-is-not-over",
        ),
    ],
)
async def test_a_condition_decides(conditions: Sequence[Document], expected: Progress) -> None:
    """Unlike in Argo, one that is not True does not."""
    assert await looked(FakeJobs(), *conditions) == expected


@pytest.mark.parametrize("status", [None, [], {"conditions": None}, {"conditions": ["Complete"]}])
async def test_a_job_without_a_proper_status_runs(status: object) -> None:
    """Nothing is made up of what is not there."""
    jobs = FakeJobs(Clock(), jobs={"shop/u-1.smoke.1": {**job(), "status": status}})
    progress = await provider().advance(jobs.context(), FOUND)
    assert progress.phase is Phase.RUNNING


def trouble(text: str) -> Progress:
    """An image that cannot be had."""
    return Progress(
        phase=Phase.INCONCLUSIVE,
        message=f"Pod {text}\n",
        text="an image cannot be pulled",
        metadata=MARKS,
    )


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param(
            [pod("p1", waiting("t", "ImagePullBackOff", "back-off"))],
            trouble("p1, container t has terminal error (ImagePullBackOff): back-off"),
            id="a-container-J11",
        ),
        pytest.param(
            [
                pod(
                    "p1",
                    waiting("t", "ErrImagePull"),
                    init=[exited("i", 0), waiting("j", "InvalidImageName", "couldn't parse")],
                )
            ],
            trouble("p1, container j has terminal error (InvalidImageName): couldn't parse"),
            id="init-containers-first-J12",
        ),
        pytest.param(
            [
                pod("p2", waiting("t", "ErrImagePull", "no")),
                pod("p1", waiting("t", "ErrImagePull")),
            ],
            trouble("p2, container t has terminal error (ErrImagePull): no"),
            id="pods-in-their-order",
        ),
        pytest.param(
            [pod("p1", waiting("t", "CrashLoopBackOff"))], RUNNING, id="a-crash-may-pass-J13"
        ),
        pytest.param(
            [pod("p1", exited("t", 1), waiting("s", "PodInitializing"))], RUNNING, id="a-restart"
        ),
        pytest.param(
            [pod("p1", waiting("t", "ErrImagePull"), of="u-1.smoke.2")],
            RUNNING,
            id="pods-of-other-jobs-do-not-count",
        ),
        pytest.param([{"metadata": {"labels": {"job-name": "u-1.smoke.1"}}}], RUNNING, id="no-pod"),
    ],
)
async def test_an_image_that_cannot_be_pulled_is_inconclusive(
    pods: list[Document], expected: Progress
) -> None:
    """It says nothing of what was to be tested."""
    assert await looked(FakeJobs(pods_there=pods)) == expected


async def test_pods_are_those_with_the_jobs_name() -> None:
    """Whatever a selector says: no Job with one of its own is created."""
    there = job()
    there["spec"] = {"selector": {"matchLabels": {"job-name": "other"}}}
    jobs = FakeJobs(jobs={"shop/u-1.smoke.1": there})
    await provider().advance(jobs.context(), FOUND)
    assert jobs.calls == ["read shop/u-1.smoke.1", "pods shop?job-name=u-1.smoke.1"]


async def test_who_may_not_list_pods_waits_for_the_job() -> None:
    """It runs on and says why nothing more is known; the Job decides all the same."""
    jobs = FakeJobs(faults={"pods": ProviderRejected("no right to list pods")})
    assert await looked(jobs) == replace(RUNNING, message="no right to list pods")
    assert await looked(jobs, FAILED) == ended(
        Phase.FAILED,
        "the Job has failed: BackoffLimitExceeded",
        job_reason="BackoffLimitExceeded",
        log_error="no right to list pods",
    )


async def test_a_job_that_has_ended_is_not_asked_for_its_images() -> None:
    """What other pods of it wait for does not matter any more."""
    jobs = FakeJobs(pods_there=[pod("p1", waiting("t", "ErrImagePull"))])
    assert await looked(jobs, COMPLETE) == ended(Phase.SUCCESSFUL, "the Job is complete")
