"""Waiting for what another party is about to do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T | None]], *, within_s: float = 20.0) -> T:
    """The first answer that is something.

    Raises:
        TimeoutError: There was none in time.

    """
    async with asyncio.timeout(within_s):
        while not (answer := await ask()):  # noqa: ASYNC110 - another process tells no event
            await asyncio.sleep(0.01)
    return answer
