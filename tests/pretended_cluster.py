"""The API of a cluster as the gateway calls it, in memory, with the faults of real ones."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from virtual_time import now_s

from gateway.config.kubernetes import EVERY_NAMESPACE
from gateway.errors import ClusterRefused, ClusterUnavailable, GatewayError
from gateway.kube import resources
from gateway.kube.client import Event, Listed
from gateway.kube.faults import GONE
from gateway.kube.resources import ANALYSIS_TEMPLATES, Object, shown

AWAY = ClusterUnavailable("the API server did not answer in time")
GONE_TEXT = "too old resource version"


@dataclass(frozen=True)
class _Change:
    version: int
    kind: resources.Kind
    namespace: str
    event: Event


class PretendedCluster:
    """Objects, their changes, and what goes wrong."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """Every call, with its second."""
        self.list_fails: Exception | None = None
        """Raised by every list while it is set."""
        self.watch_fails: Exception | None = None
        """Raised by every watch that begins while it is set."""
        self.is_silent = False
        """Whether nothing is answered, as by a server that is stopped."""
        self._objects: dict[tuple[resources.Kind, str, str], Object] = {}
        self._changes: list[_Change] = []
        self._version = 100
        self._oldest = 0
        self._cut: GatewayError | None = None
        self._moved = asyncio.Event()

    def put(
        self,
        name: str,
        namespace: str = "shop",
        kind: resources.Kind = ANALYSIS_TEMPLATES,
        **content: Any,
    ) -> None:
        """Create or change an object; ``content`` is all of it but its metadata."""
        key = (kind, namespace, name)
        event = "MODIFIED" if key in self._objects else "ADDED"
        self._version += 1
        home = {"namespace": namespace} if namespace else {}
        metadata = {"name": name, **home, "resourceVersion": str(self._version)}
        self._objects[key] = {"metadata": metadata, **content}
        self._tell(kind, namespace, Event(event, self._objects[key]))

    def remove(
        self, name: str, namespace: str = "shop", kind: resources.Kind = ANALYSIS_TEMPLATES
    ) -> None:
        """Delete an object."""
        gone = self._objects.pop((kind, namespace, name))
        self._version += 1
        metadata = {**gone["metadata"], "resourceVersion": str(self._version)}
        self._tell(kind, namespace, Event("DELETED", {**gone, "metadata": metadata}))

    def cut(self, error: GatewayError = AWAY) -> None:
        """Let all watches that are open end with this error."""
        self._cut = error
        self._moved.set()
        self._moved = asyncio.Event()

    def forget_history(self) -> None:
        """Let watches end, and all versions so far be too old for one."""
        self._version += 1
        self._oldest = self._version
        self.cut(ClusterRefused(GONE_TEXT, status=GONE))

    def bookmark(self) -> None:
        """Tell how far the history has gone, without a change."""
        self._version += 1
        place = {"metadata": {"resourceVersion": str(self._version)}}
        self._tell(ANALYSIS_TEMPLATES, "shop", Event("BOOKMARK", place))

    async def list(self, kind: resources.Kind, namespace: str) -> Listed:
        """All objects of a place."""
        self._note("list", kind, namespace)
        await self._answer()
        if self.list_fails is not None:
            raise self.list_fails
        items = [
            item
            for (of_kind, home, _), item in self._objects.items()
            if of_kind is kind and namespace in {home, EVERY_NAMESPACE}
        ]
        return Listed(str(self._version), items)

    async def watch(
        self, kind: resources.Kind, namespace: str, version: str, *, lasts_s: float
    ) -> AsyncIterator[Event]:
        """The changes after a version."""
        self._note(f"watch {lasts_s:g}s", kind, namespace)
        if self.watch_fails is not None:
            raise self.watch_fails
        self._cut = None
        since, ends_at_s = int(version), now_s() + lasts_s
        while self._cut is None:
            if since < self._oldest:
                raise ClusterRefused(GONE_TEXT, status=GONE)
            for change in [each for each in self._changes if each.version > since]:
                if self.is_silent:
                    break
                since = change.version
                if change.kind is kind and namespace in {change.namespace, EVERY_NAMESPACE}:
                    yield change.event
            try:
                async with asyncio.timeout_at(ends_at_s):
                    await self._moved.wait()
            except TimeoutError:
                if self.is_silent:
                    raise AWAY from None
                return
        raise self._cut

    async def _answer(self) -> None:
        if self.is_silent:
            await asyncio.sleep(10)
            raise AWAY

    def _tell(self, kind: resources.Kind, namespace: str, event: Event) -> None:
        self._changes.append(_Change(self._version, kind, namespace, event))
        self._moved.set()
        self._moved = asyncio.Event()

    def _note(self, call: str, kind: resources.Kind, namespace: str) -> None:
        place = f" {namespace}" if namespace else ""
        self.asked.append(f"{now_s():.0f} {call} {shown(kind).partition('.')[0]}{place}")
