"""Whatever a plugin does becomes an error with its name, and ends in time."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

from gateway.errors import (
    ProviderError,
    ProviderInvalid,
    ProviderRejected,
    ProviderUnreachable,
    ProviderUnreadable,
)
from gateway.places import kind_and_places
from providers._plugins.values import message, texts
from providers._plugins.watch import Watch

T = TypeVar("T")
_SHARE: Final = 0.95
"""Of the time that a measurement may take: who ends a plugin before can say which it was."""
_KINDS: Final = (ProviderInvalid, ProviderUnreachable, ProviderRejected, ProviderUnreadable)
_log: Final = logging.getLogger(__name__)


class Guard:
    """Runs the code of one plugin."""

    def __init__(self, plugin: str, watch: Watch, *, measurement_timeout_s: float) -> None:
        self._plugin = plugin
        self._watch = watch
        self._measurement_timeout_s = measurement_timeout_s
        self._left_behind: set[asyncio.Task[Any]] = set()

    @property
    def limit_s(self) -> float:
        """How long what awaits may take."""
        return _SHARE * self._measurement_timeout_s

    def call(self, work: Callable[[], T]) -> T:
        """What comes of a plugin's work.

        Raises:
            ProviderInvalid: and nothing else, whatever the work raised.

        """
        try:
            return self._watch.call(self._plugin, work)
        except BaseException as error:  # noqa: BLE001 - sys.exit() of a plugin ends one metric
            raise ProviderInvalid(str(self._failure(error))) from None

    async def run(self, verb: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The same for work that awaits; what does not end when it is told to is left behind.

        Raises:
            ProviderError: and nothing else, whatever the work raised.

        """
        task = asyncio.create_task(self._contained(work), name=f"plugin {self._plugin}")
        try:
            done, _ = await asyncio.wait({task}, timeout=self.limit_s)
            if not done:
                raise ProviderUnreachable(self.named(self._late(verb)))
        finally:
            # Nobody waits for how a plugin takes it, which may be not at all.
            if task.cancel():
                self._left_behind.add(task)
                task.add_done_callback(self._left_behind.discard)
        if task.cancelled():
            # Not by whoever waits: it would not be here.
            raise self._failure(asyncio.CancelledError())
        outcome = task.result()
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def named(self, what: str) -> str:
        """A message that says which plugin it is about, once."""
        name = f"plugin {self._plugin}: "
        return name + what.removeprefix(name)

    def _late(self, verb: str) -> str:
        return (
            f"{verb} has not ended within {self.limit_s:g}s (verdicts.measurementTimeout is"
            f" {self._measurement_timeout_s:g}s)"
        )

    async def _contained(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T | ProviderError:
        # A task that ended in SystemExit would end the event loop.
        try:
            return await self._watch.run(self._plugin, work())
        except GeneratorExit:
            # It is being closed, as its loop is gone: nobody is there who could be told.
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_being_cancelled():
                raise
            return self._failure(error)

    def _failure(self, error: BaseException) -> ProviderError:
        said = _said(error)
        if isinstance(error, ProviderError):
            kind = next((kind for kind in _KINDS if isinstance(error, kind)), ProviderError)
            return kind(self.named(said), metadata=_metadata(error))
        keys = {"plugin": self._plugin, **kind_and_places(error)}
        _log.error("a plugin failed as it never should", extra=keys)
        described = f"{type(error).__name__}: {said}" if said else type(error).__name__
        return ProviderUnreadable(self.named(described))


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _said(error: BaseException) -> str:
    try:
        return message(str(error))
    except BaseException:  # noqa: BLE001 - it is the plugin's own method
        return ""


def _metadata(error: ProviderError) -> Mapping[str, str]:
    try:
        return texts(error.metadata, "metadata")
    except BaseException:  # noqa: BLE001 - the same; the error itself is what matters
        return {}
