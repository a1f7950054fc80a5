"""One run, driven: load it, take it a pass further, save it; again while something is due.

Whatever happens to a driver, the run is what Redis says it is. A save names the version it changes,
so of two drivers of one run, which there can be after one was thought to be dead, one gives way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from gateway import assess, schedule
from gateway.args import UNRESOLVED
from gateway.audit import Audit, Call, Entry
from gateway.config.settings import Runs as RunSettings
from gateway.errors import ClusterUnavailable, RunNotFound, StoreUnavailable, TemplateInvalid
from gateway.model import Phase
from gateway.notifications.notices import end_of_run
from gateway.notifications.notifier import Notifies
from gateway.places import kind_and_places
from gateway.provider import Clock
from gateway.run_events import Event, changes
from gateway.run_status import RunStatus
from gateway.run_verdict import gate_phase
from gateway.runs.decisions import conclusion
from gateway.runs.plans import Origin, RunPlan, RunPlans
from gateway.runs.steps import Steps
from gateway.runs.store import RunOfNewer, RunState, RunUnreadable, Saved, StaleRun
from gateway.telemetry.labels import OTHER

FIRST_PAUSE_S: Final = 0.1
"""Between the tries to save what was measured; each further pause is twice as long."""
LONGEST_PAUSE_S: Final = 2.0
IDLE_S: Final = 60.0
"""When a run is looked at again that waits for nothing that has a time."""
_log: Final = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class RunStates(Protocol):
    """Where runs are kept."""

    async def state(self, run_id: str) -> RunState | None:
        """How a run stands, None if it is gone. Raises StoreUnavailable."""

    async def save(
        self, run_id: str, *, version: int, status: RunStatus, events: Sequence[Event]
    ) -> Saved:
        """Keep a status. Raises StaleRun if the run is at another version, StoreUnavailable."""


class DriveObserver(Protocol):
    """Who counts."""

    def run_ended(self, *, template: str, namespace: str, phase: Phase, now_unix_s: float) -> None:
        """A run is completed."""


class Driver:
    """Drives runs."""

    def __init__(
        self,
        *,
        states: RunStates,
        plans: RunPlans,
        steps: Steps,
        settings: RunSettings,
        now_unix_s: Clock,
        observer: DriveObserver,
        audit: Audit,
        notifies: Notifies,
    ) -> None:
        self._states = states
        self._plans = plans
        self._steps = steps
        self._settings = settings
        self._now_unix_s = now_unix_s
        self._observer = observer
        self._audit = audit
        self._notifies = notifies

    async def drive(self, run_id: str) -> float | None:
        """Do what is due in a run.

        Returns:
            When to drive it again, in Unix seconds; None if it has ended or is gone.

        Raises:
            StoreUnavailable: Redis does not say how the run stands; nothing was measured.
            RunUnreadable: this gateway does not know how; nothing was changed.
            ClusterUnavailable: a secret cannot be read now; nothing was measured.

        """
        state = await self._states.state(run_id)
        while state is not None and not state.status.phase.is_completed:
            drive = _Drive(self._states, run_id, state)
            try:
                wake_at = await self._pass(drive)
            except StaleRun:
                state = await self._states.state(run_id)
                continue
            except RunNotFound:
                break
            is_told_to_end = drive.state.is_terminated and not state.is_terminated
            if wake_at is not None and not is_told_to_end:
                return wake_at
            state = drive.state
        self._plans.forget(run_id)
        return None

    async def _pass(self, drive: "_Drive") -> float | None:
        """Take the run a pass further; when it wants the next one, None if it has ended."""
        now_unix_s = self._now_unix_s()
        max_duration_s = self._settings.max_duration_s
        created_at = drive.state.created_at_unix_s
        if schedule.overdue(
            drive.state.status,
            is_terminated=drive.state.is_terminated,
            created_at_unix_s=created_at,
            max_duration_s=max_duration_s,
            now_unix_s=now_unix_s,
        ):
            await self._end_by_cap(drive, now_unix_s)
            return None
        try:
            plan = await self._plans.of(drive.run_id)
        except TemplateInvalid as error:
            if drive.state.schema.is_newer:
                # Its provider may be new, or a field.
                raise RunOfNewer(
                    drive.run_id,
                    f"a newer gateway wrote it, and this one cannot plan it: {_told(error)}",
                ) from None
            status = assess.gave_up(drive.state.status, _told(error), now_unix_s=now_unix_s)
            await self._end(drive, None, status)
            return None
        except ClusterUnavailable:
            # Whoever is terminating would end soon, but without a plan cannot.
            if now_unix_s - created_at < max_duration_s:
                raise
            await self._end_by_cap(drive, now_unix_s)
            return None
        status = await self._step(plan, drive)
        if status.phase.is_completed:
            await self._end(drive, plan, status)
            return None
        await drive.save(status)
        wake_at = self._wake_at(plan, drive.state)
        return min(now_unix_s + IDLE_S if wake_at is None else wake_at, created_at + max_duration_s)

    def _wake_at(self, plan: RunPlan, state: RunState) -> float | None:
        now_unix_s = self._now_unix_s()
        wake_at = schedule.next_wake(
            plan.rules, state.status, is_terminated=state.is_terminated, now_unix_s=now_unix_s
        )
        if wake_at is None or schedule.is_terminating(
            state.status, is_terminated=state.is_terminated
        ):
            return wake_at
        # A run without a pause would take the turns of all others.
        return max(wake_at, now_unix_s + self._settings.shortest_gap_s)

    async def _step(self, plan: RunPlan, drive: "_Drive") -> RunStatus:
        try:
            return await self._steps.step(
                plan,
                drive.state.status,
                is_terminated=drive.state.is_terminated,
                created_at_unix_s=drive.state.created_at_unix_s,
                record=drive.save,
            )
        except (StaleRun, RunNotFound, RunUnreadable):
            raise
        except Exception as error:  # noqa: BLE001 - one run ends, not the worker
            keys = {"run": drive.run_id, **kind_and_places(error)}
            _log.error("a run could not be driven", extra=keys)
            message = (
                f"the gateway failed unexpectedly ({type(error).__name__}); its log says where"
            )
            return assess.gave_up(drive.state.status, message, now_unix_s=self._now_unix_s())

    async def _end_by_cap(self, drive: "_Drive", now_unix_s: float) -> None:
        status = assess.ended_by_cap(
            await self._stopped(drive),
            max_duration_s=self._settings.max_duration_s,
            now_unix_s=now_unix_s,
        )
        await self._end(drive, None, status)

    async def _stopped(self, drive: "_Drive") -> RunStatus:
        """The status with nothing in flight that would go on without the run."""
        status = drive.state.status
        try:
            plan = await self._plans.of(drive.run_id)
        except (TemplateInvalid, ClusterUnavailable):
            return status
        return await self._steps.stop(plan, status)

    async def _end(self, drive: "_Drive", plan: RunPlan | None, status: RunStatus) -> None:
        origin = plan.origin if plan else await self._origin(drive.run_id)
        reason = conclusion(plan, status)
        await drive.save(status)
        gate = gate_phase(status, is_terminated=drive.state.is_terminated)
        # Whoever awaits anything from here on may be cancelled, and nobody says it again.
        self._observer.run_ended(
            template=plan.planned.label if plan else OTHER,
            namespace=plan.planned.namespace if plan else OTHER,
            phase=status.phase,
            now_unix_s=self._now_unix_s(),
        )
        self._notifies.run_ended(
            end_of_run(
                drive.run_id,
                at_unix_s=self._now_unix_s(),
                phase=status.phase,
                gate=gate,
                reason=reason,
                namespace=origin.namespace,
                templates=origin.templates,
                label=plan.planned.label if plan else OTHER,
            )
        )
        self._audit.note(
            Entry(
                at_unix_s=self._now_unix_s(),
                call=Call.RUN_ENDED,
                caller=origin.made_by,
                namespace=origin.namespace,
                templates=origin.templates,
                run=drive.run_id,
                phase=status.phase.value,
                is_ok=gate is Phase.SUCCESSFUL,
                reason=reason,
                took_s=self._now_unix_s() - drive.state.created_at_unix_s,
            )
        )

    async def _origin(self, run_id: str) -> Origin:
        try:
            return await _patiently(lambda: self._plans.origin(run_id))
        except (RunNotFound, RunUnreadable):
            return Origin()


class _Drive:
    """A run in the hands of one driver, which knows at what version it is."""

    def __init__(self, states: RunStates, run_id: str, state: RunState) -> None:
        self._states = states
        self.run_id = run_id
        self.state = state
        """As it was saved last."""

    async def save(self, status: RunStatus) -> None:
        """Keep a status, however long that takes: what was measured must not be lost.

        Raises:
            StaleRun: another driver has taken the run further.
            RunNotFound: it is gone.
            RunUnreadable: what Redis has of it cannot be read, and no waiting mends that.

        """
        before = self.state
        if status == before.status:
            return
        events = changes(before.status, status)
        saved = await _patiently(
            lambda: self._states.save(
                self.run_id, version=before.version, status=status, events=events
            )
        )
        self.state = replace(
            before,
            status=status,
            version=before.version + 1,
            is_terminated=saved.is_terminated,
        )


async def _patiently(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """What a call answers, however long Redis is away. Raises RunUnreadable: that stays so."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await call()
        except RunUnreadable:
            raise
        except StoreUnavailable:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _told(error: TemplateInvalid) -> str:
    """Argo's words for a run that cannot be planned any more."""
    unresolved = [each.message for each in error.problems if each.message.startswith(UNRESOLVED)]
    return "; ".join(unresolved) or f"Analysis spec invalid: {error}"
