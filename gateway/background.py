"""Work that goes on beside everything else, and ends with it."""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Final

from gateway.places import kind_and_places

_log: Final = logging.getLogger(__name__)


def keep(serving: Coroutine[object, object, None], name: str, parts: AsyncExitStack) -> None:
    """Have something served until ``parts`` are closed; the log tells if it ends by an error."""
    task = asyncio.create_task(serving, name=name)
    task.add_done_callback(_tell)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    parts.push_async_callback(stop)


def _tell(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    for cause in () if error is None else _causes(error):
        keys = {"work": task.get_name(), **kind_and_places(cause)}
        _log.error("work in the background has ended", extra=keys)


def _causes(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes(each)
    else:
        yield error
