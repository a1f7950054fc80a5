"""One pass over a run: what is due is measured, recorded and assessed.

due        which metrics, by the clock and the counters        gateway/schedule.py
measure    all of them at once, or look in on what lasts        gateway/measuring.py
record     each outcome, as soon as it is there                 gateway/assess.py
assess     phases of metrics and run, messages, summaries       gateway/assess.py
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from gateway import assess, schedule
from gateway.limits import MetricRules
from gateway.measuring import Measuring, Patience
from gateway.planned import PlannedMetric
from gateway.provider import Clock, LastingProvider
from gateway.readings import Freshness
from gateway.run_status import Measurement, MetricResult, RunStatus
from gateway.runs.plans import RunPlan
from gateway.schedule import Task
from gateway.verdict import Measurement as Measured
from gateway.verdict import cut

MAX_TEXT_CHARS: Final = 4_096
"""Values, messages and metadata are cut to so many: a run keeps many of them for a long time."""
RECORD_WITHIN_S: Final = 0.25
"""How long a finished measurement waits, unrecorded, for others of the same pass."""

NEWS_SHARE: Final = 0.5
"""The part of the time since a run's last measurement from which a reading is news to it. Not all
of it: clocks of replicas differ, and what one has measured must not count again for another."""

Record = Callable[[RunStatus], Awaitable[None]]
"""Keeps a status in which some measurements of a pass are there, and others are under way."""


class Steps:
    """Takes runs one pass further."""

    def __init__(self, measuring: Measuring, *, now_unix_s: Clock, max_age_s: float) -> None:
        self._measuring = measuring
        self._now_unix_s = now_unix_s
        self._max_age_s = max_age_s

    async def step(
        self,
        plan: RunPlan,
        status: RunStatus,
        *,
        is_terminated: bool,
        created_at_unix_s: float,
        record: Record,
    ) -> RunStatus:
        """The status after one pass; measures what is due now and nothing else."""
        tasks = schedule.due(
            plan.rules, status, is_terminated=is_terminated, now_unix_s=self._now_unix_s()
        )
        if is_terminated:
            await self._abandon_unrecorded(plan, status)
        if tasks:
            status = await self._measure_all(plan, status, tasks, created_at_unix_s, record)
        status = assess.assess(
            plan.rules, status, is_terminated=is_terminated, now_unix_s=self._now_unix_s()
        )
        await self._collect(plan, status)
        return assess.trimmed(plan.rules, status)

    async def stop(self, plan: RunPlan, status: RunStatus) -> RunStatus:
        """The status of a run that is about to end, with nothing in flight any more."""
        await self._abandon_unrecorded(plan, status)
        due = {
            task.metric_name: task
            for task in schedule.due(
                plan.rules, status, is_terminated=True, now_unix_s=self._now_unix_s()
            )
        }
        looks = {
            rules.name: self._look(due[rules.name], metric, provider, plan, status)
            for rules, metric, provider in _lasting(plan)
            if rules.name in due
        }
        # At once: whoever ends a run may have little time left.
        measurements = await asyncio.gather(*looks.values())
        for metric_name, measurement in zip(looks, measurements, strict=True):
            status = _recorded(plan, status, metric_name, measurement)
        return status

    async def _abandon_unrecorded(self, plan: RunPlan, status: RunStatus) -> None:
        """Stop what a worker may have begun that died before it could record it."""
        await asyncio.gather(
            *(
                self._measuring.abandon(metric, provider, run=plan.run, status=status)
                for rules, metric, provider in _lasting(plan)
                if _is_unrecorded(status.result_of(rules.name))
            )
        )

    async def _look(
        self,
        task: Task,
        metric: PlannedMetric,
        provider: LastingProvider,
        plan: RunPlan,
        status: RunStatus,
    ) -> Measurement:
        return await self._measuring.look(
            task.action, metric, provider, planned=plan.planned, run=plan.run, status=status
        )

    async def _measure_all(
        self,
        plan: RunPlan,
        status: RunStatus,
        tasks: tuple[Task, ...],
        created_at_unix_s: float,
        record: Record,
    ) -> RunStatus:
        async def measure(task: Task) -> tuple[str, Measurement]:
            metric = plan.metrics[task.metric_name]
            provider = metric.plan.provider
            if isinstance(provider, LastingProvider):
                return task.metric_name, await self._look(task, metric, provider, plan, status)
            since_s = _newest_unix_s(status, task.metric_name, created_at_unix_s)
            return task.metric_name, await self._measure(metric, plan, since_s)

        if len(tasks) == 1:
            return _recorded(plan, status, *await measure(tasks[0]))
        pending = {asyncio.create_task(measure(task)) for task in tasks}
        try:
            while pending:
                done, pending = await asyncio.wait(pending, timeout=RECORD_WITHIN_S)
                for each in done:
                    status = _recorded(plan, status, *each.result())
                if done and pending:
                    await record(status)
        finally:
            for each in pending:
                each.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        return status

    async def _collect(self, plan: RunPlan, status: RunStatus) -> None:
        """Remove what those measurements left behind that are about to be forgotten.

        Source: argo-rollouts analysis/analysis.go:775-797 @ 9f8d111d8.
        """
        await asyncio.gather(
            *(
                self._measuring.collect(
                    metric, provider, run=plan.run, status=status, keep=rules.retention
                )
                for rules, metric, provider in _lasting(plan)
                if (result := status.result_of(rules.name)) is not None
                and len(result.measurements) > rules.retention
            )
        )

    async def _measure(self, metric: PlannedMetric, plan: RunPlan, since_s: float) -> Measurement:
        started_at = self._now_unix_s()
        # What was measured before the run began, or for its last measurement, is no news to it.
        age_s = min(self._max_age_s, max(0.0, started_at - since_s) * NEWS_SHARE)
        measured = await self._measuring.measure(
            metric,
            planned=plan.planned,
            freshness=Freshness(age_s, is_explicit=True, is_shared=False),
            patience=Patience.endless(),
        )
        return _as_measurement(measured, started_at, self._now_unix_s())


def _lasting(plan: RunPlan) -> Iterator[tuple[MetricRules, PlannedMetric, LastingProvider]]:
    """The metrics whose measurements go on between two passes."""
    for rules in plan.rules:
        metric = plan.metrics[rules.name]
        provider = metric.plan.provider
        if isinstance(provider, LastingProvider):
            yield rules, metric, provider


def _is_unrecorded(result: MetricResult | None) -> bool:
    """Whether a measurement may be under way that no status tells of."""
    return result is None or not (result.phase.is_completed or result.in_flight)


def _newest_unix_s(status: RunStatus, metric_name: str, created_at_unix_s: float) -> float:
    result = status.result_of(metric_name)
    if result is None or not result.measurements:
        return created_at_unix_s
    return result.measurements[-1].finished_at_unix_s or created_at_unix_s


def _recorded(
    plan: RunPlan, status: RunStatus, metric_name: str, measurement: Measurement
) -> RunStatus:
    metric = plan.metrics[metric_name]
    query = cut(plan.planned.redaction.text(metric.query), MAX_TEXT_CHARS)
    metadata = {metric.query_metadata: query} if metric.query_metadata else {}
    return assess.record(plan.rules, status, metric_name, measurement, metadata=metadata)


def _as_measurement(
    measured: Measured, started_at_unix_s: float, finished_at_unix_s: float
) -> Measurement:
    reading = measured.shown_reading
    return Measurement(
        phase=measured.phase,
        started_at_unix_s=started_at_unix_s,
        finished_at_unix_s=finished_at_unix_s,
        message=cut(measured.message, MAX_TEXT_CHARS),
        value="" if reading is None else cut(reading.text, MAX_TEXT_CHARS),
        metadata={name: cut(text, MAX_TEXT_CHARS) for name, text in measured.metadata.items()},
    )
