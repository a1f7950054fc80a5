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
from dataclasses import dataclass, field, replace

from gateway.conditions import judge
from gateway.errors import ProviderError
from gateway.evidence import Evidence
from gateway.explanations import Explanations, wants_explanation
from gateway.guard import guarded
from gateway.lasting import Lasting, RunIdentity, attempt_of
from gateway.model import Judgement, Phase, Reading
from gateway.planned import Planned, PlannedMetric
from gateway.proofs import Proofs
from gateway.provider import Attempt, Clock, Context, LastingProvider, Provider
from gateway.readings import Answer, Freshness, Readings
from gateway.reasons import explain
from gateway.run_status import Measurement as RunMeasurement
from gateway.run_status import RunStatus
from gateway.schedule import Action
from gateway.secrets import NOT_TOLD, Redaction
from gateway.telemetry.registry import Telemetry
from gateway.telemetry.showing import Showing
from gateway.traces import Recorder, Traces
from gateway.upstreams.ways import Ways
from gateway.verdict import Measurement, redacted


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


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of asking for a reading."""

    judgement: Judgement
    outcome: Reading | ProviderError | None = None
    """None if there is none yet."""
    answer: Answer | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    evidence: Evidence | None = None


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
        self._showing = Showing(telemetry, now_unix_s)
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
        found = await self._find(metric, planned, freshness, patience)
        took_s = time.perf_counter() - started_s
        plan, judgement, answer = metric.plan, found.judgement, found.answer
        self._showing.judged(metric, planned, judgement.phase, took_s=took_s)
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
            metadata=found.metadata,
            evidence=found.evidence,
            trace=self._traces.of(metric.key, found.outcome, planned.redaction),
        )
        self._showing.valued(measurement, planned)
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
            took_s = measurement.finished_at_unix_s - measurement.started_at_unix_s
            self._showing.judged(metric, planned, measurement.phase, took_s=took_s)
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

    async def _find(
        self, metric: PlannedMetric, planned: Planned, freshness: Freshness, patience: Patience
    ) -> _Found:
        try:
            answer = await self._read(metric, planned.namespace, freshness, patience)
        except ProviderError as error:
            self._showing.failed(metric, error)
            judgement = Judgement(Phase.ERROR, _told(error, planned.redaction))
            return _Found(judgement, error, metadata=error.metadata)
        except TimeoutError:
            message = (
                f"not measured within {patience.wait_s:g}s; the measurement goes on, ask again"
            )
            return _Found(Judgement(Phase.RUNNING, message))
        return await self._judged(answer, metric, planned, patience)

    async def _judged(
        self, answer: Answer, metric: PlannedMetric, planned: Planned, patience: Patience
    ) -> _Found:
        plan, reading = metric.plan, answer.reading
        judgement = reading.judgement or judge(
            reading,
            success_condition=plan.success_condition,
            failure_condition=plan.failure_condition,
            redaction=planned.redaction,
        )
        evidence = self._proofs.of(reading, judgement, plan, planned.redaction)
        metadata = reading.metadata_with(judgement.phase)
        if judgement.phase is not Phase.SUCCESSFUL and wants_explanation(reading):
            judgement = await self._explained(judgement, metric, patience)
        return _Found(judgement, reading, answer, metadata, evidence)

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
