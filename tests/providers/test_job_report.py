"""job: what a pod did and wrote is told beside the verdict."""

from collections.abc import Sequence
from typing import Any

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
from providers._job_outcome import MAX_LOG_BYTES, MAX_RESULT_CHARS, is_whole, result_in

COMPLETE, FAILED = condition("Complete"), condition("Failed")


def succeeded(log: str) -> Progress:
    """A success that names one container, whose log is its own name."""
    text = "the Job is complete: exit code 0"
    return ended(Phase.SUCCESSFUL, text, exit_code="0", reason="Completed", log=log)


def failed(code: int, **found: str) -> Progress:
    """A failure that names one container."""
    text = f"the Job has failed: exit code {code}, Error"
    return ended(Phase.FAILED, text, exit_code=str(code), reason="Error", **found)


@pytest.mark.parametrize(
    ("conditions", "pods", "expected"),
    [
        pytest.param(
            [COMPLETE],
            [pod("p1", exited("t", 0))],
            succeeded("p1/t"),
            id="a-success-has-the-last-container",
        ),
        pytest.param(
            [condition("Failed", "BackoffLimitExceeded")],
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
            [FAILED],
            [pod("p1", exited("s", 0), exited("t", 3), exited("u", 4), init=[exited("i", 0)])],
            failed(3, log="p1/t"),
            id="the-first-container-that-failed",
        ),
        pytest.param(
            [FAILED],
            [pod("p1", exited("t", 3), init=[exited("i", 2)])],
            failed(2, log="p1/i"),
            id="one-that-prepares-fails-before-the-others",
        ),
        pytest.param(
            [FAILED],
            [pod("p1", exited("a", 143, at=9), exited("t", 3, at=8))],
            failed(3, log="p1/t"),
            id="the-one-that-failed-first-and-not-who-was-stopped-because-of-it",
        ),
        pytest.param(
            [COMPLETE],
            [pod("p1", exited("a", 0), exited("t", 0), init=[exited("i", 0)], order=["t", "a"])],
            succeeded("p1/t"),
            id="the-first-container-of-the-spec-and-not-what-accompanies-it",
        ),
        pytest.param(
            [FAILED],
            [
                pod("p1", exited("t", 1), created_at=1),
                pod("p3", exited("t", 3), created_at=3),
                pod("p2", exited("t", 2), created_at=2),
            ],
            failed(3, log="p3/t"),
            id="the-newest-pod",
        ),
        pytest.param(
            [COMPLETE],
            [
                pod("p1", exited("t", 0), created_at=1),
                pod("p2", exited("t", 2), created_at=2),
                pod("p3", waiting("t", "ContainerCreating"), created_at=3),
            ],
            succeeded("p1/t"),
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
            [FAILED],
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
            failed(1, log_error="pods/log is forbidden"),
            id="logs-are-forbidden",
        ),
        pytest.param(
            {"log": AWAY},
            failed(1, log_error=str(AWAY)),
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
    assert await looked(jobs, FAILED) == expected


def log_of(text: str) -> FakeJobs:
    """A Job whose container has written this."""
    return FakeJobs(pods_there=[pod("p1", exited("t", 0))], logs={"p1/t": text})


def lines(count: int, length: int) -> str:
    """So many lines of so many bytes each, all of them different."""
    return "".join(f"{number:0{length - 1}}\n" for number in range(count))


BIG = '{"v":"' + "x" * (MAX_RESULT_CHARS - len('{"v":""}')) + '"}'
ALMOST = "x" * (MAX_LOG_BYTES - 1)
WHOLE = f"{'x' * (MAX_LOG_BYTES - 9)}\n"
"""A line that leaves eight bytes."""


@pytest.mark.parametrize(
    ("written", "log", "result"),
    [
        pytest.param("", "", None, id="nothing"),
        pytest.param("\n", "", None, id="an-empty-line"),
        pytest.param("a\n\n\n", "a\n\n", None, id="one-line-feed-goes-and-no-other"),
        pytest.param("a\r\nb\r\n", "a\r\nb\r", None, id="nothing-else-is-changed"),
        pytest.param(
            lines(50, 3),
            "\n".join(f"{number:02}" for number in range(30, 50)),
            None,
            id="the-last-twenty-lines",
        ),
        pytest.param(
            "a\u2028" * 30 + "\n", "a\u2028" * 30, None, id="only-a-line-feed-ends-a-line"
        ),
        pytest.param(
            'a\n{"v": 1.50, "a": [true]}\n\n \n',
            'a\n{"v": 1.50, "a": [true]}\n\n ',
            '{"a":[true],"v":1.5}',
            id="the-last-line-that-is-not-empty-is-the-result",
        ),
        pytest.param('{"v":1}\r\n', '{"v":1}\r', '{"v":1}', id="a-result-of-windows"),
        pytest.param('{"v":1}\nbye\n', '{"v":1}\nbye', None, id="not-on-the-last-line"),
        pytest.param(
            '{"v":"a\u2028b"}',
            '{"v":"a\u2028b"}',
            '{"v":"a\\u2028b"}',
            id="what-others-take-for-the-end-of-a-line",
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
            "[" * 16_000, "[" * 16_000, None, id="what-is-nested-without-end-is-no-result"
        ),
    ],
)
async def test_a_log_is_read_to_its_end(written: str, log: str, result: str | None) -> None:
    """Its last lines as they are, and the JSON object that the last of all may hold."""
    progress = await looked(log_of(written), COMPLETE)
    found = {} if result is None else {"result": result}
    assert progress.metadata == {
        **MARKS,
        "exit-code": "0",
        "reason": "Completed",
        "log": log,
        **found,
    }


@pytest.mark.parametrize(
    ("written", "asked", "log"),
    [
        pytest.param(lines(30, 800), [20], lines(30, 800)[-16_000:-1], id="twenty-lines-find-room"),
        pytest.param(lines(20, 820), [20, 5], lines(20, 820)[-4_100:-1], id="five-do"),
        pytest.param(f"{WHOLE}{{}}\n{WHOLE}", [20, 5, 1], WHOLE[:-1], id="one-does"),
        pytest.param(f"{'y' * 99}\n{WHOLE}1234567\n", [20, 5, 1], "1234567", id="the-last-one"),
        pytest.param(f"{WHOLE}1234567", [20], f"{WHOLE}1234567", id="one-byte-less-than-the-limit"),
        pytest.param(f"{WHOLE}12345678", [20, 5, 1], "12345678", id="as-many-bytes-as-the-limit"),
        pytest.param(ALMOST, [20], ALMOST, id="one-line-of-one-byte-less"),
        pytest.param(f"{ALMOST}\n", [20, 5, 1], None, id="one-line-of-as-many-bytes"),
        pytest.param(f"{{}}\n{ALMOST * 2}", [20, 5, 1], None, id="one-line-that-is-longer"),
        pytest.param("é" * 8_191, [20], "é" * 8_191, id="bytes-are-counted"),
        pytest.param("é" * 8_192, [20, 5, 1], None, id="and-not-characters"),
        pytest.param(
            "x" * (MAX_LOG_BYTES - 1) + "é", [20, 5, 1], None, id="half-a-character-is-cut-as-well"
        ),
    ],
)
async def test_of_a_long_log_fewer_lines_are_told(
    written: str, asked: Sequence[int], log: str | None
) -> None:
    """Whole ones only: of half a secret nobody could tell that it is one."""
    jobs = log_of(written)
    progress = await looked(jobs, COMPLETE)
    long = "its last line has 16384 bytes or more"
    assert progress.metadata == {
        **MARKS,
        "exit-code": "0",
        "reason": "Completed",
        **({"log-error": long} if log is None else {"log": log}),
    }
    assert jobs.calls[-len(asked) :] == [f"log shop/p1/t?{number}" for number in asked]
    assert jobs.called("log") == len(asked)


async def test_a_log_that_cannot_be_read_again_is_told() -> None:
    """Who lost the right to read it meanwhile, or the pod, hears why; nothing half is shown."""

    class Rotated(FakeJobs):
        async def log(self, *args: Any, **asked: Any) -> str:
            text = await super().log(*args, **asked)
            self.faults = {"log": AWAY}
            return text

    jobs = Rotated(pods_there=[pod("p1", exited("t", 3))], logs={"p1/t": lines(20, 900)})
    assert await looked(jobs, FAILED) == failed(3, log_error=str(AWAY))


@given(st.text(st.characters(codec="utf-8")) | st.text(alphabet='{}[]":,.01eE-nul\\\n'))
def test_any_log_can_be_read(text: str) -> None:
    """Nothing else than a text comes of what a container writes."""
    assert isinstance(result_in(text), str)
    assert is_whole(text) is (len(text.encode()) < MAX_LOG_BYTES)
