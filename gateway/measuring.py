"""One metric, measured once and judged.

read       fresh enough? else measure once for all who ask          gateway/readings.py
judge      reading and conditions to a phase                        gateway/conditions.py
explain    no data? why?                                            gateway/explanations.py
"""

import asyncio
import logging
import math
import time
import traceback
from dataclasses import dataclass, replace
from typing import Final

from gateway.conditions import judge
from gateway.errors import ProviderError, ProviderUnreadable
from gateway.explanations import Explanations, wants_explanation
from gateway.model import Judgement, Phase, Reading
from gateway.planner import Planned, PlannedMetric
from gateway.provider import Context, Provider
from gateway.readings import Answer, Freshness, Readings
from gateway.telemetry import Telemetry
from gateway.verdict import Measurement, one_number, redacted

_log: Final = logging.getLogger(__name__)


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
        context: Context,
        telemetry: Telemetry,
    ) -> None:
        self._readings = readings
        self._explanations = explanations
        self._context = context
        self._telemetry = telemetry

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
        try:
            answer = await self._read(metric, freshness, patience)
            judgement = judge(
                answer.reading,
                success_condition=plan.success_condition,
                failure_condition=plan.failure_condition,
            )
            if judgement.phase is not Phase.SUCCESSFUL and wants_explanation(answer.reading):
                judgement = await self._explained(judgement, metric, patience)
        except ProviderError as error:
            judgement = Judgement(Phase.ERROR, str(error))
        except TimeoutError:
            message = (
                f"not measured within {patience.wait_s:g}s; the measurement goes on, ask again"
            )
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
            is_dry_run=plan.is_dry_run,
        )
        self._show_value(measurement, planned)
        return redacted(measurement, planned.redaction)

    async def _read(
        self, metric: PlannedMetric, freshness: Freshness, patience: Patience
    ) -> Answer:
        provider = metric.plan.provider
        if isinstance(provider, ProviderError):
            raise provider
        answer = self._readings.peek(metric.key, freshness)
        if answer is not None:
            return answer
        async with asyncio.timeout_at(patience.deadline_s):
            return await self._readings.read(
                metric.key, freshness, lambda: self._ask_provider(provider)
            )

    def _show_value(self, measurement: Measurement, planned: Planned) -> None:
        number = one_number(measurement.reading) if measurement.reading else None
        if number is not None:
            self._telemetry.valued(
                template=planned.label,
                namespace=planned.namespace,
                metric=measurement.metric,
                value=number,
                measured_at_unix_s=self._context.now_unix_s() - measurement.age_s,
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
        self, judgement: Judgement, metric: PlannedMetric, patience: Patience
    ) -> Judgement:
        try:
            async with asyncio.timeout_at(patience.deadline_s):
                why = await self._explanations.of(metric.key, metric.plan.provider)
        except TimeoutError:
            return judgement
        message = "; ".join(part for part in (judgement.message, why) if part)
        return replace(judgement, message=message)
