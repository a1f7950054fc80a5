"""Whose code the event loop runs now: a plugin that blocks it is named while it does.

Nobody can end such a plugin from within its process. Who looks at the log should know which it is.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from traceback import walk_stack
from types import coroutine
from typing import Any, Final, TypeVar

from gateway.places import places

T = TypeVar("T")
BLOCKING_S: Final = 1.0
"""How long a plugin may run without awaiting anything."""
_LOOK_EVERY_S: Final = 0.25
_log: Final = logging.getLogger(__name__)


class Watch:
    """Knows which plugin runs."""

    def __init__(self) -> None:
        self._running: tuple[str, float] | None = None
        """A plugin, and since when, on the monotonic clock."""

    def call(self, plugin: str, work: Callable[[], T]) -> T:
        """What a plugin's work gives."""
        self._running = (plugin, time.monotonic())
        try:
            return work()
        finally:
            self._running = None

    async def run(self, plugin: str, work: Coroutine[Any, Any, T]) -> T:
        """The same for work that awaits; only its own steps count."""
        return await self._in_steps(plugin, work)

    @coroutine
    def _in_steps(self, plugin: str, work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
        step: Callable[[], Any] = partial(work.send, None)
        while True:
            try:
                awaited = self.call(plugin, step)
            except StopIteration as end:
                result: T = end.value
                return result
            except GeneratorExit as error:
                # Only who closes a coroutine may say that; Python has the same for StopIteration.
                told = RuntimeError("coroutine raised GeneratorExit")
                raise told.with_traceback(error.__traceback__) from None
            try:
                step = partial(work.send, (yield awaited))
            except GeneratorExit:
                self.call(plugin, work.close)
                raise
            except BaseException as error:  # noqa: BLE001 - it is the plugin's to handle
                step = partial(work.throw, error)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the thread that enters, from another one, until it leaves."""
        left = threading.Event()
        looking = threading.Thread(
            target=self._look, args=(threading.get_ident(), left), name="watch plugins", daemon=True
        )
        looking.start()
        try:
            yield
        finally:
            left.set()
            looking.join()

    def _look(self, thread: int, left: threading.Event) -> None:
        told: tuple[str, float] | None = None
        while not left.wait(_LOOK_EVERY_S):
            running = self._running
            if running is None or running is told:
                continue
            plugin, since_s = running
            seconds = time.monotonic() - since_s
            if seconds >= BLOCKING_S:
                told = running
                frame = sys._current_frames().get(thread)  # noqa: SLF001 - Python's only way
                where = places(walk_stack(frame)) if frame is not None else ""
                keys = {"plugin": plugin, "seconds": round(seconds, 1), "places": where}
                _log.error("a plugin blocks the event loop, and so every request", extra=keys)
