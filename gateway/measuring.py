"""One metric, measured once and judged.

read       fresh enough? else measure once for all who ask          gateway/readings.py
follow     a measurement that lasts, to its end                     gateway/lasting.py
judge      reading and conditions to a phase                        gateway/conditions.py
explain    no data? why?                                            gateway/explanations.py
"""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.conditions import judge
from gateway.errors import ProviderError
from gateway.evidence import Evidence
from gateway.explanations import Explanations, wants_explanation
from gateway.expr import only_limit
from gateway.guard import guarded
from gateway.lasting import Lasting, RunIdentity, attempt_of
from gateway.measurement_telemetry import MeasurementTelemetry
from gateway.model import Judgement, Phase, Reading
from gateway.planner import Planned, PlannedMetric
from gateway.proofs import Proofs
from gateway.provider import Attempt, Clock, Context, LastingProvider, Provider
from gateway.readings import Answer, Freshness, Readings
from gateway.reasons import explain
from gateway.run_status import Measurement as RunMeasurement
from gateway.run_status import RunStatus
from gateway.schedule import Action
from gateway.secrets import NOT_TOLD, Redaction
from gateway.telemetry import Telemetry
from gateway.traces import Recorder, Traces
from gateway.verdict import Measurement, one_number, redacted
from gateway.ways import Ways


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one caller waits; the measurements themselves go on."""

    wait_s: float
    deadline_s: float | None
    """When that is over, by the event loop's clock; None for never."""

    @classmethod
    def of(cls, wait_s: float) -> "Patience":
        """The patience of a caller who starts to wait now."""
        return cls(wait_s, asyncio.get_running_loop().time() + wait_s)

    @classmethod
    def endless(cls) -> "Patience":
        """The patience of who waits for as long as a measurement may take."""
        return cls(math.inf, None)


class Measuring:
    """Measures metrics."""

    def __init__(
        self,
        *,
        readings: Readings,
        explanations: Explanations,
        ways: Ways,
        now_unix_s: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._readings = readings
        self._explanations = explanations
        self._ways = ways
        self._now_unix_s = now_unix_s
        self._telemetry = telemetry
        self._metrics = MeasurementTelemetry(telemetry)
        self._proofs = Proofs()
        self._traces = Traces()

    async def measure(
        self,
        metric: PlannedMetric,
        *,
        planned: Planned,
        freshness: Freshness,
        patience: Patience,
    ) -> Measurement:
        """A metric of a plan, read and judged, without secrets; Running once patience is over."""
        started_s = time.perf_counter()
        plan = metric.plan
        answer: Answer | None = None
        metadata: Mapping[str, str] = {}
        evidence: Evidence | None = None
        outcome: object = None
        try:
            answer = await self._read(metric, planned.namespace, freshness, patience)
            outcome = answer.reading
            judgement = answer.reading.judgement or judge(
                answer.reading,
                success_condition=plan.success_condition,
                failure_condition=plan.failure_condition,
                redaction=planned.redaction,
            )
            evidence = self._proofs.of(answer.reading, judgement, plan, planned.redaction)
            metadata = answer.reading.metadata_with(judgement.phase)
            if judgement.phase is not Phase.SUCCESSFUL and wants_explanation(answer.reading):
                judgement = await self._explained(judgement, metric, patience)
        except ProviderError as error:
            message = _told(error, planned.redaction)
            judgement, metadata = Judgement(Phase.ERROR, message), error.metadata
            self._metrics.provider_failed(provider=plan.provider_name, reason=error.slug)
            outcome = error
        except TimeoutError:
            message = (
                f"not measured within {patience.wait_s:g}s; the measurement goes on, ask again"
            )
            judgement = Judgement(Phase.RUNNING, message)
        took_s = time.perf_counter() - started_s
        self._telemetry.measured(provider=plan.provider_name, phase=judgement.phase, took_s=took_s)
        self._show_phase(metric, planned, judgement.phase)
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
            is_dry_run=plan.is_dry_run,
            metadata=metadata,
            evidence=evidence,
            trace=self._traces.of(metric.key, outcome, planned.redaction),
        )
        self._show_value(measurement, planned)
        shown = redacted(measurement, planned.redaction)
        return replace(shown, reason=explain(shown))

    async def look(
        self,
        action: Action,
        metric: PlannedMetric,
        provider: LastingProvider,
        *,
        planned: Planned,
        run: RunIdentity,
        status: RunStatus,
    ) -> RunMeasurement:
        """What a run records now of a measurement that lasts, without secrets."""
        attempt = self._attempt_of(metric, run, status)
        measurement = await self._lasting(metric).take(action, provider, attempt, planned.redaction)
        if measurement.finished_at_unix_s is not None:
            self._telemetry.measured(
                provider=metric.plan.provider_name,
                phase=measurement.phase,
                took_s=measurement.finished_at_unix_s - measurement.started_at_unix_s,
            )
            self._show_phase(metric, planned, measurement.phase)
        return measurement

    async def abandon(
        self,
        metric: PlannedMetric,
        provider: LastingProvider,
        *,
        run: RunIdentity,
        status: RunStatus,
    ) -> None:
        """Stop what may have begun without having been recorded."""
        attempt = self._attempt_of(metric, run, status)
        await self._lasting(metric).abandon(provider, attempt)

    async def collect(
        self,
        metric: PlannedMetric,
        provider: LastingProvider,
        *,
        run: RunIdentity,
        status: RunStatus,
        keep: int,
    ) -> None:
        """Remove what measurements left behind that a run does not keep any more."""
        attempt = self._attempt_of(metric, run, status)
        await self._lasting(metric).collect(provider, attempt, keep=keep)

    def _attempt_of(self, metric: PlannedMetric, run: RunIdentity, status: RunStatus) -> Attempt:
        return attempt_of(run, status, metric.plan.metric, now_unix_s=self._now_unix_s())

    async def _read(
        self,
        metric: PlannedMetric,
        namespace: str,
        freshness: Freshness,
        patience: Patience,
    ) -> Answer:
        provider = metric.plan.provider
        if isinstance(provider, ProviderError):
            raise provider
        answer = self._readings.peek(metric.key, freshness)
        if answer is not None:
            return answer
        async with asyncio.timeout_at(patience.deadline_s):
            if isinstance(provider, LastingProvider):
                attempt = self._attempt(metric, namespace, freshness)
                return await self._readings.read(
                    metric.key,
                    freshness,
                    lambda: self._lasting(metric).follow(provider, attempt),
                    longest_s=provider.longest_s(),
                    tenant=namespace,
                )
            longest_s = self._readings.longest_flight_s
            return await self._readings.read(
                metric.key,
                freshness,
                lambda: self._recorded(metric, provider, longest_s),
                tenant=namespace,
            )

    async def _recorded(
        self, metric: PlannedMetric, provider: Provider, longest_s: float
    ) -> Reading:
        context = self._context_of(metric, longest_s)
        recorder = Recorder(context.http)
        try:
            with recorder.listening():
                reading = await guarded(provider.measure(replace(context, http=recorder)))
        except ProviderError as error:
            self._traces.keep(metric.key, error, recorder.trace)
            raise
        self._traces.keep(metric.key, reading, recorder.trace)
        return reading

    def _lasting(self, metric: PlannedMetric) -> Lasting:
        return Lasting(self._context_of(metric))

    def _context_of(self, metric: PlannedMetric, longest_s: float = math.inf) -> Context:
        return self._ways[metric.egress].of(
            provider=metric.plan.provider_name,
            credential=metric.plan.credential,
            longest_s=longest_s,
            grants=metric.grants,
        )

    def _attempt(self, metric: PlannedMetric, namespace: str, freshness: Freshness) -> Attempt:
        now_unix_s = self._now_unix_s()
        oldest = now_unix_s - freshness.max_age_s
        return Attempt(
            owner=metric.key,
            analysis="",
            namespace=namespace,
            metric=metric.plan.name,
            number=int(now_unix_s * 1000),
            began_at_unix_s=now_unix_s,
            interval=metric.plan.metric.interval,
            joins_since_unix_s=oldest if freshness.is_explicit else 0.0,
            takes_since_unix_s=oldest,
        )

    def _show_phase(self, metric: PlannedMetric, planned: Planned, phase: Phase) -> None:
        self._metrics.judged(
            template=planned.label,
            namespace=planned.namespace,
            metric=metric.plan.name,
            phase=phase,
            thresholds=_thresholds(metric, planned),
            now_unix_s=self._now_unix_s(),
        )

    def _show_value(self, measurement: Measurement, planned: Planned) -> None:
        number = one_number(measurement.reading) if measurement.reading else None
        if number is not None:
            self._telemetry.valued(
                template=planned.label,
                namespace=planned.namespace,
                metric=measurement.metric,
                value=number,
                measured_at_unix_s=self._now_unix_s() - measurement.age_s,
            )

    async def _explained(
        self, judgement: Judgement, metric: PlannedMetric, patience: Patience
    ) -> Judgement:
        try:
            async with asyncio.timeout_at(patience.deadline_s):
                context = self._context_of(metric)
                why = await self._explanations.of(metric.key, metric.plan.provider, context)
        except TimeoutError:
            return judgement
        message = "; ".join(part for part in (judgement.message, why) if part)
        return replace(judgement, message=message)


def _told(error: ProviderError, redaction: Redaction) -> str:
    is_secret = redaction.text(error.expression) != error.expression
    return f"{error.outline}: {NOT_TOLD}" if is_secret else str(error)


def _thresholds(metric: PlannedMetric, planned: Planned) -> dict[str, float]:
    """What the conditions compare the value with, unless a secret may be a part of it."""
    texts = {
        "successCondition": metric.plan.success_condition,
        "failureCondition": metric.plan.failure_condition,
    }
    found = dict[str, float]()
    for name, text in texts.items():
        number = only_limit(text)
        if number is not None and planned.redaction.text(text) == text:
            found[name] = number
    return found
