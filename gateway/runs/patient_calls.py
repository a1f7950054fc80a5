"""Calls to Redis whose answer somebody waits for: bounded, in time and in number."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar, cast

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from gateway.store_faults import FAILURES, unavailable

CALL_BUDGET_S: Final = 2.0
"""The longest that a call may take, waiting for its turn included."""
MAX_CALLS: Final = 32
"""Calls under way at the same time; the client must allow for so many connections."""

T = TypeVar("T")


class PatientCalls:
    """Redis for those who cannot go on without it.

    Every call may raise StoreUnavailable: it failed or took too long, and whether it was carried
    out is not known.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis: Final = redis
        self._places = asyncio.Semaphore(MAX_CALLS)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def call(self, command: Callable[[], Awaitable[T]]) -> T:
        """What one command answers."""
        # In a task of its own: the client may be slow to give up what it was told to.
        task = asyncio.create_task(self._send(command))
        self._under_way.add(task)
        task.add_done_callback(self._landed)
        try:
            await asyncio.wait({task}, timeout=CALL_BUDGET_S)
            error = task.exception() if task.done() else TimeoutError()
        finally:
            task.cancel()
        if error is None:
            return task.result()
        if isinstance(error, FAILURES):
            raise unavailable(error, budget_s=CALL_BUDGET_S) from None
        raise error

    async def fields(self, name: str, fields: Sequence[str]) -> list[bytes | None]:
        """Some fields of a hash, None for those that it has not."""
        found = await self.call(lambda: self.redis.hmget(name, list(fields)))
        return cast("list[bytes | None]", found)

    async def run(
        self, script: AsyncScript, names: Sequence[str], arguments: Sequence[str | bytes | float]
    ) -> Any:  # noqa: ANN401 - each script answers in its own shape
        """What a script answers."""
        return await self.call(lambda: script(keys=names, args=arguments))

    async def _send(self, command: Callable[[], Awaitable[T]]) -> T:
        async with self._places:
            return await command()

    def _landed(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Marks it as seen: nobody may be left who asks.
            task.exception()
