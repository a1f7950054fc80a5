"""An event loop whose clock jumps: who sleeps for an hour wakes at once, an hour later."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

Arguments = ParamSpec("Arguments")


class _Jumps(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing is ever going to happen"
            self.now_s += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Never waits; begins at zero."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._jumps.now_s


def in_virtual_time(
    story: Callable[Arguments, Coroutine[Any, Any, None]],
) -> Callable[Arguments, None]:
    """A test that takes no time, however long it sleeps."""

    @functools.wraps(story)
    def told(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(story(*args, **kwargs))

    return told


def now_s() -> float:
    """What the clock of the running loop shows."""
    return asyncio.get_running_loop().time()
