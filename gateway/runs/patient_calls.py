"""Calls to Redis whose answer somebody waits for: bounded in time and in number, and sent together.

What is asked within ``GATHER_S`` goes to Redis in one piece: with many runs under way, the sending
of each call by itself costs more than all that the call is for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from copy import copy
from typing import Any, Final, TypeVar, cast

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

from gateway.storage.faults import FAILURES, unavailable

CALL_BUDGET_S: Final = 2.0
"""The longest that a call may take, waiting for its turn included."""
MAX_CALLS: Final = 32
"""Calls under way at the same time; the client must allow for so many connections."""

GATHER_S: Final = 0.002
"""How long a call waits for others to go with it."""
MAX_TOGETHER: Final = 200
"""Calls in one piece, so that no other client of Redis waits for long."""
MAX_BYTES_TOGETHER: Final = 256 * 1024
"""The same in bytes, give or take a call: a large one must not take the time of many small ones."""

T = TypeVar("T")
Word = str | bytes | int | float
Gathered = tuple[tuple[Word, ...], asyncio.Future[Any]]


class PatientCalls:
    """Redis for those who cannot go on without it.

    Every call may raise StoreUnavailable: it failed or took too long, and whether it was carried
    out is not known.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis: Final = redis
        self._places = asyncio.Semaphore(MAX_CALLS)
        self._under_way: set[asyncio.Task[Any]] = set()
        self._gathered: list[Gathered] = []

    async def call(self, command: Callable[[], Awaitable[T]]) -> T:
        """What one command answers."""
        # In a task of its own: the client may be slow to give up what it was told to.
        task = asyncio.create_task(self._send(command))
        self._keep(task)
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
        return cast("list[bytes | None]", await self._ask("HMGET", name, *fields))

    async def run(
        self, script: AsyncScript, names: Sequence[str], arguments: Sequence[str | bytes | float]
    ) -> Any:  # noqa: ANN401 - each script answers in its own shape
        """What a script answers."""
        try:
            return await self._ask("EVALSHA", script.sha, len(names), *names, *arguments)
        except NoScriptError:
            return await self.call(lambda: script(keys=names, args=arguments))

    async def _ask(self, *words: Word) -> Any:  # noqa: ANN401 - each command answers in its shape
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._gathered.append((words, answer))
        if len(self._gathered) == 1:
            asyncio.get_running_loop().call_later(GATHER_S, self._take_off)
        given = await answer
        if isinstance(given, NoScriptError):
            raise given
        if isinstance(given, FAILURES):
            raise unavailable(given, budget_s=CALL_BUDGET_S) from None
        return given

    def _take_off(self) -> None:
        gathered, self._gathered = self._gathered, []
        for some in _pieces(gathered):
            self._keep(asyncio.create_task(self._send_together(some)))

    async def _send_together(self, gathered: Sequence[Gathered]) -> None:
        pipeline = self.redis.pipeline(transaction=False)
        for words, _ in gathered:
            pipeline.execute_command(*words)
        try:
            answers = await self.call(lambda: pipeline.execute(raise_on_error=False))
        except Exception as error:  # noqa: BLE001 # whoever waits has to hear of it
            for _, answer in gathered:
                if not answer.done():
                    # One of their own: else each who raises it would add its frames to it.
                    answer.set_exception(copy(error))
            return
        for (_, answer), given in zip(gathered, answers, strict=True):
            if not answer.done():
                answer.set_result(given)

    async def _send(self, command: Callable[[], Awaitable[T]]) -> T:
        async with self._places:
            return await command()

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._under_way.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Marks it as seen: nobody may be left who asks.
            task.exception()


def _pieces(gathered: Sequence[Gathered]) -> Iterator[list[Gathered]]:
    piece: list[Gathered] = []
    size_bytes = 0
    for each in gathered:
        piece.append(each)
        size_bytes += sum(len(word) for word in each[0] if isinstance(word, str | bytes))
        if len(piece) == MAX_TOGETHER or size_bytes >= MAX_BYTES_TOGETHER:
            yield piece
            piece, size_bytes = [], 0
    if piece:
        yield piece
