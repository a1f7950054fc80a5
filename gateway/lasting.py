"""Measurements that go on while nobody looks: a verdict follows one to its end, a run looks in.

A run keeps what it takes to find its measurement again in its document: whoever drives it next goes
on with it. A verdict's is found again by the question that is asked.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from gateway import assess
from gateway.errors import ProviderError, ProviderUnreachable
from gateway.guard import guarded
from gateway.model import Judgement, Phase, Reading, ResultType
from gateway.provider import (
    LOG_METADATA,
    OUTCOME_METADATA,
    Attempt,
    Context,
    LastingProvider,
)
from gateway.run_status import Measurement, RunStatus
from gateway.schedule import Action
from gateway.secrets import Redaction
from gateway.template import Metric
from gateway.verdict import cut

SHORTEST_PAUSE_S: Final = 0.25
"""Between two looks of a verdict at what it waits for."""
KEPT_OF_A_QUESTION: Final = 3
"""How many completed measurements of a question are left where they ran, for who looks there."""
MAX_METADATA_CHARS: Final = 4_096
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Which run it is that measures."""

    uid: str
    name: str
    namespace: str


def attempt_of(
    run: RunIdentity, status: RunStatus, metric: Metric, *, now_unix_s: float
) -> Attempt:
    """The measurement of a metric that is in flight, or the one that is due.

    Source: argo-rollouts metricproviders/job/job.go:82-106 @ 9f8d111d8 for the number.
    """
    result = status.result_of(metric.name)
    in_flight = result.in_flight if result is not None else None
    return Attempt(
        owner=run.uid,
        analysis=run.name,
        namespace=run.namespace,
        metric=metric.name,
        number=1 if result is None else 1 + result.count + result.error,
        began_at_unix_s=in_flight.started_at_unix_s if in_flight is not None else now_unix_s,
        interval=metric.interval,
        analysis_began_at_unix_s=status.started_at_unix_s,
        metadata=in_flight.metadata if in_flight is not None else {},
    )


class Lasting:
    """Follows measurements that last, and looks in on them."""

    def __init__(
        self,
        context: Context,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._context = context
        self._sleep = sleep

    async def follow(self, provider: LastingProvider, attempt: Attempt) -> Reading:
        """A measurement from its beginning, or from where it stands, to its end.

        Who is cancelled leaves it to go on: the next one who asks finds it.

        Raises:
            ProviderError: what the provider raised.

        """
        asked_at_unix_s = self._context.now_unix_s()
        progress = await guarded(provider.advance(self._context, attempt))
        began_at_unix_s = progress.began_at_unix_s
        if not progress.phase.is_completed:
            await self.collect(provider, attempt, keep=KEPT_OF_A_QUESTION)
        while not progress.phase.is_completed:
            wait_s = (progress.resume_at_unix_s or 0.0) - self._context.now_unix_s()
            await self._sleep(max(wait_s, SHORTEST_PAUSE_S))
            attempt = replace(attempt, metadata=progress.metadata)
            progress = await guarded(provider.advance(self._context, attempt))
            began_at_unix_s = progress.began_at_unix_s or began_at_unix_s
        return Reading(
            result=None if progress.value is None else float(progress.value),
            result_type=ResultType.JSON,
            text=progress.text,
            metadata=progress.metadata,
            # What could not be judged is no verdict to repeat.
            is_partial=progress.phase is Phase.INCONCLUSIVE,
            lag_s=max(0.0, asked_at_unix_s - (began_at_unix_s or asked_at_unix_s)),
            judgement=Judgement(progress.phase, progress.message),
        )

    async def take(
        self, action: Action, provider: LastingProvider, attempt: Attempt, redaction: Redaction
    ) -> Measurement:
        """What a run records of a measurement now, without secrets."""
        try:
            if action is Action.TERMINATE:
                measurement = await self._terminated(provider, attempt)
            else:
                measurement = await self._advanced(provider, attempt)
        except ProviderError as error:
            if action is not Action.TERMINATE:
                await self.abandon(provider, attempt)
            measurement = Measurement(
                phase=Phase.ERROR,
                started_at_unix_s=attempt.began_at_unix_s,
                finished_at_unix_s=self._context.now_unix_s(),
                message=str(error),
                metadata=attempt.metadata,
            )
        return replace(
            measurement,
            message=cut(redaction.text(measurement.message), MAX_METADATA_CHARS),
            # By these one in flight is found again: a secret may be a part of some name.
            metadata=measurement.metadata
            if measurement.finished_at_unix_s is None
            else _shown(measurement.metadata, redaction),
        )

    async def collect(self, provider: LastingProvider, attempt: Attempt, *, keep: int) -> None:
        """Remove what older measurements of a metric left behind; if it fails, it is told."""
        try:
            await guarded(provider.collect(self._context, attempt, keep=keep))
        except ProviderError as error:
            keys = {"owner": attempt.owner, "reason": str(error)}
            _log.warning("old measurements could not be removed", extra=keys)

    async def _advanced(self, provider: LastingProvider, attempt: Attempt) -> Measurement:
        progress = await guarded(provider.advance(self._context, attempt))
        is_completed = progress.phase.is_completed
        outcome = {OUTCOME_METADATA: progress.text} if progress.text else {}
        return Measurement(
            phase=progress.phase,
            started_at_unix_s=attempt.began_at_unix_s,
            finished_at_unix_s=self._context.now_unix_s() if is_completed else None,
            message=progress.message,
            value="" if progress.value is None else str(progress.value),
            metadata={**outcome, **progress.metadata},
            resume_at_unix_s=progress.resume_at_unix_s,
        )

    async def abandon(self, provider: LastingProvider, attempt: Attempt) -> None:
        """Stop what nobody will look at again, as far as that goes."""
        with suppress(ProviderError):
            await guarded(provider.terminate(self._context, attempt))

    async def _terminated(self, provider: LastingProvider, attempt: Attempt) -> Measurement:
        message = ""
        try:
            await guarded(provider.terminate(self._context, attempt))
        except ProviderUnreachable as error:
            # Unlike a refusal, which Argo counts as an Error: nothing is known, so nothing passed.
            message = f"; it may go on until its deadline: {error}"
        measurement = assess.terminated(
            Measurement(
                phase=Phase.INCONCLUSIVE,
                started_at_unix_s=attempt.began_at_unix_s,
                finished_at_unix_s=self._context.now_unix_s(),
                metadata=attempt.metadata,
            )
        )
        return replace(measurement, message=measurement.message + message)


def _shown(metadata: Mapping[str, str], redaction: Redaction) -> dict[str, str]:
    """Metadata without secrets, and each not longer than a run may keep."""
    return {
        name: _end_of(text) if name == LOG_METADATA else cut(text, MAX_METADATA_CHARS)
        for name, text in redaction.texts(metadata).items()
    }


def _end_of(log: str) -> str:
    is_long = len(log) > MAX_METADATA_CHARS
    return f"...{log[-MAX_METADATA_CHARS:]}" if is_long else log
