"""The state machine against a second, naive one, over random specs, outcomes and delays."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice, pairwise
from typing import Any

import naive_analysis
from hypothesis import given
from hypothesis import strategies as st
from virtual_runs import PHASES, START

from gateway.assess import assess, record, terminated, trimmed
from gateway.limits import MetricRules
from gateway.model import Phase
from gateway.run_status import Measurement, RunStatus
from gateway.schedule import Action, Task, due, next_wake

START_US = int(START) * naive_analysis.SECOND
LIMITS = st.integers(-2, 3)


@dataclass(frozen=True)
class Outcome:
    """What one attempt comes to, whatever it was asked to do."""

    phase: Phase
    message: str
    took_us: int
    resume_in_us: int | None
    is_unchanged: bool
    """Whether one in flight stays as it was."""

    def measurement(self, in_flight: Measurement | None, now_us: int) -> Measurement:
        """The outcome of an attempt that begins now."""
        if in_flight is not None and self.is_unchanged:
            return in_flight
        finished_us = now_us + self.took_us if self.phase.is_completed else None
        return Measurement(
            phase=self.phase,
            message=self.message,
            started_at_unix_s=now_us / 1e6 if in_flight is None else in_flight.started_at_unix_s,
            finished_at_unix_s=None if finished_us is None else finished_us / 1e6,
            resume_at_unix_s=(
                None if self.resume_in_us is None else (now_us + self.resume_in_us) / 1e6
            ),
        )


@st.composite
def metric_rules(draw: st.DrawFn, name: str) -> MetricRules:
    """Rules as valid metrics have them; limits that are refused are among them."""
    interval_s = draw(st.sampled_from([None, -5.0, 0.0, 0.5, 3.0, 60.0]))
    once = [1, -1, 0]
    count = draw(st.sampled_from(once if interval_s is None else [*once, None, 2, 3, 5]))
    return MetricRules(
        name=name,
        is_dry_run=draw(st.booleans()),
        interval_s=interval_s,
        initial_delay_s=draw(st.sampled_from([None, None, -20.0, 0.0, 7.0])),
        count=count,
        failure_limit=draw(LIMITS),
        inconclusive_limit=draw(LIMITS),
        consecutive_error_limit=draw(LIMITS),
        consecutive_success_limit=draw(LIMITS),
        retention=draw(st.sampled_from([1, 2, 10])),
    )


SPECS = st.integers(1, 3).flatmap(
    lambda size: st.tuples(*(metric_rules(name) for name in "abc"[:size]))
)
OUTCOMES = st.lists(
    st.builds(
        Outcome,
        phase=st.sampled_from(list(PHASES.values())),
        message=st.sampled_from(["", "bad"]),
        took_us=st.sampled_from([0, 999, 250_000, 4_000_000]),
        resume_in_us=st.sampled_from([None, 0, 1_000_000, 15_000_000]),
        is_unchanged=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)
DELAYS_US = st.lists(st.sampled_from([0, 1, 400, 2_000_000, 11_000_000]), min_size=1, max_size=5)
TERMINATED_FROM = st.one_of(st.none(), st.integers(0, 8))


@dataclass
class Both:
    """A run on both machines."""

    rules: tuple[MetricRules, ...]
    outcomes: Iterator[Outcome]
    status: RunStatus
    spec: list[dict[str, Any]]
    naive: dict[str, Any]

    def pass_over(self, now_us: int, *, asked: bool) -> int | None:
        """One pass on both; they must agree about all of it. The next one's time is returned."""
        now = now_us / 1e6
        tasks = due(self.rules, self.status, is_terminated=asked, now_unix_s=now)
        taken = {task.metric_name: self._take(task, now_us) for task in tasks}
        status = self.status
        for name, measurement in taken.items():
            status = record(self.rules, status, name, measurement, metadata={})
        status = assess(self.rules, status, is_terminated=asked, now_unix_s=now)
        self.status = trimmed(self.rules, status)
        wake = next_wake(self.rules, self.status, is_terminated=asked, now_unix_s=now)

        done = naive_analysis.reconcile(
            self.spec,
            self.naive,
            now_us,
            lambda _action, name: plain(asdict(taken[name])),
            asked=asked,
        )
        assert [(task.action.value, task.metric_name) for task in tasks] == done
        assert plain(asdict(self.status)) == self.naive
        naive_wake = naive_analysis.wake_of(self.spec, self.naive, now_us, asked=asked)
        assert (None if wake is None else round(wake * 1e6)) == naive_wake
        return naive_wake

    def _take(self, task: Task, now_us: int) -> Measurement:
        result = self.status.result_of(task.metric_name)
        in_flight = None if result is None else result.in_flight
        measurement = next(self.outcomes).measurement(in_flight, now_us)
        return terminated(measurement) if task.action is Action.TERMINATE else measurement


def plain(value: Any, field: str = "") -> Any:
    """A status as the naive machine has it: plain texts, lists, and microseconds."""
    match value:
        case dict():
            # What newer gateways wrote is for neither machine to judge.
            known = ((name, member) for name, member in value.items() if name != "unknown")
            return {name: plain(member, name) for name, member in known}
        case tuple():
            return [plain(member) for member in value]
        case float() if field.endswith("_unix_s"):
            return round(value * 1e6)
        case Phase():
            return str(value)
        case _:
            return value


def played(
    rules: tuple[MetricRules, ...],
    outcomes: list[Outcome],
    delays_us: list[int],
    terminated_from: int | None,
    max_passes: int = 25,
) -> list[RunStatus]:
    """The status before the first pass and after each one, on both machines alike."""
    both = Both(
        rules,
        cycle(outcomes),
        RunStatus(),
        [asdict(rule) for rule in rules],
        naive_analysis.new_run(),
    )
    statuses = [both.status]
    now_us = START_US
    for number, delay_us in enumerate(islice(cycle(delays_us), max_passes)):
        asked = terminated_from is not None and number >= terminated_from
        wake_us = both.pass_over(now_us, asked=asked)
        statuses.append(both.status)
        if wake_us is None:
            # Whoever wants the end of a run that waits for nothing wakes it.
            if asked or terminated_from is None:
                break
            wake_us = now_us
        now_us = wake_us + delay_us
    return statuses


@given(SPECS, OUTCOMES, DELAYS_US, TERMINATED_FROM)
def test_both_machines_agree_after_every_pass(
    rules: tuple[MetricRules, ...],
    outcomes: list[Outcome],
    delays_us: list[int],
    terminated_from: int | None,
) -> None:
    """Equal tasks, equal statuses, equal wakes; and what every run keeps holds as well."""
    statuses = played(rules, outcomes, delays_us, terminated_from)
    for before, after in pairwise(statuses):
        assert not before.phase.is_completed or after == before
        assert after.phase is not Phase.PENDING
        assert (after.completed_at_unix_s is not None) == after.phase.is_completed
        assert all(total <= totals(after)[name] for name, total in totals(before).items())
    kept = {rule.name: rule.retention for rule in rules}
    for result in statuses[-1].metric_results:
        assert 0 < len(result.measurements) <= kept[result.name]
        assert result.count == result.successful + result.failed + result.inconclusive


@given(
    st.integers(1, 3).flatmap(
        lambda size: st.tuples(
            *(
                metric_rules(name).filter(lambda rules: rules.count is not None)
                for name in "abc"[:size]
            )
        )
    ),
    OUTCOMES.map(lambda outcomes: [each for each in outcomes if each.phase.is_completed]).filter(
        bool
    ),
    st.sampled_from([1, 400, 2_000_000]),
)
def test_a_run_with_counts_ends_if_nothing_stays_in_flight(
    rules: tuple[MetricRules, ...], outcomes: list[Outcome], delay_us: int
) -> None:
    """However its measurements come out, and however late its passes are."""
    assert played(rules, outcomes, [delay_us], None, max_passes=80)[-1].phase.is_completed


def totals(status: RunStatus) -> dict[tuple[str, str], int]:
    """The counters that only grow, by metric and counter."""
    names = ["count", "successful", "failed", "inconclusive", "error"]
    return {
        (each.name, name): getattr(each, name) for each in status.metric_results for name in names
    }
