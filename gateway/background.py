"""Work that goes on beside everything else, and ends with it."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack


def keep(serving: Coroutine[object, object, None], name: str, parts: AsyncExitStack) -> None:
    """Have something served until ``parts`` are closed."""
    task = asyncio.create_task(serving, name=name)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    parts.push_async_callback(stop)
