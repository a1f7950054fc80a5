"""Folders and a cluster as one source: what a folder has goes before what the cluster has."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol

from gateway.args import MissingKey, MissingSecret, UnusableSecret
from gateway.credentials import SecretSource
from gateway.errors import ClusterUnavailable, Problem, TemplateInvalid
from gateway.planner import TemplateSource
from gateway.secrets import Secret
from gateway.template import SecretKeyRef, Template, TemplateRef

_IS_THERE = MissingKey | UnusableSecret


class Source(TemplateSource, Protocol):
    """Where templates that have a name come from, and what there is."""

    def entries(self) -> Iterator[tuple[str, Template]]:
        """Namespace and template, in order; the namespace of a cluster template is empty."""

    def broken(self) -> Iterator[tuple[str, tuple[Problem, ...]]]:
        """What cannot be used as it is, with what is wrong."""


class CombinedSource:
    """The templates of a folder, and those of a cluster that the folder does not have."""

    def __init__(self, folder: Source, cluster: Source) -> None:
        self._folder = folder
        self._cluster = cluster

    @property
    def revision(self) -> int:
        """Changes whenever any template does: neither part ever counts backwards."""
        return self._folder.revision + self._cluster.revision

    def find(self, ref: TemplateRef, namespace: str) -> Template | None:
        """The template that ``ref`` means in ``namespace``, None if there is none.

        Raises:
            TemplateInvalid: the cluster has it, and it is broken there.
            ClusterUnavailable: it is not in the folder, and the cluster has not told.

        """
        found = self._folder.find(ref, namespace)
        return self._cluster.find(ref, namespace) if found is None else found

    def entries(self) -> Iterator[tuple[str, Template]]:
        """Namespace and template, in order; the namespace of a cluster template is empty."""
        by_key = {
            (template.kind, namespace, template.name): template
            for namespace, template in chain(self._cluster.entries(), self._folder.entries())
        }
        for key in sorted(by_key):
            yield key[1], by_key[key]

    def broken(self) -> Iterator[tuple[str, tuple[Problem, ...]]]:
        """Files and objects that cannot be used as they are, with what is wrong."""
        return chain(self._folder.broken(), self._cluster.broken())


class CombinedSecrets:
    """The secrets of a folder, and those of a cluster that the folder does not have.

    One that the folder has is not completed with keys of the cluster's: a key and an address that
    never belonged together would be the worst of both.
    """

    def __init__(self, folder: SecretSource, cluster: SecretSource) -> None:
        self._folder = folder
        self._cluster = cluster

    async def read(
        self, namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret | MissingSecret]:
        """A value for every reference, or why neither has one.

        Raises:
            ClusterUnavailable: the folder lacks one, and the cluster does not say.

        """
        found = await self._folder.read(namespace, refs)
        lacking = [
            ref
            for ref, value in found.items()
            if isinstance(value, MissingSecret) and not isinstance(value, _IS_THERE)
        ]
        others = await self._cluster.read(namespace, lacking) if lacking else {}
        return {ref: _either(value, others.get(ref)) for ref, value in found.items()}


class SecretsOfBrought:
    """The secrets of the folder, for what a request brings: its author may be anybody."""

    def __init__(self, folder: SecretSource) -> None:
        self._folder = folder

    async def read(
        self, namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret | MissingSecret]:
        """A value for every reference, or why there is none."""
        found = await self._folder.read(namespace, refs)
        return {ref: _without_cluster(value) for ref, value in found.items()}


def _without_cluster(value: Secret | MissingSecret) -> Secret | MissingSecret:
    if isinstance(value, Secret | MissingKey | UnusableSecret):
        return value
    return MissingSecret(
        f"{value.message}; a template that comes with a request gets no Secret of the cluster"
    )


def _either(
    of_folder: Secret | MissingSecret, of_cluster: Secret | MissingSecret | None
) -> Secret | MissingSecret:
    match of_folder, of_cluster:
        case _, None:
            return of_folder
        case _, MissingKey() | UnusableSecret():
            return of_cluster
        case MissingSecret(why), MissingSecret(why_not_there_either):
            if why_not_there_either.startswith(why):
                return MissingSecret(why_not_there_either)
            return MissingSecret(f"{why}; in the cluster: {why_not_there_either}")
        case _:
            return of_cluster


def usable(source: Source, ref: TemplateRef, namespace: str) -> Template | None:
    """The template that ``ref`` means if it can be had and used now, for who only looks around."""
    try:
        return source.find(ref, namespace)
    except (TemplateInvalid, ClusterUnavailable):
        return None
