"""What nobody asks for: old runs are deleted, and a run that lost its job gets another one.

When the clock is set back, all runs are looked at: what is due by it would be late by as much.

A job can be lost where Redis loses what it had acknowledged, in a failover for example, or where a
replica dies between keeping a new run and queueing it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from gateway.errors import StoreUnavailable
from gateway.provider import Clock
from gateway.runs.store import RunStore, RunUnreadable
from gateway.schedule import CLOCKS_DIFFER_S

EVERY_S: Final = 10.0
SETTLE_S: Final = 1.0
"""How long a live run may be without a job before that counts as a loss."""
_log: Final = logging.getLogger(__name__)


class Queue(Protocol):
    """Who has runs driven."""

    async def put(self, run_id: str) -> None:
        """Have a run driven, if it is not already. Raises StoreUnavailable."""

    async def missing(self, run_ids: Sequence[str]) -> list[str]:
        """Those of the runs that nobody will drive. Raises StoreUnavailable."""

    async def wake(self, run_id: str) -> None:
        """Have a run looked at now. Raises StoreUnavailable."""


class UpkeepObserver(Protocol):
    """Who counts."""

    def runs_live(self, number: int) -> None:
        """So many runs are under way."""


class Upkeep:
    """Looks after all runs, from every replica; doing it twice does no harm."""

    def __init__(
        self,
        store: RunStore,
        queue: Queue,
        observer: UpkeepObserver,
        *,
        now_unix_s: Clock,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._queue = queue
        self._observer = observer
        self._now_unix_s = now_unix_s
        self._now_s = now_s
        self._began_unix_s = self._start_unix_s()
        """When this process' own count of seconds began, by the clock as it was last seen."""

    async def serve(self) -> None:
        """Look after the runs until cancelled; an outage of Redis is waited out."""
        while True:
            try:
                await self.round()
            except StoreUnavailable:
                _log.debug("runs are looked after again when Redis is back")
            await asyncio.sleep(EVERY_S)

    async def round(self) -> None:
        """Look after the runs once.

        Raises:
            StoreUnavailable: Redis failed; the next round does what is left.

        """
        deleted = await self._store.collect_garbage(self._now_unix_s())
        if deleted:
            _log.info("old runs deleted", extra={"number": deleted})
        live = await self._store.live_ids()
        self._observer.runs_live(len(live))
        for run_id in await self._lost(live):
            _log.warning("a run had lost its job and is driven again", extra={"run": run_id})
            await self._queue.put(run_id)
        await self._wake_if_set_back(live)

    def _start_unix_s(self) -> float:
        return self._now_unix_s() - self._now_s()

    async def _wake_if_set_back(self, live: Sequence[str]) -> None:
        began_unix_s = self._start_unix_s()
        by_s = self._began_unix_s - began_unix_s
        if by_s > CLOCKS_DIFFER_S:
            _log.warning("the clock was set back", extra={"seconds": round(by_s)})
            for run_id in live:
                await self._queue.wake(run_id)
        # Not before all are awake: if Redis fails meanwhile, the next round wakes them.
        self._began_unix_s = began_unix_s

    async def _lost(self, live: Sequence[str]) -> list[str]:
        missing = await self._queue.missing(live)
        if missing:
            # A new run is kept first and queued then.
            await asyncio.sleep(SETTLE_S)
            missing = await self._queue.missing(missing)
        return [run_id for run_id in missing if await self._is_under_way(run_id)]

    async def _is_under_way(self, run_id: str) -> bool:
        try:
            state = await self._store.state(run_id)
        except RunUnreadable as error:
            # Nobody can drive it, and the others must not wait for it.
            _log.warning("a run cannot be driven", extra={"reason": str(error)})
            return False
        return state is not None and not state.status.phase.is_completed
