"""The use case, top to bottom: a caller asks, and gets a verdict.

plan       the templates, their arguments, one plan per metric      gateway/planner.py
read       fresh enough? else measure once for all who ask          gateway/readings.py
judge      reading and conditions to a phase                        gateway/conditions.py
explain    no data? why?                                            gateway/explanations.py
summarize  measurements to a verdict                                gateway/verdict.py
"""

import asyncio
import logging
import time
import traceback
from dataclasses import replace
from typing import Final

from gateway.conditions import judge
from gateway.errors import ProviderError, ProviderUnreadable
from gateway.explanations import Explanations, wants_explanation
from gateway.model import Judgement, Phase, Reading
from gateway.planner import Planned, PlannedMetric, Planner
from gateway.provider import Context, Provider
from gateway.readings import Answer, CacheState, Freshness, Readings
from gateway.repeats import Ask, Repeats
from gateway.telemetry import Telemetry
from gateway.verdict import Measurement, Verdict, one_number, redacted, summarize

_log: Final = logging.getLogger(__name__)


class Analysis:
    """Gives verdicts."""

    def __init__(
        self,
        *,
        planner: Planner,
        readings: Readings,
        explanations: Explanations,
        context: Context,
        telemetry: Telemetry,
    ) -> None:
        self._planner = planner
        self._readings = readings
        self._explanations = explanations
        self._context = context
        self._telemetry = telemetry
        self._repeats = Repeats(readings)

    async def verdict(self, ask: Ask) -> Verdict:
        """Measure every metric of the templates once, judge, and sum up.

        Raises:
            TemplateNotFound: a name that nobody has.
            TemplateInvalid: with every problem of templates and arguments.

        """
        started_at = self._context.now_unix_s()
        planned = await self._planner.plan(ask.question)
        repeated = self._repeats.find(planned, ask, started_at)
        if repeated is not None:
            self._count(planned, repeated)
            return repeated
        measurements = await self._measure_all(planned, ask)
        phase, reason = summarize(measurements)
        verdict = Verdict(
            phase=phase,
            reason=reason,
            namespace=planned.namespace,
            templates=planned.templates,
            started_at_unix_s=started_at,
            finished_at_unix_s=self._context.now_unix_s(),
            measurements=measurements,
            context=ask.context,
        )
        self._count(planned, verdict)
        self._show_values(planned, verdict)
        _tell(verdict)
        self._repeats.keep(planned, ask, verdict)
        return verdict

    async def _measure_all(self, planned: Planned, ask: Ask) -> tuple[Measurement, ...]:
        deadline_s = asyncio.get_running_loop().time() + ask.wait_s
        work = [self._measure(metric, planned, ask, deadline_s) for metric in planned.metrics]
        if len(work) == 1:
            return (await work[0],)
        return tuple(await asyncio.gather(*work))

    async def _measure(
        self, metric: PlannedMetric, planned: Planned, ask: Ask, deadline_s: float
    ) -> Measurement:
        started_s = time.perf_counter()
        plan = metric.plan
        answer: Answer | None = None
        try:
            answer = await self._read(metric, ask.freshness, deadline_s)
            judgement = judge(
                answer.reading,
                success_condition=plan.success_condition,
                failure_condition=plan.failure_condition,
            )
            if judgement.phase is not Phase.SUCCESSFUL and wants_explanation(answer.reading):
                judgement = await self._explained(judgement, metric, deadline_s)
        except ProviderError as error:
            judgement = Judgement(Phase.ERROR, str(error))
        except TimeoutError:
            message = f"not measured within {ask.wait_s:g}s; the measurement goes on, ask again"
            judgement = Judgement(Phase.RUNNING, message)
        took_s = time.perf_counter() - started_s
        self._telemetry.measured(provider=plan.provider_name, phase=judgement.phase, took_s=took_s)
        measurement = Measurement(
            metric=plan.name,
            provider=plan.provider_name,
            phase=judgement.phase,
            message=judgement.message,
            hint=judgement.hint,
            success_condition=plan.success_condition,
            failure_condition=plan.failure_condition,
            query=metric.query,
            reading=answer.reading if answer else None,
            age_s=answer.age_s if answer else 0.0,
            cache=answer.cache.value if answer else "none",
            took_s=took_s,
            is_dry_run=plan.is_dry_run or ask.is_dry_run,
        )
        return redacted(measurement, planned.redaction)

    async def _read(self, metric: PlannedMetric, freshness: Freshness, deadline_s: float) -> Answer:
        provider = metric.plan.provider
        if isinstance(provider, ProviderError):
            raise provider
        answer = self._readings.peek(metric.key, freshness)
        if answer is not None:
            return answer
        async with asyncio.timeout_at(deadline_s):
            return await self._readings.read(
                metric.key, freshness, lambda: self._ask_provider(provider)
            )

    async def _ask_provider(self, provider: Provider) -> Reading:
        try:
            return await provider.measure(self._context)
        except ProviderError:
            raise
        except Exception as error:  # noqa: BLE001 - one metric fails, not the whole verdict
            # Its own text may hold a secret: the log gets the kind and the places.
            places = "".join(traceback.format_tb(error.__traceback__))
            keys = {"kind": type(error).__name__, "places": places}
            _log.error("a provider failed as it never should", extra=keys)
            raise ProviderUnreadable(
                f"the provider failed unexpectedly ({type(error).__name__}); the gateway's log says"
                " where"
            ) from None

    async def _explained(
        self, judgement: Judgement, metric: PlannedMetric, deadline_s: float
    ) -> Judgement:
        try:
            async with asyncio.timeout_at(deadline_s):
                why = await self._explanations.of(metric.key, metric.plan.provider)
        except TimeoutError:
            return judgement
        message = "; ".join(part for part in (judgement.message, why) if part)
        return replace(judgement, message=message)

    def _count(self, planned: Planned, verdict: Verdict) -> None:
        self._telemetry.verdict_given(
            template=planned.label,
            namespace=verdict.namespace,
            phase=verdict.phase,
            now_unix_s=verdict.finished_at_unix_s,
        )

    def _show_values(self, planned: Planned, verdict: Verdict) -> None:
        for measurement in verdict.measurements:
            number = one_number(measurement.reading) if measurement.reading else None
            if number is not None:
                self._telemetry.valued(
                    template=planned.label,
                    namespace=verdict.namespace,
                    metric=measurement.metric,
                    value=number,
                    measured_at_unix_s=verdict.finished_at_unix_s - measurement.age_s,
                )


def _tell(verdict: Verdict) -> None:
    # Callers who poll a kept reading would drown the lines that say something new.
    is_new = any(each.cache != CacheState.HIT for each in verdict.measurements)
    level = logging.INFO if is_new else logging.DEBUG
    if _log.isEnabledFor(level):
        took_s = verdict.finished_at_unix_s - verdict.started_at_unix_s
        keys = {
            "phase": verdict.phase.value,
            "templates": ",".join(verdict.templates),
            "namespace": verdict.namespace,
            "reason": verdict.reason,
            "took_ms": round(took_s * 1000, 1),
        }
        _log.log(level, "verdict", extra=keys)
