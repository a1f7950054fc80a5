"""The AnalysisTemplates of a cluster that can be named, as they are there now."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Final

from gateway.config.kubernetes import EVERY_NAMESPACE, Kubernetes
from gateway.errors import ClusterUnavailable, Problem
from gateway.kube.template_scope import TemplateApi, TemplateScope
from gateway.template import Kind, Template, TemplateRef


class ClusterTemplates:
    """Keeps up with the templates of the namespaces that are switched on."""

    def __init__(
        self, api: TemplateApi, settings: Kubernetes, *, now_s: Callable[[], float]
    ) -> None:
        self._scopes: Final = tuple(
            TemplateScope(api, kind, namespace, resync_s=settings.resync_s, now_s=now_s)
            for kind, namespace in _places(settings)
        )
        self._by_place: Final = {(each.kind, each.namespace): each for each in self._scopes}

    @property
    def revision(self) -> int:
        """Changes whenever any template does."""
        return sum(each.known.revision for each in self._scopes)

    def find(self, ref: TemplateRef, namespace: str) -> Template | None:
        """The template that ``ref`` means in ``namespace``, None if there is none.

        Raises:
            TemplateInvalid: it is broken as it is in the cluster now.
            ClusterUnavailable: nobody knows yet: the cluster has not told.

        """
        home = "" if ref.cluster_scope else namespace
        scope = self._by_place.get((ref.kind, home))
        if scope is None and not ref.cluster_scope:
            scope = self._by_place.get((ref.kind, EVERY_NAMESPACE))
        if scope is None:
            return None
        found = scope.known.find(home, ref.template_name)
        if found is None and not scope.listed.is_set():
            why = scope.problem or "the API server has not answered yet"
            raise ClusterUnavailable(
                f"{ref}: whether the cluster has it is not known: {why}; ask again"
            )
        return found

    def entries(self) -> Iterator[tuple[str, Template]]:
        """Namespace and template, in order; the namespace of a cluster template is empty."""
        found = chain.from_iterable(each.known.entries() for each in self._scopes)
        yield from sorted(found, key=lambda entry: (entry[1].kind, entry[0], entry[1].name))

    def broken(self) -> Iterator[tuple[str, tuple[Problem, ...]]]:
        """Templates that cannot be used as they are, with what is wrong."""
        for each in self._scopes:
            yield from each.known.broken()

    async def serve(self) -> None:
        """Keep up with the cluster until cancelled."""
        async with asyncio.TaskGroup() as group:
            for each in self._scopes:
                name = f"watch {each.kind} of {each.namespace or 'the cluster'}"
                group.create_task(each.serve(), name=name)

    def is_synced(self) -> bool:
        """Whether all templates have been seen once."""
        return all(each.listed.is_set() for each in self._scopes)

    async def synced(self) -> None:
        """Wait until all templates have been seen once."""
        for each in self._scopes:
            await each.listed.wait()

    def age_s(self) -> float:
        """For how long the API server has said nothing about some of the templates."""
        return max((each.age_s for each in self._scopes), default=0.0)

    def details(self) -> Mapping[str, object]:
        """What is heard from the cluster, and what is not; JSON-ready."""
        return {
            "synced": self.is_synced(),
            "ageSeconds": round(self.age_s(), 1),
            "scopes": [
                {
                    "kind": each.kind,
                    "namespace": each.namespace,
                    "ageSeconds": round(each.age_s, 1),
                    "problem": each.problem,
                }
                for each in self._scopes
            ],
        }


def _places(settings: Kubernetes) -> Iterator[tuple[Kind, str]]:
    if EVERY_NAMESPACE in settings.templates:
        yield Kind.NAMESPACED, EVERY_NAMESPACE
    else:
        for namespace in dict.fromkeys(settings.templates):
            yield Kind.NAMESPACED, namespace
    if settings.cluster_templates:
        yield Kind.CLUSTER, ""
