"""When work begins: a little in each turn of the event loop, tenants in turns.

A process that has more to do than it can gets slower for all whose work it has begun. So what one
tenant wants waits before it begins, where others may overtake it; while there is little to do,
nobody waits.
"""

import asyncio
from typing import Final

from gateway.turns import Turns

PER_TURN: Final = 4
"""How much begins in one turn of the loop: those of a loop with little to do are short."""


class Pace:
    """The pace of one event loop."""

    def __init__(self) -> None:
        self._left = PER_TURN
        self._waiting = Turns[asyncio.Future[None]]()
        self._is_expected = False

    async def turn(self, tenant: str) -> None:
        """Return when a tenant's work may begin."""
        if self._left and not self._waiting:
            self._left -= 1
            self._expect_next()
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.wait(tenant, waiter)
        self._expect_next()
        try:
            await waiter
        finally:
            self._waiting.give_up(tenant, waiter)

    def _expect_next(self) -> None:
        if not self._is_expected:
            self._is_expected = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._is_expected = False
        self._left = PER_TURN
        while self._left and (found := self._waiting.next()):
            _, waiter = found
            # Who was cancelled in this very turn is still in line.
            if not waiter.done():
                self._left -= 1
                waiter.set_result(None)
        if self._left < PER_TURN:
            self._expect_next()
