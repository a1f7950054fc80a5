"""The way to one upstream: so many under way at once, so many a second, tenants in turns.

Requests that went out together come back together. So that a tenant with a question now and then
need not wait for that, a quarter of the places is for tenants who have no more than that; but who
was alone for a minute may have them all.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.beginnings import beginning
from gateway.turns import Turns
from gateway.upstreams.shared_bucket import SharedBucket

RESERVE: Final = 4
"""One place of so many is for tenants who have few."""
ALONE_AFTER_S: Final = 60.0
_Waiter = asyncio.Future[None]


class Gate:
    """Lets requests through."""

    def __init__(self, *, places: int, bucket: SharedBucket | None = None) -> None:
        """``places`` for requests at once; with a ``bucket``, each takes a token as well."""
        self._places: Final = places
        self._reserve: Final = places // RESERVE
        self._free = places
        self._bucket: Final = bucket
        self._waiting = Turns[_Waiter]()
        self._held = Counter[str]()
        self._newest = ""
        self._shared_until_s = 0.0
        self._serving: asyncio.Task[None] | None = None
        self._now_s: Final = asyncio.get_running_loop().time

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
        self._notice(tenant)
        told = beginning()
        told.waits()
        await self._enter(tenant, until_s)
        told.goes_out()
        try:
            yield
        finally:
            self._leave(tenant)

    async def close(self) -> None:
        """Let nobody through any more."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    async def _enter(self, tenant: str, until_s: float) -> None:
        if self._bucket is None and not self._waiting and self._may(tenant):
            self._take(tenant)
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
                self._leave(tenant)
            raise

    def _notice(self, tenant: str) -> None:
        if tenant != self._newest:
            if self._newest:
                self._shared_until_s = self._now_s() + ALONE_AFTER_S
            self._newest = tenant

    def _may(self, tenant: str) -> bool:
        """Whether there is a place for a tenant."""
        if self._free > self._reserve or not self._free:
            return self._free > 0
        is_modest = self._held[tenant] < self._reserve
        return is_modest or self._now_s() >= self._shared_until_s

    def _take(self, tenant: str) -> None:
        self._free -= 1
        self._held[tenant] += 1

    def _leave(self, tenant: str) -> None:
        self._free += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        self._serve()

    def _serve(self) -> None:
        if self._bucket is None:
            while self._admit():
                pass
        elif self._serving is None and self._waiting.has(self._may):
            self._serving = asyncio.create_task(self._serve_at_rate(self._bucket), name="budget")

    async def _serve_at_rate(self, bucket: SharedBucket) -> None:
        try:
            while self._waiting.has(self._may):
                taken = await bucket.take(min(self._free, len(self._waiting)))
                # Some may have given up meanwhile: better a token less than a burst later on.
                for _ in range(taken.tokens):
                    self._admit()
                if not taken.tokens:
                    await asyncio.sleep(taken.wait_s)
        finally:
            self._serving = None

    def _admit(self) -> bool:
        """Let the next one through; False if there is none for whom there is a place."""
        tenant, waiter = self._waiting.next(self._may) or ("", None)
        if waiter is None:
            return False
        # Who was cancelled in this very turn of the loop is still in line.
        if not waiter.done():
            self._take(tenant)
            waiter.set_result(None)
        return True
