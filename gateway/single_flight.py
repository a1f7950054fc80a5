"""One read for all who want the same at the same moment."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")
Flights = dict[Key, asyncio.Task[Answer]]
"""What is being read now, by what was asked for."""


async def shared(
    flights: Flights[Key, Answer], key: Key, read: Callable[[], Coroutine[Any, Any, Answer]]
) -> Answer:
    """The answer of the read that is under way for ``key``, or of a new one.

    Who gives up does not end the read that others wait for. Raises what ``read`` raises.
    """
    flight = flights.get(key)
    if flight is None:
        flight = flights[key] = asyncio.create_task(read())

        def landed(task: asyncio.Task[Answer]) -> None:
            del flights[key]
            if not task.cancelled():
                # Marks it as seen: nobody may be left who asks.
                task.exception()

        flight.add_done_callback(landed)
    return await asyncio.shield(flight)
