"""When a run wants something. Rows with an ``S`` are worked cases of Argo Rollouts (9f8d111d8)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.run_status import Measurement, MetricResult, RunStatus
from gateway.schedule import Action, Task, due, expires_at, is_terminating, next_wake, overdue

NOW = 1_700_000_000.0
DAY_S = 86_400
NEVER_ASSESSED = RunStatus()
MEASURE = (Task(Action.MEASURE, "m"),)
RESUME = (Task(Action.RESUME, "m"),)
TERMINATE = (Task(Action.TERMINATE, "m"),)


@dataclass(frozen=True)
class Ttl:
    """A ttlStrategy."""

    seconds_after_completion: int | None = None
    seconds_after_success: int | None = None
    seconds_after_failure: int | None = None


def measured(
    *, phase: Phase = Phase.SUCCESSFUL, finished_at: float | None, resume_at: float | None = None
) -> Measurement:
    """A measurement that began long ago."""
    return Measurement(
        phase=phase,
        started_at_unix_s=NOW - 1_000,
        finished_at_unix_s=finished_at,
        resume_at_unix_s=resume_at,
    )


def in_flight(resume_at: float | None, started_at: float = NOW - 1_000) -> Measurement:
    """A measurement that has not finished."""
    began = measured(phase=Phase.RUNNING, finished_at=None, resume_at=resume_at)
    return replace(began, started_at_unix_s=started_at)


def run(*measurements: Measurement, started_at: float | None = NOW, count: int = 0) -> RunStatus:
    """A run under way in which ``m`` was measured, or was not."""
    result = MetricResult(name="m", measurements=measurements, count=count)
    return RunStatus(
        phase=Phase.RUNNING,
        metric_results=(result,) if measurements else (),
        started_at_unix_s=started_at,
    )


def m(
    *, interval_s: float | None = None, delay_s: float | None = None, count: int = 2
) -> MetricRules:
    """Rules."""
    return MetricRules(name="m", interval_s=interval_s, initial_delay_s=delay_s, count=count)


@pytest.mark.parametrize(
    ("rules", "status", "tasks", "wake"),
    [
        pytest.param(m(), NEVER_ASSESSED, MEASURE, NOW, id="a-new-run-measures-at-once"),
        pytest.param(
            m(delay_s=0), NEVER_ASSESSED, (), NOW, id="a-new-run-with-a-delay-begins-at-once"
        ),
        pytest.param(m(), run(), MEASURE, NOW, id="what-was-missed-is-made-up-for"),
        pytest.param(
            m(delay_s=60),
            run(started_at=NOW - 60),
            MEASURE,
            NOW,
            id="S37-a-delay-ends-on-the-moment",
        ),
        pytest.param(
            m(delay_s=60), run(started_at=NOW - 59.9), (), NOW + 0.1, id="a-delay-is-not-over"
        ),
        pytest.param(
            m(interval_s=60),
            run(measured(finished_at=NOW - 60)),
            (),
            NOW,
            id="S37-an-interval-ends-after-the-moment",
        ),
        pytest.param(
            m(interval_s=60),
            run(measured(finished_at=NOW - 60.001)),
            MEASURE,
            NOW,
            id="an-interval-is-over",
        ),
        pytest.param(
            m(interval_s=60),
            run(measured(finished_at=NOW - 1)),
            (),
            NOW + 59,
            id="an-interval-is-not-over",
        ),
        pytest.param(
            m(interval_s=-5), run(measured(finished_at=NOW)), MEASURE, NOW, id="no-interval-at-all"
        ),
        pytest.param(
            m(interval_s=60),
            run(measured(phase=Phase.ERROR, finished_at=NOW - 2)),
            (),
            NOW + 8,
            id="an-error-does-not-wait-for-the-interval",
        ),
        pytest.param(
            m(interval_s=1),
            run(measured(phase=Phase.ERROR, finished_at=NOW - 10.5)),
            MEASURE,
            NOW,
            id="ten-seconds-after-an-error",
        ),
        pytest.param(
            m(),
            run(measured(finished_at=NOW - 4)),
            (),
            NOW + 6,
            id="ten-seconds-without-an-interval",
        ),
        pytest.param(
            m(interval_s=1),
            run(measured(finished_at=NOW - 50), count=2),
            (),
            None,
            id="as-many-as-were-wanted",
        ),
        pytest.param(m(), run(in_flight(NOW)), RESUME, NOW, id="in-flight-and-wanted-now"),
        pytest.param(m(), run(in_flight(NOW - 9)), RESUME, NOW, id="in-flight-and-late"),
        pytest.param(m(), run(in_flight(NOW + 9)), (), NOW + 9, id="in-flight-and-asleep"),
        pytest.param(
            m(), run(in_flight(None)), RESUME, None, id="in-flight-until-its-provider-calls"
        ),
        pytest.param(
            m(), replace(run(in_flight(NOW)), phase=Phase.FAILED), (), None, id="the-run-has-ended"
        ),
        pytest.param(
            m(interval_s=60),
            run(measured(finished_at=NOW + 29)),
            (),
            NOW + 89,
            id="the-clock-of-another-replica-is-ahead",
        ),
        pytest.param(
            m(interval_s=60), run(measured(finished_at=NOW + 3600)), MEASURE, NOW, id="set-back"
        ),
        pytest.param(
            m(), run(in_flight(NOW + 3609, NOW + 3600)), RESUME, NOW, id="set-back-while-in-flight"
        ),
    ],
)
def test_the_clock_says_what_is_due(
    rules: MetricRules, status: RunStatus, tasks: Sequence[Task], wake: float | None
) -> None:
    """The tasks of a pass now, and the next pass if nothing were done."""
    told = due([rules], status, is_terminated=False, now_unix_s=NOW)
    wanted = next_wake([rules], status, is_terminated=False, now_unix_s=NOW)
    assert told == tasks
    assert wanted == pytest.approx(wake, abs=1e-6)


@pytest.mark.parametrize(
    ("status", "tasks", "wake"),
    [
        pytest.param(NEVER_ASSESSED, (), NOW, id="nothing-begins"),
        pytest.param(run(measured(finished_at=NOW - 99)), (), NOW, id="nothing-new-is-measured"),
        pytest.param(run(in_flight(NOW + 99)), TERMINATE, NOW, id="even-what-sleeps-is-stopped"),
        pytest.param(
            replace(run(in_flight(None)), phase=Phase.SUCCESSFUL), (), None, id="the-run-has-ended"
        ),
    ],
)
def test_who_asks_for_the_end_gets_it_now(
    status: RunStatus, tasks: Sequence[Task], wake: float | None
) -> None:
    """A run that somebody terminates."""
    rules = [m(interval_s=5)]
    assert due(rules, status, is_terminated=True, now_unix_s=NOW) == tasks
    assert next_wake(rules, status, is_terminated=True, now_unix_s=NOW) == wake


@pytest.mark.parametrize(
    ("phase", "is_dry_run", "expected"),
    [
        pytest.param(Phase.FAILED, False, True, id="failed"),
        pytest.param(Phase.ERROR, False, True, id="error"),
        pytest.param(Phase.INCONCLUSIVE, False, True, id="inconclusive"),
        pytest.param(Phase.SUCCESSFUL, False, False, id="successful"),
        pytest.param(Phase.RUNNING, False, False, id="running"),
        pytest.param(Phase.FAILED, True, False, id="a-dry-run-that-failed"),
    ],
)
def test_a_metric_may_end_the_run(phase: Phase, *, is_dry_run: bool, expected: bool) -> None:
    """Then others are stopped, new ones are not begun, and the run's age does not matter."""
    done = MetricResult(
        name="a",
        phase=phase,
        measurements=(measured(finished_at=NOW - 5),),
        is_dry_run=is_dry_run,
        count=1,
    )
    other = MetricResult(name="m", measurements=(in_flight(NOW + 99),))
    status = RunStatus(phase=Phase.RUNNING, metric_results=(done, other), started_at_unix_s=NOW - 5)
    rules = [MetricRules(name="a", is_dry_run=is_dry_run), m()]
    assert is_terminating(status, is_terminated=False) is expected
    tasks = due(rules, status, is_terminated=False, now_unix_s=NOW)
    assert tasks == (TERMINATE if expected else ())
    wake = next_wake(rules, status, is_terminated=False, now_unix_s=NOW)
    assert wake == (NOW if expected else NOW + 99)
    is_overdue = overdue(
        status, is_terminated=False, created_at_unix_s=0, max_duration_s=1, now_unix_s=NOW
    )
    assert is_overdue is not expected


@pytest.mark.parametrize(
    "counters",
    [
        pytest.param({"consecutive_error": 5, "error": 5}, id="too-many-errors"),
        pytest.param({"count": 1, "failed": 1}, id="too-many-failures"),
        pytest.param({"count": 3, "consecutive_success": 3}, id="enough-successes-in-a-row"),
        pytest.param({"count": 9}, id="enough-measurements"),
    ],
)
def test_what_is_decided_is_not_measured_again(counters: dict[str, int]) -> None:
    """A worker has died after it recorded the measurement, and before it assessed it."""
    result = MetricResult(name="m", measurements=(measured(finished_at=NOW - 99),), **counters)
    status = RunStatus(metric_results=(result,))
    rules = [MetricRules(name="m", interval_s=5, count=9, consecutive_success_limit=3)]
    assert due(rules, status, is_terminated=False, now_unix_s=NOW) == ()
    assert next_wake(rules, status, is_terminated=False, now_unix_s=NOW) == NOW


def test_the_earliest_metric_wakes_the_run() -> None:
    """Those that are completed, or wait for their provider, want nothing."""
    names = "abcd"
    results = (
        MetricResult(name="a", measurements=(measured(finished_at=NOW - 1),)),
        MetricResult(name="b", measurements=(measured(finished_at=NOW - 3),)),
        MetricResult(name="c", phase=Phase.SUCCESSFUL, measurements=(measured(finished_at=0),)),
        MetricResult(name="d", measurements=(in_flight(None),)),
    )
    status = RunStatus(phase=Phase.RUNNING, metric_results=results, started_at_unix_s=NOW)
    rules = [MetricRules(name=name, interval_s=60, count=5) for name in names]
    assert next_wake(rules, status, is_terminated=False, now_unix_s=NOW) == NOW + 57
    tasks = due(rules, status, is_terminated=False, now_unix_s=NOW + 57.5)
    assert tasks == (Task(Action.MEASURE, "b"), Task(Action.RESUME, "d"))


@pytest.mark.parametrize(
    ("status", "age_s", "expected"),
    [
        pytest.param(NEVER_ASSESSED, DAY_S - 1, False, id="young"),
        pytest.param(NEVER_ASSESSED, DAY_S, True, id="old-and-never-measured"),
        pytest.param(run(measured(finished_at=NOW)), DAY_S, True, id="old"),
        pytest.param(RunStatus(phase=Phase.SUCCESSFUL), DAY_S, False, id="ended"),
    ],
)
def test_a_run_may_last_too_long(status: RunStatus, age_s: float, *, expected: bool) -> None:
    """From the moment at which it is as old as runs may be."""
    created_at = NOW - age_s
    is_overdue = overdue(
        status,
        is_terminated=False,
        created_at_unix_s=created_at,
        max_duration_s=DAY_S,
        now_unix_s=NOW,
    )
    assert is_overdue is expected


@pytest.mark.parametrize(
    ("phase", "ttl", "expected"),
    [
        pytest.param(
            Phase.SUCCESSFUL, Ttl(seconds_after_completion=DAY_S), DAY_S + 1, id="S71-after-any-end"
        ),
        pytest.param(
            Phase.SUCCESSFUL, Ttl(seconds_after_success=DAY_S), DAY_S + 1, id="S71-after-a-success"
        ),
        pytest.param(
            Phase.FAILED, Ttl(seconds_after_failure=DAY_S), DAY_S + 1, id="S71-after-a-failure"
        ),
        pytest.param(
            Phase.FAILED, Ttl(seconds_after_success=DAY_S), None, id="S72-a-failure-is-no-success"
        ),
        pytest.param(
            Phase.SUCCESSFUL, Ttl(seconds_after_failure=1), None, id="a-success-is-no-failure"
        ),
        pytest.param(Phase.SUCCESSFUL, Ttl(9, 0, 7), 1, id="a-success-goes-before-any-end"),
        pytest.param(Phase.FAILED, Ttl(9, 8, 0), 1, id="a-failure-goes-before-any-end"),
        pytest.param(Phase.ERROR, Ttl(9, 8, 7), 10, id="an-error-is-any-end"),
        pytest.param(Phase.INCONCLUSIVE, Ttl(9, 8, 7), 10, id="an-inconclusive-run-is-any-end"),
        pytest.param(Phase.ERROR, Ttl(), None, id="nothing-is-said"),
    ],
)
def test_a_strategy_says_how_long_a_run_is_kept(
    phase: Phase, ttl: Ttl, expected: float | None
) -> None:
    """Seconds after the end; at exactly the strategy's number the run is still there."""
    status = RunStatus(phase=phase, completed_at_unix_s=NOW)
    assert expires_at(ttl, status) == (None if expected is None else NOW + expected)


def test_a_run_under_way_does_not_expire() -> None:
    """Its time begins with its end."""
    assert expires_at(Ttl(0, 0, 0), run()) is None


def test_a_run_that_is_told_to_end_is_not_overdue() -> None:
    """It is about to end anyway, with what it has measured."""
    old = {"created_at_unix_s": 0, "max_duration_s": DAY_S, "now_unix_s": 2 * DAY_S}
    assert overdue(RunStatus(), is_terminated=False, **old)
    assert not overdue(RunStatus(), is_terminated=True, **old)
