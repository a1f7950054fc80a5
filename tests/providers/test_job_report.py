"""job: what a pod did and wrote is told beside the verdict."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from job_api import (
    AWAY,
    MARKS,
    Document,
    FakeJobs,
    condition,
    ended,
    exited,
    looked,
    pod,
    waiting,
)

from gateway.errors import ProviderRejected
from gateway.model import Phase
from gateway.provider import Progress
from providers._job_outcome import MAX_LOG_BYTES, MAX_RESULT_CHARS, log_tail, result_in

COMPLETE, FAILED = condition("Complete"), condition("Failed", "BackoffLimitExceeded")


@pytest.mark.parametrize(
    ("conditions", "pods", "expected"),
    [
        pytest.param(
            [COMPLETE],
            [pod("p1", exited("t", 0))],
            ended(
                Phase.SUCCESSFUL,
                "the Job is complete: exit code 0",
                exit_code="0",
                reason="Completed",
                log="p1/t",
            ),
            id="a-success-has-the-last-container",
        ),
        pytest.param(
            [FAILED],
            [pod("p1", exited("t", 137, "OOMKilled"))],
            ended(
                Phase.FAILED,
                "the Job has failed: exit code 137, OOMKilled, BackoffLimitExceeded",
                job_reason="BackoffLimitExceeded",
                exit_code="137",
                reason="OOMKilled",
                log="p1/t",
            ),
            id="a-failure-has-its-code-and-why",
        ),
        pytest.param(
            [condition("Failed")],
            [pod("p1", exited("s", 0), exited("t", 3), exited("u", 4), init=[exited("i", 0)])],
            ended(
                Phase.FAILED,
                "the Job has failed: exit code 3, Error",
                exit_code="3",
                reason="Error",
                log="p1/t",
            ),
            id="the-first-container-that-failed",
        ),
        pytest.param(
            [condition("Failed")],
            [pod("p1", exited("t", 3), init=[exited("i", 2)])],
            ended(
                Phase.FAILED,
                "the Job has failed: exit code 2, Error",
                exit_code="2",
                reason="Error",
                log="p1/i",
            ),
            id="one-that-prepares-fails-before-the-others",
        ),
        pytest.param(
            [condition("Failed")],
            [pod("p1", exited("a", 143, at=9), exited("t", 3, at=8))],
            ended(
                Phase.FAILED,
                "the Job has failed: exit code 3, Error",
                exit_code="3",
                reason="Error",
                log="p1/t",
            ),
            id="the-one-that-failed-first-and-not-who-was-stopped-because-of-it",
        ),
        pytest.param(
            [COMPLETE],
            [pod("p1", exited("a", 0), exited("t", 0), init=[exited("i", 0)], order=["t", "a"])],
            ended(
                Phase.SUCCESSFUL,
                "the Job is complete: exit code 0",
                exit_code="0",
                reason="Completed",
                log="p1/t",
            ),
            id="the-first-container-of-the-spec-and-not-what-accompanies-it",
        ),
        pytest.param(
            [condition("Failed")],
            [
                pod("p1", exited("t", 1), created_at=1),
                pod("p3", exited("t", 3), created_at=3),
                pod("p2", exited("t", 2), created_at=2),
            ],
            ended(
                Phase.FAILED,
                "the Job has failed: exit code 3, Error",
                exit_code="3",
                reason="Error",
                log="p3/t",
            ),
            id="the-newest-pod",
        ),
        pytest.param(
            [COMPLETE],
            [
                pod("p1", exited("t", 0), created_at=1),
                pod("p2", exited("t", 2), created_at=2),
                pod("p3", waiting("t", "ContainerCreating"), created_at=3),
            ],
            ended(
                Phase.SUCCESSFUL,
                "the Job is complete: exit code 0",
                exit_code="0",
                reason="Completed",
                log="p1/t",
            ),
            id="the-newest-pod-that-decides",
        ),
        pytest.param(
            [condition("Failed", "DeadlineExceeded")],
            [pod("p1", exited("t", 0))],
            ended(
                Phase.FAILED, "the Job has failed: DeadlineExceeded", job_reason="DeadlineExceeded"
            ),
            id="no-container-decided",
        ),
        pytest.param(
            [condition("Failed")],
            [pod("p1", {"name": "t", "state": {"terminated": {"exitCode": "1"}}}, {"name": "u"})],
            ended(Phase.FAILED, "the Job has failed"),
            id="a-code-that-is-none",
        ),
    ],
)
async def test_what_the_pod_did_is_told(
    conditions: Sequence[Document], pods: list[Document], expected: Progress
) -> None:
    """Which container decided, with its code, its reason and its log."""
    names = [each["metadata"]["name"] for each in pods]
    logs = {
        f"{name}/{container}": f"{name}/{container}\n" for name in names for container in "istu"
    }
    assert await looked(FakeJobs(pods_there=pods, logs=logs), *conditions) == expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(
            {"log": ProviderRejected("pods/log is forbidden")},
            ended(
                Phase.FAILED,
                "the Job has failed: exit code 1, Error",
                exit_code="1",
                reason="Error",
                log_error="pods/log is forbidden",
            ),
            id="logs-are-forbidden",
        ),
        pytest.param(
            {"log": AWAY},
            ended(
                Phase.FAILED,
                "the Job has failed: exit code 1, Error",
                exit_code="1",
                reason="Error",
                log_error=str(AWAY),
            ),
            id="no-log-comes-in-time",
        ),
        pytest.param(
            {"pods": AWAY},
            ended(Phase.FAILED, "the Job has failed", log_error=str(AWAY)),
            id="no-pods-come-in-time",
        ),
    ],
)
async def test_a_verdict_does_not_wait_for_its_log(
    fault: dict[str, Exception], expected: Progress
) -> None:
    """The Job has decided; why there is no log is told beside."""
    jobs = FakeJobs(pods_there=[pod("p1", exited("t", 1))], faults=fault)
    assert await looked(jobs, condition("Failed")) == expected


def log_of(text: str) -> FakeJobs:
    """A Job whose container has written this."""
    return FakeJobs(pods_there=[pod("p1", exited("t", 0))], logs={"p1/t": text})


LONG = "x" * (MAX_LOG_BYTES // 10)
BIG = '{"v":"' + "x" * (MAX_RESULT_CHARS - len('{"v":""}')) + '"}'


@pytest.mark.parametrize(
    ("written", "log", "result"),
    [
        pytest.param("", "", None, id="nothing"),
        pytest.param("a\r\nb\n", "a\nb", None, id="lines-of-any-sort"),
        pytest.param(
            "".join(f"{number}\n" for number in range(50)),
            "\n".join(str(number) for number in range(30, 50)),
            None,
            id="the-last-twenty-lines",
        ),
        pytest.param(
            'a\n{"v": 1.50, "a": [true]}\n\n \n',
            'a\n{"v": 1.50, "a": [true]}\n\n ',
            '{"a":[true],"v":1.5}',
            id="the-last-line-that-is-not-empty-is-the-result",
        ),
        pytest.param(
            f"{'a' * 9_000}\n{'b' * 9_000}\n{{}}\n",
            f"{'b' * 9_000}\n{{}}",
            "{}",
            id="fewer-lines-if-they-are-long",
        ),
        pytest.param('{"v":1}\r\n', '{"v":1}', '{"v":1}', id="a-result-of-windows"),
        pytest.param('{"v":1}\nbye\n', '{"v":1}\nbye', None, id="not-on-the-last-line"),
        pytest.param(
            '{"v":"a\u2028b"}', '{"v":"a\nb"}', '{"v":"a\\u2028b"}', id="an-end-of-line-inside"
        ),
        pytest.param("[1]", "[1]", None, id="a-list-is-no-result"),
        pytest.param("1", "1", None, id="nor-is-a-number"),
        pytest.param("null", "null", None, id="nor-is-null"),
        pytest.param('{"v":NaN}', '{"v":NaN}', None, id="nor-is-what-json-does-not-know"),
        pytest.param('{"v":', '{"v":', None, id="nor-is-half-of-one"),
        pytest.param("{}", "{}", "{}", id="an-empty-object-is-one"),
        pytest.param(BIG, BIG, BIG, id="as-long-as-may-be"),
        pytest.param(BIG.replace("v", "vv"), BIG.replace("v", "vv"), None, id="longer"),
        pytest.param(
            f'{{"v":1}}\n{LONG * 10}\n{{"v":2}}', '{"v":1}', None, id="a-line-that-is-cut-off"
        ),
        pytest.param(f'{LONG * 11}\n{{"v":2}}', "", None, id="nothing-but-a-line-that-is-cut-off"),
        pytest.param("é" * MAX_LOG_BYTES, "", None, id="bytes-are-counted"),
        pytest.param(
            "[" * 50_000, "[" * 50_000, None, id="what-is-nested-without-end-is-no-result"
        ),
    ],
)
async def test_a_log_is_read_to_its_end(written: str, log: str, result: str | None) -> None:
    """Its last lines, whole ones only, and the JSON object that the last of all may hold."""
    progress = await looked(log_of(written), COMPLETE)
    found = {} if result is None else {"result": result}
    assert progress.metadata == {
        **MARKS,
        "exit-code": "0",
        "reason": "Completed",
        "log": log,
        **found,
    }


@given(st.text(st.characters(codec="utf-8")) | st.text(alphabet='{}[]":,.01eE-nul\\\n'))
def test_any_log_can_be_read(text: str) -> None:
    """Nothing else than texts comes of what a container writes."""
    assert isinstance(log_tail(text), str)
    assert isinstance(result_in(text), str)
