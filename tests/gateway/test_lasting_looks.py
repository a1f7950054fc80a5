"""Measurements that go on while nobody looks: a run looks in, and records what it sees."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from lasting_scripts import ATTEMPT, FOUND, NOW, SUCCESS, Scripted, World, running
from manifests import metric

from gateway.errors import ProviderRejected, ProviderUnreachable
from gateway.lasting import RunIdentity, attempt_of
from gateway.model import Phase
from gateway.provider import Attempt, Progress
from gateway.run_status import Measurement, MetricResult, RunStatus
from gateway.schedule import Action
from gateway.secrets import Redaction, Secret

NO_SECRETS = Redaction(())
AWAY = ProviderUnreachable("no answer")
FAULT = "the provider failed unexpectedly (KeyError); the gateway's log says where"


def measured(phase: Phase, **fields: Any) -> Measurement:
    """What a run records of FOUND now."""
    ended = {} if phase is Phase.RUNNING else {"finished_at_unix_s": NOW}
    return Measurement(
        phase=phase,
        **{"started_at_unix_s": NOW - 30, "metadata": {"id": "7"}, **ended, **fields},
    )


@pytest.mark.parametrize(
    ("action", "attempt", "script", "expected"),
    [
        pytest.param(
            Action.MEASURE,
            ATTEMPT,
            Scripted([running(NOW + 3, "wait")]),
            measured(
                Phase.RUNNING, started_at_unix_s=NOW, message="wait", resume_at_unix_s=NOW + 3
            ),
            id="one-that-begins",
        ),
        pytest.param(
            Action.RESUME,
            FOUND,
            Scripted([running(NOW + 3)]),
            measured(Phase.RUNNING, resume_at_unix_s=NOW + 3),
            id="one-that-goes-on-began-when-it-began",
        ),
        pytest.param(
            Action.RESUME,
            FOUND,
            Scripted([SUCCESS]),
            measured(Phase.SUCCESSFUL, metadata={"outcome": "fine", "id": "7", "log": "ok"}),
            id="one-that-ends-has-no-value-as-in-argo",
        ),
        pytest.param(
            Action.RESUME,
            FOUND,
            Scripted([replace(SUCCESS, value=81)]),
            measured(
                Phase.SUCCESSFUL,
                value="81",
                metadata={"outcome": "fine", "id": "7", "log": "ok"},
            ),
            id="unless-it-measured-a-number",
        ),
        pytest.param(
            Action.RESUME,
            FOUND,
            Scripted([replace(SUCCESS, phase=Phase.FAILED, value=0, text="")]),
            measured(Phase.FAILED, value="0", metadata={"id": "7", "log": "ok"}),
            id="which-may-be-zero",
        ),
        pytest.param(
            Action.RESUME,
            FOUND,
            Scripted([ProviderRejected("gone")]),
            measured(Phase.ERROR, message="gone"),
            id="an-error-ends-it-and-keeps-what-was-known",
        ),
        pytest.param(
            Action.MEASURE,
            ATTEMPT,
            Scripted([KeyError("hunter2")]),
            measured(
                Phase.ERROR,
                started_at_unix_s=NOW,
                metadata={},
                message=FAULT,
            ),
            id="a-fault-is-an-error",
        ),
        pytest.param(
            Action.TERMINATE,
            FOUND,
            Scripted(),
            measured(Phase.INCONCLUSIVE, message="Metric Terminated"),
            id="one-that-is-stopped-J16",
        ),
        pytest.param(
            Action.TERMINATE,
            FOUND,
            Scripted(faults={"terminate": ProviderRejected("denied")}),
            measured(Phase.ERROR, message="denied"),
            id="one-that-must-not-be-stopped-J17",
        ),
        pytest.param(
            Action.TERMINATE,
            FOUND,
            Scripted(faults={"terminate": KeyError("hunter2")}),
            measured(Phase.ERROR, message=FAULT),
            id="a-fault-while-it-is-stopped-is-an-error",
        ),
        pytest.param(
            Action.TERMINATE,
            FOUND,
            Scripted(faults={"terminate": AWAY}),
            measured(
                Phase.INCONCLUSIVE,
                message="Metric Terminated; it may go on until its deadline: no answer",
            ),
            id="one-of-which-nobody-knows-whether-it-stops-has-not-passed",
        ),
    ],
)
async def test_a_run_records_how_a_measurement_stands(
    action: Action, attempt: Attempt, script: Scripted, expected: Measurement
) -> None:
    """One look, or one stop, and what came of it."""
    assert await World().lasting().take(action, script, attempt, NO_SECRETS) == expected
    is_stop = action is Action.TERMINATE
    is_stopped = is_stop or expected.phase is Phase.ERROR
    assert script.advanced == ([] if is_stop else [attempt])
    assert script.terminated == ([attempt] if is_stopped else [])


@pytest.mark.parametrize("fault", [None, AWAY, ProviderRejected("denied"), KeyError("hunter2")])
@pytest.mark.parametrize(
    ("action", "attempt"), [(Action.MEASURE, ATTEMPT), (Action.RESUME, FOUND)], ids=["new", "old"]
)
async def test_what_ended_in_an_error_is_stopped_as_far_as_that_goes(
    action: Action, attempt: Attempt, fault: Exception | None
) -> None:
    """Nobody looks at it again; that it cannot be stopped changes nothing of the Error."""
    faults = {} if fault is None else {"terminate": fault}
    script = Scripted([ProviderRejected("quota")], faults)
    taken = await World().lasting().take(action, script, attempt, NO_SECRETS)
    assert (taken.phase, taken.message, taken.metadata) == (Phase.ERROR, "quota", attempt.metadata)
    assert script.terminated == [attempt]


LONG = "".join(f"{number:07}\n" for number in range(1_000))


@pytest.mark.parametrize(
    ("progress", "message", "metadata"),
    [
        pytest.param(
            replace(SUCCESS, message="hunter2 said no", metadata={"result": '{"k":"hunter2"}'}),
            "***** said no",
            {"outcome": "fine", "result": '{"k":"*****"}'},
            id="secrets-are-masked",
        ),
        pytest.param(
            replace(SUCCESS, metadata={"of hunter2": "a"}),
            "",
            {"outcome": "fine", "of *****": "a"},
            id="names-of-metadata-too",
        ),
        pytest.param(
            ProviderRejected("hunter2 is no name"),
            "***** is no name",
            {"id": "7"},
            id="of-an-error-too",
        ),
        pytest.param(
            replace(SUCCESS, message=LONG, metadata={"log": LONG, "result": LONG}),
            f"{LONG[:4_096]}...",
            {"outcome": "fine", "log": f"...{LONG[-4_096:]}", "result": f"{LONG[:4_096]}..."},
            id="long-texts-are-cut-and-of-a-log-the-end-counts",
        ),
        pytest.param(
            replace(SUCCESS, message="x" * 4_096, metadata={"log": "x" * 4_096}),
            "x" * 4_096,
            {"outcome": "fine", "log": "x" * 4_096},
            id="as-long-as-may-be",
        ),
        pytest.param(
            replace(SUCCESS, metadata={"log": f"{'x' * 4_000}hunter2{'y' * 4_093}"}),
            "",
            {"outcome": "fine", "log": f"...***{'y' * 4_093}"},
            id="a-secret-is-masked-before-it-could-be-cut-in-two",
        ),
        pytest.param(
            running(message="hunter2 is away", id="u-1.hunter2.1"),
            "hunter2 is away".replace("hunter2", "*****"),
            {"id": "u-1.hunter2.1"},
            id="by-what-one-in-flight-is-found-again-that-stays",
        ),
    ],
)
async def test_what_a_run_records_is_short_and_holds_no_secret(
    progress: Progress | Exception, message: str, metadata: Mapping[str, str]
) -> None:
    """Runs are kept for a long time, and shown to many."""
    redaction = Redaction([Secret("hunter2")])
    taken = await World().lasting().take(Action.RESUME, Scripted([progress]), FOUND, redaction)
    assert (taken.message, taken.metadata) == (message, metadata)


RUN = RunIdentity("u-1", "r", "shop")
IN_FLIGHT = Measurement(
    phase=Phase.RUNNING, started_at_unix_s=NOW - 30, metadata={"id": "7"}, resume_at_unix_s=NOW
)
ENDED = replace(IN_FLIGHT, phase=Phase.FAILED, finished_at_unix_s=NOW - 20)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        pytest.param([], ATTEMPT, id="the-first-measurement"),
        pytest.param(
            [MetricResult(name="other", count=5, measurements=(IN_FLIGHT,))],
            ATTEMPT,
            id="what-other-metrics-did-does-not-count",
        ),
        pytest.param(
            [MetricResult(name="m", count=3, error=1, measurements=(ENDED,))],
            replace(ATTEMPT, number=5),
            id="errors-count-too-J02",
        ),
        pytest.param(
            [MetricResult(name="m", measurements=(IN_FLIGHT,))],
            FOUND,
            id="the-first-one-is-in-flight",
        ),
        pytest.param(
            [MetricResult(name="m", count=2, measurements=(ENDED, IN_FLIGHT))],
            replace(FOUND, number=3),
            id="the-third-one-is-in-flight",
        ),
    ],
)
def test_a_measurement_keeps_its_number(results: list[MetricResult], expected: Attempt) -> None:
    """The same while it is in flight, another one for each new one."""
    status = RunStatus(metric_results=tuple(results))
    assert attempt_of(RUN, status, metric("m"), now_unix_s=NOW) == expected


@pytest.mark.parametrize("began_at", [None, NOW - 60])
@pytest.mark.parametrize("results", [(), (MetricResult(name="m", measurements=(IN_FLIGHT,)),)])
def test_a_measurement_knows_the_interval_and_the_beginning_of_its_run(
    results: tuple[MetricResult, ...], began_at: float | None
) -> None:
    """The one that begins and the one in flight; a run begins with the end of its first pass."""
    status = RunStatus(metric_results=results, started_at_unix_s=began_at)
    attempt = attempt_of(RUN, status, metric("m", interval="10m"), now_unix_s=NOW)
    assert (attempt.interval, attempt.analysis_began_at_unix_s) == ("10m", began_at)
