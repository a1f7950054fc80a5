"""The way to one upstream: so many under way at once, so many a second, tenants in turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.shared_bucket import SharedBucket
from gateway.turns import Turns

_Waiter = asyncio.Future[None]


class Gate:
    """Lets requests through."""

    def __init__(self, *, places: int, bucket: SharedBucket | None) -> None:
        """``places`` requests at once; None for as many a second as come."""
        self._places = places
        self._free = places
        self._bucket = bucket
        self._waiting = Turns[_Waiter]()
        self._serving: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> int:
        """How many are through and not back."""
        return self._places - self._free

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def place(self, tenant: str, *, until_s: float) -> AsyncIterator[None]:
        """A place, with a token. Raises TimeoutError: there is none until then, by the loop."""
        await self._enter(tenant, until_s)
        try:
            yield
        finally:
            self._leave()

    async def close(self) -> None:
        """Let nobody through any more."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    async def _enter(self, tenant: str, until_s: float) -> None:
        if self._bucket is None and self._free and not self._waiting:
            self._free -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.wait(tenant, waiter)
        self._serve()
        try:
            async with asyncio.timeout_at(until_s):
                await waiter
        except BaseException:
            self._waiting.give_up(tenant, waiter)
            if waiter.done() and not waiter.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        self._free += 1
        self._serve()

    def _serve(self) -> None:
        if self._bucket is None:
            while self._free and self._waiting:
                self._admit()
        elif self._serving is None and self._free and self._waiting:
            self._serving = asyncio.create_task(self._serve_at_rate(self._bucket), name="budget")

    async def _serve_at_rate(self, bucket: SharedBucket) -> None:
        try:
            while self._free and self._waiting:
                taken = await bucket.take(min(self._free, len(self._waiting)))
                # Some may have given up meanwhile: better a token less than a burst later on.
                for _ in range(min(taken.tokens, self._free, len(self._waiting))):
                    self._admit()
                if not taken.tokens:
                    await asyncio.sleep(taken.wait_s)
        finally:
            self._serving = None

    def _admit(self) -> None:
        waiter = self._waiting.next()
        # Who was cancelled in this very turn of the loop is still in line.
        if not waiter.done():
            self._free -= 1
            waiter.set_result(None)
