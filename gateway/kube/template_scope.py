"""One place in a cluster whose templates are listed, and then watched.

list     all there are: at first, every ``kubernetes.resync``, and after whatever went wrong
watch    what changes, from the newest version that was seen on
fail     what is known stays in force; tried again, later each time
"""

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Protocol

from gateway.errors import ClusterRefused, ClusterUnavailable
from gateway.kube import resources
from gateway.kube.client import Event, Listed
from gateway.kube.faults import GONE, NOT_FOUND
from gateway.kube.known_templates import KnownTemplates, version_of
from gateway.places import places_of
from gateway.template import Kind

WATCH_S: Final = 60.0
"""How long a watch is asked to last."""
SHORTEST_ROUND_S: Final = 1.0
"""From the beginning of one round to that of the next, whatever the API server answers."""
FIRST_PAUSE_S: Final = 1.0
"""After a failure; each further pause is twice as long."""
LONGEST_PAUSE_S: Final = 30.0
_BATCH: Final = 50
"""After so many templates of a list others get their turn."""
_RESOURCES: Final[Mapping[Kind, resources.Kind]] = {
    Kind.NAMESPACED: resources.ANALYSIS_TEMPLATES,
    Kind.CLUSTER: resources.CLUSTER_ANALYSIS_TEMPLATES,
}
_WITHOUT: Final[Mapping[Kind, str]] = {
    Kind.NAMESPACED: "kubernetes.templates: []",
    Kind.CLUSTER: "kubernetes.clusterTemplates: false",
}
"""The settings that go without templates of a kind."""
_log: Final = logging.getLogger(__name__)


class TemplateApi(Protocol):
    """What is asked of an API server."""

    async def list(self, kind: resources.Kind, namespace: str) -> Listed:
        """All objects of a place. Raises ClusterRefused, ClusterUnavailable."""

    def watch(
        self, kind: resources.Kind, namespace: str, version: str, *, lasts_s: float
    ) -> AsyncIterator[Event]:
        """The changes after a version, for a while. Raises ClusterRefused, ClusterUnavailable."""


class TemplateScope:
    """The templates of one kind: of a namespace, of all of them (``*``), or of the cluster."""

    def __init__(
        self,
        api: TemplateApi,
        kind: Kind,
        namespace: str,
        *,
        resync_s: float,
        now_s: Callable[[], float],
    ) -> None:
        self.kind: Final = kind
        self.namespace: Final = namespace
        self.known: Final = KnownTemplates(kind)
        self.problem = ""
        """Why nothing is heard; empty while all is well."""
        self.listed: Final = asyncio.Event()
        """Set when all templates have been seen once."""
        self._api = api
        self._resync_s = resync_s
        self._now_s = now_s
        self._version = ""
        self._list_at_s = -math.inf
        self._heard_at_s = now_s()
        self._pause_s = FIRST_PAUSE_S
        self._told: set[str] = set()

    @property
    def age_s(self) -> float:
        """How long ago the API server said anything; since the start if it never has."""
        return self._now_s() - self._heard_at_s

    async def serve(self) -> None:
        """Keep up with the cluster until cancelled."""
        while True:
            began_s = self._now_s()
            pause_s = await self._round()
            if self._now_s() - began_s > LONGEST_PAUSE_S:
                # It went well for long: whatever failed in the end is nothing that lasts.
                self._pause_s = FIRST_PAUSE_S
            await asyncio.sleep(max(pause_s, began_s + SHORTEST_ROUND_S - self._now_s()))

    async def _round(self) -> float:
        """List if it is time, watch for a while; how long to wait before the next round."""
        try:
            if self._now_s() >= self._list_at_s:
                await self._list()
            await self._watch()
        except ClusterRefused as error:
            if error.status == GONE:
                # The watch begins too far back: no failure, it is only to be listed anew.
                self._list_at_s = -math.inf
                return 0.0
            return self._failed(self._hint(error) or str(error))
        except ClusterUnavailable as error:
            return self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - one answer must not end the watch
            # Its own text may hold anything: the log gets the kind and the places.
            reason = f"the gateway cannot read the answer ({type(error).__name__})"
            return self._failed(reason, places_of(error))
        return 0.0

    async def _list(self) -> None:
        listed = await self._api.list(_RESOURCES[self.kind], self.namespace)
        for number, item in enumerate(listed.items, start=1):
            self.known.learn(item)
            if number % _BATCH == 0:
                await asyncio.sleep(0)
        self.known.keep_only(listed.items)
        self._version = listed.version
        self._list_at_s = self._now_s() + self._resync_s
        self._hear()
        self.listed.set()

    async def _watch(self) -> None:
        lasts_s = max(1.0, min(WATCH_S, self._list_at_s - self._now_s()))
        resource = _RESOURCES[self.kind]
        async for event in self._api.watch(
            resource, self.namespace, self._version, lasts_s=lasts_s
        ):
            if event.type == "DELETED":
                self.known.forget(event.object)
            elif event.type in {"ADDED", "MODIFIED"}:
                self.known.learn(event.object)
            self._version = version_of(event.object) or self._version
            self._hear()
            self._recover()
        self._hear()
        self._recover()

    def _hear(self) -> None:
        self._heard_at_s = self._now_s()
        self.problem = ""

    def _recover(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        if self._told:
            self._told.clear()
            _log.info("the cluster's templates are watched again", extra=self._place)

    def _failed(self, reason: str, places: str = "") -> float:
        """Take note of what went wrong; how long to wait before the next try."""
        self.problem = reason
        # Who knows what was missed.
        self._list_at_s = -math.inf
        if reason not in self._told:
            self._told.add(reason)
            keys = {**self._place, "reason": reason, **({"places": places} if places else {})}
            _log.warning("the cluster's templates are not watched", extra=keys)
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def _hint(self, error: ClusterRefused) -> str:
        if error.status != NOT_FOUND:
            return ""
        return (
            f"the cluster does not know {resources.shown(_RESOURCES[self.kind])}: install the"
            f" definitions of Argo Rollouts, or go without: {_WITHOUT[self.kind]}"
        )

    @property
    def _place(self) -> dict[str, str]:
        return {"kind": self.kind.value, "namespace": self.namespace}
