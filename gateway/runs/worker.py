"""SAQ's workers of this process: each takes a run, drives it a step, and takes the next."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from saq import Worker
from saq.types import Context

from gateway.errors import ClusterUnavailable, StoreUnavailable
from gateway.places import kind_and_places
from gateway.runs.queue import FUNCTION, RunQueue
from gateway.runs.records import RunUnreadable

PAUSE_S: Final = 1.0
"""When a run is driven again whose step could not begin because Redis or the cluster was away."""
PAUSE_AFTER_A_FAULT_S: Final = 10.0
"""When a run is driven again whose step failed by an error in the gateway itself."""
TELL_EVERY_S: Final = 30.0
"""From one line about a run that is not driven here to the next: there may be thousands."""
_log: Final = logging.getLogger(__name__)

Drive = Callable[[str], Awaitable[float | None]]
"""Takes a run, by its id, a step further. Returns when it wants its next step, in Unix seconds;
None if it has ended or is gone. Raises StoreUnavailable or ClusterUnavailable if the step could not
begin, RunUnreadable if the run is none that this gateway can drive."""


class StepObserver(Protocol):
    """Who counts."""

    def run_stepped(self, *, late_s: float) -> None:
        """A step begins, so many seconds after it was due."""


class RunWorker:
    """Drives every run that is due, as many as it may at the same time."""

    def __init__(
        self, queue: RunQueue, drive: Drive, *, concurrency: int, observer: StepObserver
    ) -> None:
        self._queue = queue
        self._drive = drive
        self._observer = observer
        self._saq = _SaqWorker(
            queue,
            functions=[(FUNCTION, self._step)],
            id=queue.worker_id,
            concurrency=concurrency,
        )
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._tells_at_s = 0.0

    async def start(self) -> None:
        """Take runs from now on. A Redis that is away is waited for, in the background."""
        # It tells two lines for each step.
        logging.getLogger("saq").setLevel(logging.WARNING)
        self._tasks = (
            asyncio.create_task(self._queue.serve(), name="serve runs"),
            asyncio.create_task(self._saq.start(), name="drive runs"),
        )
        # SAQ makes the event that ends it in its first moment.
        await asyncio.sleep(0)

    async def stop(self, grace_s: float) -> None:
        """Take no more runs, and give back all that are in hand, for other replicas to take.

        Steps that are under way may take ``grace_s`` seconds to finish; then they are cancelled.
        """
        if not self._tasks:
            return
        serving, driving = self._tasks
        self._saq.end_within(grace_s)
        self._queue.close()
        await driving
        serving.cancel()
        await asyncio.wait({serving})
        await self._queue.leave()

    async def _step(self, context: Context) -> float | None:
        job = context["job"]
        run_id = job.key
        self._observer.run_stepped(late_s=time.time() - job.meta["due_unix_s"])
        try:
            return await self._drive(run_id)
        except (StoreUnavailable, ClusterUnavailable) as error:
            if isinstance(error, RunUnreadable):
                self._tell(run_id, error)
            return time.time() + PAUSE_S
        except Exception as error:  # noqa: BLE001 - one run must not end the worker, nor spin in it
            keys = {"run": run_id, **kind_and_places(error)}
            _log.error("a step failed by an error in the gateway", extra=keys)
            return time.time() + PAUSE_AFTER_A_FAULT_S

    def _tell(self, run_id: str, error: RunUnreadable) -> None:
        now_s = time.monotonic()
        if now_s >= self._tells_at_s:
            self._tells_at_s = now_s + TELL_EVERY_S
            _log.warning("a run is not driven here", extra={"run": run_id, "reason": str(error)})


class _SaqWorker(Worker[Context]):
    # The gateway has signal handlers of its own.
    SIGNALS = []  # noqa: RUF012 # SAQ's declaration
    _grace_s = 0.0

    def end_within(self, grace_s: float) -> None:
        """Take no more jobs; cancel those that are still under way after ``grace_s`` seconds."""
        self._grace_s = grace_s
        self.event.set()

    async def upkeep(self) -> list[asyncio.Task[None]]:
        """Nothing: the queue schedules, sweeps and shows that it lives by itself."""
        return []

    async def stop(self) -> None:
        """End, as SAQ does, after the grace."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=self._grace_s)
        await super().stop()
