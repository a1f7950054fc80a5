"""A run that this process drives alone, from its first measurement to its end; nobody keeps it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from gateway import assess, schedule
from gateway.provider import Clock
from gateway.run_status import RunStatus
from gateway.runs.plans import RunPlan
from gateway.runs.steps import Steps

_STOP_S: Final = 2.0
"""How long what goes on elsewhere may take to be stopped, where nothing is to be waited for."""
_LITTLE_S: Final = 0.001
"""A gap between two measurements has to be over, not only reached."""

Watch = Callable[[RunStatus, RunStatus], None]
"""Is told of every change: the status before it, and after it."""


class LocalRun:
    """A run, and the means to end it before its time."""

    def __init__(
        self, plan: RunPlan, steps: Steps, *, max_duration_s: float, now_unix_s: Clock
    ) -> None:
        self.plan = plan
        self.status = RunStatus()
        self.created_at_unix_s = now_unix_s()
        self.is_terminated = False
        """Whether somebody wants it to end."""
        self.is_cut_short = False
        """Whether it has ended because somebody wanted it to, and not by its own rules."""
        self._steps = steps
        self._max_duration_s = max_duration_s
        self._now_unix_s = now_unix_s
        self._must_end = asyncio.Event()
        self._under_way: asyncio.Task[RunStatus] | None = None

    def terminate(self) -> None:
        """Measure nothing more; what is under way is finished first, and counts."""
        self.is_terminated = True
        self._must_end.set()

    def abandon(self) -> None:
        """End now with what has been recorded; what is under way is lost."""
        self.terminate()
        if self._under_way is not None:
            self._under_way.cancel()

    async def drive(self, watch: Watch) -> RunStatus:
        """Measure as often as the metrics want it; the status in which the run has ended."""
        while True:
            self._take(await self._pass(watch), watch)
            if self.status.phase.is_completed:
                return self.status
            await self._until_next()

    async def _pass(self, watch: Watch) -> RunStatus:
        now_unix_s = self._now_unix_s()
        self.is_cut_short = self.is_terminated
        if schedule.overdue(
            self.status,
            is_terminated=self.is_terminated,
            created_at_unix_s=self.created_at_unix_s,
            max_duration_s=self._max_duration_s,
            now_unix_s=now_unix_s,
        ):
            return assess.ended_by_cap(
                await self._steps.stop(self.plan, self.status),
                max_duration_s=self._max_duration_s,
                now_unix_s=now_unix_s,
            )
        step = self._under_way = asyncio.create_task(self._step(watch), name="step")
        try:
            await asyncio.wait({step})
        finally:
            self._under_way = None
            step.cancel()
        return await self._as_it_stands() if step.cancelled() else step.result()

    async def _step(self, watch: Watch) -> RunStatus:
        async def record(status: RunStatus) -> None:
            self._take(status, watch)

        return await self._steps.step(
            self.plan,
            self.status,
            is_terminated=self.is_terminated,
            created_at_unix_s=self.created_at_unix_s,
            record=record,
        )

    async def _as_it_stands(self) -> RunStatus:
        self.is_cut_short = True
        rules = self.plan.rules
        status = self.status
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                status = await self._steps.stop(self.plan, status)
        status = assess.assess(rules, status, is_terminated=True, now_unix_s=self._now_unix_s())
        return assess.trimmed(rules, status)

    def _take(self, status: RunStatus, watch: Watch) -> None:
        before, self.status = self.status, status
        watch(before, status)

    async def _until_next(self) -> None:
        now_unix_s = self._now_unix_s()
        wake_at = schedule.next_wake(
            self.plan.rules,
            self.status,
            is_terminated=self.is_terminated,
            now_unix_s=now_unix_s,
        )
        ends_at = self.created_at_unix_s + self._max_duration_s
        pause_s = min(ends_at if wake_at is None else wake_at, ends_at) - now_unix_s
        with suppress(TimeoutError):
            async with asyncio.timeout(max(pause_s, 0.0) + _LITTLE_S):
                await self._must_end.wait()
