"""The use case, top to bottom: a caller asks, and gets a verdict.

plan       the templates, their arguments, one plan per metric      gateway/planner.py
measure    every metric once: read, judge, explain                  gateway/measuring.py
summarize  measurements to a verdict                                gateway/reasons.py
"""

import asyncio
from dataclasses import replace

from gateway.audit import Audit, Call, Entry
from gateway.measuring import Measuring, Patience
from gateway.notifications.notifier import Notifies
from gateway.planner import Planned, PlannedMetric, Planner
from gateway.provider import Clock
from gateway.readings import CacheState
from gateway.reasons import summarize
from gateway.repeats import Ask, Repeats
from gateway.retold import Retold
from gateway.telemetry.registry import Telemetry
from gateway.verdict import Measurement, Verdict


class Analysis:
    """Gives verdicts."""

    def __init__(
        self,
        *,
        planner: Planner,
        measuring: Measuring,
        repeats: Repeats,
        now_unix_s: Clock,
        telemetry: Telemetry,
        audit: Audit,
        retold: Retold,
        notifies: Notifies,
    ) -> None:
        self._planner = planner
        self._measuring = measuring
        self._repeats = repeats
        self._now_unix_s = now_unix_s
        self._telemetry = telemetry
        self._audit = audit
        self._retold = retold
        self._notifies = notifies

    async def verdict(self, ask: Ask, caller: str) -> Verdict:
        """Measure every metric of the templates once, judge, and sum up; ``caller`` is a name.

        Raises:
            TemplateNotFound: a name that nobody has.
            TemplateInvalid: with every problem of templates and arguments.

        """
        started_at = self._now_unix_s()
        planned = await self._planner.plan(ask.question)
        repeated = self._repeats.find(planned, ask, started_at)
        if repeated is not None:
            self._count(planned, repeated)
            self._retold.note(repeated, caller, lambda: _entry(planned, repeated, caller))
            return repeated
        measurements = await self._measure_all(planned, ask)
        phase, reason = summarize(measurements)
        verdict = Verdict(
            phase=phase,
            reason=reason,
            namespace=planned.namespace,
            templates=planned.templates,
            started_at_unix_s=started_at,
            finished_at_unix_s=self._now_unix_s(),
            measurements=measurements,
            context=ask.context,
            is_explained=ask.is_explained,
        )
        self._count(planned, verdict)
        self._audit.note(_entry(planned, verdict, caller))
        if not ask.is_dry_run:
            self._notifies.verdict_given(verdict, planned)
        self._repeats.keep(planned, ask, verdict)
        return verdict

    async def _measure_all(self, planned: Planned, ask: Ask) -> tuple[Measurement, ...]:
        patience = Patience.of(ask.wait_s)
        work = [self._measure(metric, planned, ask, patience) for metric in planned.metrics]
        if len(work) == 1:
            return (await work[0],)
        return tuple(await asyncio.gather(*work))

    async def _measure(
        self, metric: PlannedMetric, planned: Planned, ask: Ask, patience: Patience
    ) -> Measurement:
        measurement = await self._measuring.measure(
            metric, planned=planned, freshness=ask.freshness, patience=patience
        )
        return replace(measurement, is_dry_run=True) if ask.is_dry_run else measurement

    def _count(self, planned: Planned, verdict: Verdict) -> None:
        self._telemetry.verdict_given(
            template=planned.label,
            namespace=verdict.namespace,
            phase=verdict.phase,
            now_unix_s=verdict.finished_at_unix_s,
        )


def _entry(planned: Planned, verdict: Verdict, caller: str) -> Entry:
    return Entry(
        at_unix_s=verdict.finished_at_unix_s,
        call=Call.VERDICT,
        caller=caller,
        namespace=verdict.namespace,
        templates=verdict.templates,
        arguments=planned.arguments,
        phase=verdict.phase.value,
        reason=verdict.reason,
        is_repeat=all(each.cache == CacheState.HIT for each in verdict.measurements),
        took_s=verdict.finished_at_unix_s - verdict.started_at_unix_s,
    )
