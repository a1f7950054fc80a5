"""Gateways in threads of their own, for tests that cannot wait asynchronously."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends import Backend, Play, backend
from running import service


@dataclass
class Stage:
    """A gateway and the vendor that it asks."""

    url: str = ""
    upstream: Backend = field(default_factory=Backend)

    def let_answer(self, body: bytes, status: int) -> None:
        """What the vendor says from now on."""
        self.upstream.plays = (Play(body, status),)
        self.upstream.requests.clear()


@contextmanager
def staged(state: Path, **settings: Any) -> Iterator[Stage]:
    """A gateway with these settings, in wire names, and its vendor."""
    started = threading.Event()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()
    running = Stage()

    async def run() -> None:
        async with (
            backend() as running.upstream,
            service(state, verdicts={"wait": "5s"}, **settings) as gateway,
        ):
            running.url = gateway.url
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert started.wait(10)
    yield running
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()
