"""Redis on a budget: a call answers within it or fails, and a failure is not paid for twice.

A call that gets no answer within ``CALL_BUDGET_S`` opens the circuit. From then on every call, the
ones under way included, fails at once; a probe in the background closes the circuit again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from redis.asyncio import Redis

from gateway.errors import StoreUnavailable
from gateway.secrets import Secret
from gateway.storage.client import Patience, StoreInvalid, connect
from gateway.storage.faults import StoreFault, fault_of, reason_of

__all__ = ["Store", "StoreFault", "StoreInvalid", "StoreObserver", "StoreState"]

CALL_BUDGET_S: Final = 0.15
"""The longest that a call may take, waiting for a connection included."""
PROBE_BUDGET_S: Final = 2.0
"""The longest that a probe may take; nobody waits for it, except the start of the process."""
MAX_CALLS: Final = 32
"""Calls under way at the same time; further ones wait for their turn, within their budget."""
PATIENCE: Final = Patience(
    # Above the budget, which decides: a shorter one would fire while an answer lies ready that a
    # stalled process has not read.
    socket_timeout_s=0.5,
    # Above the number of calls: the client never refuses one.
    max_connections=2 * MAX_CALLS,
    retries=0,
)
FIRST_PAUSE_S: Final = 0.1
"""From the failure to the first probe; each further pause is twice as long."""
LONGEST_PAUSE_S: Final = 5.0
_TURNS: Final = 10
"""Turns of the event loop in which an answer that lies ready is read."""
_log: Final = logging.getLogger(__name__)

T = TypeVar("T")


class StoreObserver(Protocol):
    """Who counts how the store is."""

    def store_failed(self, slug: str) -> None:
        """A call gave nothing; ``slug`` is a StoreFault."""

    def store_is_up(self) -> None:
        """Redis answers."""

    def store_is_down(self) -> None:
        """Redis does not answer."""


@dataclass(frozen=True, slots=True)
class StoreState:
    """How the store is, and since when."""

    is_up: bool
    since_unix_s: float
    last_fault: StoreFault | None
    """The newest failure, also after it was mended; None if there was none."""


class Store:
    """The only way to Redis."""

    def __init__(self, url: Secret, observer: StoreObserver) -> None:
        """Prepare; nothing is sent yet. Raises StoreInvalid for an unusable URL."""
        self._client = connect(url, PATIENCE)
        self._observer = observer
        self._places = asyncio.Semaphore(MAX_CALLS)
        self._under_way: set[asyncio.Task[Any]] = set()
        self._probing: asyncio.Task[None] | None = None
        self._pause_s = FIRST_PAUSE_S
        self._up_since_s = time.monotonic()
        self.state = StoreState(is_up=True, since_unix_s=time.time(), last_fault=None)
        observer.store_is_up()

    async def start(self) -> None:
        """Probe once, so that a Redis that is away costs the first caller nothing."""
        fault = await self._probe()
        if fault is not None:
            self._open(fault)

    async def call(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        """What one command answers.

        Raises:
            StoreUnavailable: it failed or took too long, or the circuit is open.

        """
        if self._probing is not None:
            raise self._failed(StoreFault.CIRCUIT_OPEN)
        task = self._launch(self._send(command))
        try:
            await asyncio.wait({task}, timeout=CALL_BUDGET_S)
            # Where this process itself was stalled, the answer waits to be read.
            for _ in range(0 if task.done() else _TURNS):
                await asyncio.sleep(0)
        finally:
            is_late = not task.done()
            task.cancel()
        if is_late:
            fault = StoreFault.TIMEOUT
        elif task.cancelled():
            fault = StoreFault.CIRCUIT_OPEN
        else:
            error = task.exception()
            if error is None:
                return task.result()
            fault = fault_of(error)
        if not fault.is_of_the_command:
            self._open(fault)
        raise self._failed(fault)

    def count(self, fault: StoreFault) -> None:
        """Count an answer that is of no use."""
        self._observer.store_failed(fault)

    def details(self) -> Mapping[str, object]:
        """The state for ``/readyz``; JSON-ready."""
        return {
            "state": "up" if self.state.is_up else "down",
            "sinceUnixSeconds": round(self.state.since_unix_s, 3),
            "lastError": self.state.last_fault,
        }

    async def close(self) -> None:
        """Stop probing, end the calls under way and close every connection."""
        tasks = {*self._under_way, *({self._probing} if self._probing else ())}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    def _launch(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._landed)
        return task

    def _landed(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Marks it as seen: nobody may be left who asks.
            task.exception()

    async def _send(self, command: Callable[[Redis], Awaitable[T]]) -> T:
        async with self._places:
            return await command(self._client.commands)

    def _failed(self, fault: StoreFault) -> StoreUnavailable:
        self.count(fault)
        return StoreUnavailable(reason_of(fault, budget_s=CALL_BUDGET_S))

    def _open(self, fault: StoreFault) -> None:
        if self._probing is not None:
            return
        _log.warning(
            "going on without Redis", extra={"reason": reason_of(fault, budget_s=CALL_BUDGET_S)}
        )
        if time.monotonic() - self._up_since_s > LONGEST_PAUSE_S:
            self._pause_s = FIRST_PAUSE_S
        self.state = StoreState(is_up=False, since_unix_s=time.time(), last_fault=fault)
        self._observer.store_is_down()
        # A caller pays for the first failure only, also where it has several calls under way.
        for task in self._under_way:
            task.cancel()
        self._probing = asyncio.create_task(self._probe_until_up(), name="probe redis")

    async def _probe_until_up(self) -> None:
        fault: StoreFault | None = self.state.last_fault
        while fault is not None:
            self.state = StoreState(
                is_up=False, since_unix_s=self.state.since_unix_s, last_fault=fault
            )
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            fault = await self._probe()
        _log.warning("Redis is back")
        self._up_since_s = time.monotonic()
        self.state = StoreState(
            is_up=True, since_unix_s=time.time(), last_fault=self.state.last_fault
        )
        self._observer.store_is_up()
        self._probing = None

    async def _probe(self) -> StoreFault | None:
        try:
            async with asyncio.timeout(PROBE_BUDGET_S):
                # Connections that were open before the failure may lead to a demoted master.
                await self._client.forget()
                await self._client.ping()
        except Exception as error:  # noqa: BLE001 # a probe that ends is a store that stays down
            return fault_of(error)
        return None
