"""job: a Job is begun once, looked at, waited for, stopped and removed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from job_api import (
    ATTEMPT,
    AWAY,
    BLOCK,
    CREATED_AT,
    MARKS,
    Clock,
    Document,
    FakeJobs,
    block,
    condition,
    job,
    provider,
    world_with,
)

from gateway.errors import ProviderError, ProviderInvalid, ProviderRejected
from gateway.model import Phase
from gateway.provider import LastingProvider, Progress
from providers.job import AWAY_FOR_S, LONGEST_S

FOUND = replace(ATTEMPT, metadata=MARKS)
BEGUN = Progress(phase=Phase.RUNNING, metadata=MARKS, resume_at_unix_s=CREATED_AT)
UID_LABEL = "analysisrun.argoproj.io/uid"
EXISTS = 'AlreadyThere: jobs.batch "u-1.smoke.1" already exists'
FORBIDDEN = ProviderRejected("jobs.batch is forbidden")


async def outcome(work: Awaitable[Any]) -> Any:
    """What comes of a call, or the error's class and text."""
    try:
        return await work
    except ProviderError as error:
        return f"{type(error).__name__}: {error}"


async def test_a_measurement_is_a_job() -> None:
    """It is created under the name that Argo gives it, and looked at as soon as may be (J01)."""
    jobs = FakeJobs()
    assert await provider().advance(jobs.context(), ATTEMPT) == BEGUN
    assert jobs.calls == ["create shop/u-1.smoke.1"]


async def test_jobs_may_have_a_namespace_of_their_own() -> None:
    """The deployer's, whatever the run's is (J04)."""
    jobs = FakeJobs()
    progress = await provider(namespace="jobs").advance(jobs.context(), ATTEMPT)
    assert progress.metadata == {"job-name": "u-1.smoke.1", "job-namespace": "jobs"}
    assert jobs.jobs["jobs/u-1.smoke.1"]["metadata"]["namespace"] == "jobs"


@pytest.mark.parametrize(
    ("there", "faults", "expected"),
    [
        pytest.param(job(), {}, BEGUN, id="one-of-the-same-run-is-adopted-J05"),
        pytest.param(job(owner="u-9"), {}, EXISTS, id="one-of-another-run-is-not-J06"),
        pytest.param({"metadata": {}}, {}, EXISTS, id="nor-is-one-of-nobody"),
        pytest.param(job(metric="smoke-2"), {}, EXISTS, id="nor-is-one-of-another-metric"),
        pytest.param(
            job(), {"read": FORBIDDEN}, f"ProviderRejected: {FORBIDDEN}", id="nor-one-unseen"
        ),
        pytest.param(
            None,
            {"create": ProviderRejected("random create failure")},
            "ProviderRejected: random create failure",
            id="what-the-api-refuses-is-an-error-J07",
        ),
    ],
)
async def test_a_creation_meets_what_is_there(
    there: Document | None, faults: dict[str, Exception], expected: Progress | str
) -> None:
    """The name says whose a Job is, and the label proves it."""
    jobs = FakeJobs(faults=faults, jobs={} if there is None else {"shop/u-1.smoke.1": there})
    assert await outcome(provider().advance(jobs.context(), ATTEMPT)) == expected
    assert jobs.created == []


async def test_a_job_that_is_gone_when_it_is_read_is_not_adopted() -> None:
    """Between a creation that was refused and the look at what was in its way."""

    class Vanishing(FakeJobs):
        async def read(self, namespace: str, name: str) -> Document | None:
            self.jobs.clear()
            return await super().read(namespace, name)

    jobs = Vanishing(jobs={"shop/u-1.smoke.1": job()})
    assert await outcome(provider().advance(jobs.context(), ATTEMPT)) == EXISTS


@pytest.mark.parametrize(
    ("attempt", "began_at"),
    [
        pytest.param(ATTEMPT, None, id="of-a-run"),
        pytest.param(
            replace(ATTEMPT, joins_since_unix_s=0.0, takes_since_unix_s=CREATED_AT - 5),
            CREATED_AT,
            id="of-a-question",
        ),
        pytest.param(
            replace(
                ATTEMPT,
                joins_since_unix_s=CREATED_AT + 0.5,
                takes_since_unix_s=CREATED_AT + 0.5,
            ),
            None,
            id="of-a-question-that-wants-it-newer-than-whole-seconds-tell",
        ),
    ],
)
async def test_a_job_whose_creation_nobody_heard_of_is_not_created_twice(
    attempt: Any, began_at: float | None
) -> None:
    """The same number, the same name; the Job that is there is the measurement."""
    clock = Clock()
    jobs = FakeJobs(clock, loses_answers=True)
    first = await provider().advance(jobs.context(), attempt)
    assert first == Progress(
        phase=Phase.RUNNING, message=str(AWAY), metadata={}, resume_at_unix_s=CREATED_AT
    )
    clock.now_unix_s += 8
    again = replace(attempt, metadata=first.metadata)
    assert await provider().advance(jobs.context(), again) == replace(
        BEGUN, resume_at_unix_s=CREATED_AT + 8, began_at_unix_s=began_at
    )
    assert jobs.created == ["u-1.smoke.1"]


async def test_a_job_is_found_again_when_its_metadata_are_lost() -> None:
    """Unlike Argo, for which that is an Error (J14)."""
    jobs = FakeJobs(jobs={"shop/u-1.smoke.1": job()})
    assert await provider().advance(jobs.context(), ATTEMPT) == BEGUN


@pytest.mark.parametrize("call", ["create", "read"])
@pytest.mark.parametrize(
    ("elapsed_s", "waits_s"),
    [
        pytest.param(0, 0.0, id="at-once"),
        pytest.param(50, 10.0, id="after-50-s"),
        pytest.param(1_250, 50.0, id="after-more-than-its-deadline"),
        pytest.param(600 + AWAY_FOR_S, pytest.approx(2_400**0.5), id="to-the-last-moment"),
        pytest.param(601 + AWAY_FOR_S, None, id="and-no-longer"),
    ],
)
async def test_an_api_server_that_is_away_is_waited_for(
    call: str, elapsed_s: float, waits_s: float | None
) -> None:
    """The measurement stays Running and says why; for as long as the Job may take, and a while."""
    known = MARKS if call == "read" else {}
    jobs = FakeJobs(Clock(CREATED_AT + elapsed_s), faults={call: AWAY})
    deadline_s = 1_000 if elapsed_s == 1_250 else 600
    progress = await outcome(
        provider(active_deadline_s=deadline_s).advance(
            jobs.context(), replace(ATTEMPT, metadata=known)
        )
    )
    if waits_s is None:
        assert progress == f"ProviderUnreachable: {AWAY}"
    else:
        assert progress.resume_at_unix_s - jobs.clock() == waits_s
        assert progress == Progress(
            phase=Phase.RUNNING,
            message=str(AWAY),
            metadata=known,
            resume_at_unix_s=progress.resume_at_unix_s,
        )


@pytest.mark.parametrize(
    ("spec", "longest_s"),
    [
        pytest.param({}, 900.0, id="the-deployers-deadline"),
        pytest.param({"activeDeadlineSeconds": 60}, 660.0, id="the-templates-deadline"),
        pytest.param({"activeDeadlineSeconds": 0}, 600.0, id="none-at-all-is-one"),
        pytest.param({"activeDeadlineSeconds": None}, 900.0, id="null-is-the-deployers"),
        pytest.param({"activeDeadlineSeconds": "60"}, 900.0, id="a-text-is-refused-anyway"),
        pytest.param({"activeDeadlineSeconds": 85_799}, 86_399.0, id="almost-a-day"),
        pytest.param({"activeDeadlineSeconds": 85_801}, 86_400.0, id="a-day-at-most"),
        pytest.param({"activeDeadlineSeconds": 2**31 - 1}, 86_400.0, id="68-years"),
    ],
)
def test_a_measurement_lasts_no_longer_than_its_job(spec: Document, longest_s: float) -> None:
    """Its deadline, and ten minutes in which Kubernetes may be away; never more than a day."""
    assert provider(block(**spec), active_deadline_s=300).longest_s() == longest_s


def test_a_deadline_of_the_deployer_is_capped_as_well() -> None:
    """What templates set and what they leave to the deployer is one."""
    assert provider(active_deadline_s=200_000).longest_s() == LONGEST_S == 86_400.0


@pytest.mark.parametrize(
    ("elapsed_s", "waits_s"),
    [
        pytest.param(-5, 0.0, id="a-clock-that-was-set-back"),
        pytest.param(0, 0.0, id="at-once"),
        pytest.param(2, 2.0, id="2-s"),
        pytest.param(50, 10.0, id="50-s-J10"),
        pytest.param(200, 20.0, id="200-s"),
    ],
)
async def test_the_longer_it_takes_the_less_often_it_is_looked_at(
    elapsed_s: float, waits_s: float
) -> None:
    """As Argo has it; what is suspended is not over."""
    now = CREATED_AT + elapsed_s
    jobs = FakeJobs(
        Clock(now), jobs={"shop/u-1.smoke.1": job("u-1.smoke.1", condition("Suspended"))}
    )
    assert await provider().advance(jobs.context(), FOUND) == Progress(
        phase=Phase.RUNNING, metadata=MARKS, resume_at_unix_s=now + waits_s
    )
    assert jobs.calls == ["read shop/u-1.smoke.1", "pods shop?job-name=u-1.smoke.1"]


async def test_a_job_that_is_gone_before_it_was_seen_to_end_is_an_error() -> None:
    """Its time to live was over, or somebody deleted it (J15); it is not begun anew."""
    jobs = FakeJobs()
    assert await outcome(provider().advance(jobs.context(), FOUND)) == (
        'ProviderRejected: job.batch "u-1.smoke.1" not found'
    )
    assert jobs.created == []


@pytest.mark.parametrize(
    "verb",
    [
        pytest.param(lambda asked, world: asked.advance(world, ATTEMPT), id="to-begin"),
        pytest.param(lambda asked, world: asked.advance(world, FOUND), id="to-look"),
        pytest.param(lambda asked, world: asked.terminate(world, FOUND), id="to-stop"),
        pytest.param(lambda asked, world: asked.collect(world, ATTEMPT, keep=1), id="to-collect"),
    ],
)
async def test_without_a_cluster_there_are_no_jobs(
    verb: Callable[[LastingProvider, Any], Awaitable[None]],
) -> None:
    """Whoever forgot the setting is told its name."""
    told = "^there is no cluster to run Jobs in \\(kubernetes.connect\\)$"
    with pytest.raises(ProviderInvalid, match=told):
        await verb(provider(), world_with(None, Clock()))


def test_a_job_is_no_query() -> None:
    """Reports show a query only where there is one."""
    assert provider().resolved_query() == ""


def test_a_provider_keeps_its_secrets() -> None:
    """What stands in a block, such as an environment variable, is in no traceback or log."""
    secret = {**BLOCK["spec"]["template"]["spec"], "env": [{"name": "K", "value": "hush"}]}
    assert "hush" not in repr(provider(block(secret)))
