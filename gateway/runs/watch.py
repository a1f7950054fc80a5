"""Who waits for runs: a thousand callers, and one question to Redis for all of them.

While anybody watches, Redis is asked a few times a second for the versions of all runs that are
watched. Who hears of news reads them on its own, so nothing is kept for those who are slow; those
who want the same at the same moment share one answer.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Final, Protocol

from gateway.errors import StoreUnavailable
from gateway.run_events import Event
from gateway.runs.records import Manifest, Run, RunUnreadable
from gateway.single_flight import Flights, shared

POLL_S: Final = 0.25
"""From question to question."""
_MOST_AT_ONCE: Final = 1_000
"""Runs in one question, so that it does not keep Redis from others."""
_UNKNOWN: Final = -1

Events = tuple[tuple[tuple[str, Event], ...], bool]
"""Events with their ids, oldest first, and whether some before them are not kept any longer."""


class WatchedRuns(Protocol):
    """Where runs are kept."""

    async def load(self, run_id: str) -> Run:
        """A run. Raises RunNotFound, StoreUnavailable."""

    async def manifest(self, run_id: str) -> Manifest:
        """The manifest of a run. Raises RunNotFound, StoreUnavailable."""

    async def events(self, run_id: str, after: str | None) -> Events:
        """What happened after an event. Raises RunNotFound, StoreUnavailable."""

    async def versions(self, run_ids: Sequence[str]) -> Mapping[str, int | None]:
        """The version of each run, None for those that are gone. Raises StoreUnavailable."""


class News(Enum):
    """Why a watcher need not wait any longer."""

    CHANGED = "changed"
    """The run is another than the watcher knows, or it is gone."""
    NONE = "none"
    """The time is over."""
    CLOSED = "closed"
    """This process ends: nobody waits any more."""
    ABANDONED = "abandoned"
    """The caller has gone."""


class _Watched:
    """A run with its watchers."""

    __slots__ = ("is_gone", "version", "watchers")

    def __init__(self) -> None:
        self.version = _UNKNOWN
        self.is_gone = False
        self.watchers: set[Watcher] = set()


class Watch:
    """Tells watchers of news."""

    def __init__(self, store: WatchedRuns) -> None:
        self.store: Final = store
        self.is_closed = False
        self._runs: dict[str, _Watched] = {}
        self._polling: asyncio.Task[None] | None = None
        self._loads: Flights[Hashable, Run] = {}
        self._reads: Flights[Hashable, Events] = {}

    @contextmanager
    def join(self, run: Run, *, is_abandoned: Callable[[], bool]) -> Iterator["Watcher"]:
        """Watch a run.

        Args:
            run: as the watcher knows it.
            is_abandoned: whether the watcher's own caller has gone; asked at every question.

        """
        watched = self._runs.setdefault(run.id, _Watched())
        watcher = Watcher(self, run, watched, is_abandoned)
        watched.watchers.add(watcher)
        if not self.is_closed and (self._polling is None or self._polling.done()):
            self._polling = asyncio.create_task(self._poll(), name="watch runs")
        try:
            yield watcher
        finally:
            watched.watchers.discard(watcher)
            if not watched.watchers:
                self._runs.pop(run.id, None)

    async def until_ended(
        self, run: Run, *, wait_s: float, is_abandoned: Callable[[], bool]
    ) -> Run:
        """The run when it has ended, or as it stands after ``wait_s``.

        Raises:
            RunNotFound: it was deleted meanwhile.
            RunUnreadable: this gateway cannot read it.
            StoreUnavailable: how it stands is not known when the time is over.

        """
        deadline_s = asyncio.get_running_loop().time() + wait_s
        with self.join(run, is_abandoned=is_abandoned) as watcher:
            while not run.status.phase.is_completed:
                left_s = deadline_s - asyncio.get_running_loop().time()
                news = await watcher.news(left_s)
                if news is News.ABANDONED:
                    return run
                is_over = left_s <= 0 or news is not News.CHANGED
                try:
                    run = await watcher.run()
                except RunUnreadable:
                    # No waiting mends that; another replica may know more.
                    raise
                except StoreUnavailable:
                    if is_over:
                        raise
                    await asyncio.sleep(POLL_S)
                if is_over:
                    break
        return run

    async def close(self) -> None:
        """Let nobody wait any longer, from now on."""
        self.is_closed = True
        for watched in self._runs.values():
            for watcher in watched.watchers:
                watcher.tell(News.CLOSED)
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait({self._polling})

    async def load(self, run_id: str, version: int) -> Run:
        """A run; one answer for all who know of the same version and ask at the same time."""
        return await shared(self._loads, (run_id, version), lambda: self._load(run_id))

    async def events(self, run_id: str, version: int, after: str | None) -> Events:
        """Events; one answer for all who ask for the same at the same time."""
        key = (run_id, version, after)
        return await shared(self._reads, key, lambda: self._events(run_id, after))

    async def _load(self, run_id: str) -> Run:
        return await self.store.load(run_id)

    async def _events(self, run_id: str, after: str | None) -> Events:
        return await self.store.events(run_id, after)

    async def _poll(self) -> None:
        while self._runs:
            await asyncio.sleep(POLL_S)
            run_ids = list(self._runs)
            for first in range(0, len(run_ids), _MOST_AT_ONCE):
                await self._ask(run_ids[first : first + _MOST_AT_ONCE])
            for watched in self._runs.values():
                for watcher in watched.watchers:
                    watcher.look()

    async def _ask(self, run_ids: Sequence[str]) -> None:
        try:
            versions = await self.store.versions(run_ids)
        except StoreUnavailable:
            return
        for run_id, version in versions.items():
            watched = self._runs.get(run_id)
            if watched is not None:
                watched.is_gone = version is None
                watched.version = _UNKNOWN if version is None else version


class Watcher:
    """One who watches a run."""

    __slots__ = (
        *("_is_abandoned", "_knows_it_is_gone", "_place"),
        *("_run_id", "_version", "_watch", "_watched"),
    )

    def __init__(
        self, watch: Watch, run: Run, watched: _Watched, is_abandoned: Callable[[], bool]
    ) -> None:
        self._watch = watch
        self._watched = watched
        self._is_abandoned = is_abandoned
        self._run_id = run.id
        self._version = run.version
        self._knows_it_is_gone = False
        self._place: asyncio.Future[News] | None = None

    async def news(self, within_s: float) -> News:
        """Wait for news of the run that this watcher has not read yet."""
        if self._watch.is_closed:
            return News.CLOSED
        if self._has_news:
            return News.CHANGED
        self._place = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within_s):
                return await self._place
        except TimeoutError:
            return News.NONE
        finally:
            self._place = None

    async def run(self) -> Run:
        """The run as it stands. Raises RunNotFound, StoreUnavailable."""
        is_gone = self._watched.is_gone
        run = await self._watch.load(self._run_id, self._newest)
        self._version = max(self._version, run.version)
        self._knows_it_is_gone = is_gone
        return run

    async def events(self, after: str | None) -> Events:
        """What happened after an event. Raises RunNotFound, StoreUnavailable."""
        newest, is_gone = self._newest, self._watched.is_gone
        events = await self._watch.events(self._run_id, newest, after)
        self._version, self._knows_it_is_gone = newest, is_gone
        return events

    def look(self) -> None:
        """End the wait if there is a reason to."""
        if self._is_abandoned():
            self.tell(News.ABANDONED)
        elif self._has_news:
            self.tell(News.CHANGED)

    def tell(self, news: News) -> None:
        """End the wait, if there is one."""
        if self._place is not None and not self._place.done():
            self._place.set_result(news)

    @property
    def _has_news(self) -> bool:
        # Gone from the versions, a run may still be there: that is news only once.
        is_gone = self._watched.is_gone and not self._knows_it_is_gone
        return is_gone or self._watched.version > self._version

    @property
    def _newest(self) -> int:
        return max(self._watched.version, self._version)
