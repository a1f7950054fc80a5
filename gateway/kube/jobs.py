"""The Jobs of a cluster, as providers want them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from gateway.errors import ClusterRefused, ClusterUnavailable, ProviderRejected, ProviderUnreachable
from gateway.kube.client import KubeClient, Propagation
from gateway.kube.faults import CONFLICT, NOT_FOUND, UNAUTHORIZED
from gateway.kube.resources import JOBS, PODS, Object
from gateway.provider import AlreadyThere


class ClusterJobs:
    """Implements ``gateway.provider.JobApi``."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def create(self, namespace: str, manifest: Mapping[str, object]) -> None:
        """Have a Job run. Raises AlreadyThere if one has its name."""
        with _told():
            await self._client.create(JOBS, manifest, namespace)

    async def read(self, namespace: str, name: str) -> Object | None:
        """A Job, None if there is none of that name."""
        with _told():
            try:
                return await self._client.read(JOBS, name, namespace)
            except ClusterRefused as error:
                if error.status == NOT_FOUND:
                    return None
                raise

    async def list(self, namespace: str, *, labels: str) -> Sequence[Object]:
        """All Jobs with these labels."""
        with _told():
            return (await self._client.list(JOBS, namespace, labels=labels)).items

    async def stop(self, namespace: str, name: str) -> None:
        """Delete a Job, its pods first; one that is not there is fine."""
        await self._delete(namespace, name, "Foreground")

    async def drop(self, namespace: str, name: str) -> None:
        """Delete a Job, its pods after it; one that is not there is fine."""
        await self._delete(namespace, name, "Background")

    async def pods(self, namespace: str, *, labels: str) -> Sequence[Object]:
        """All pods with these labels."""
        with _told():
            return (await self._client.list(PODS, namespace, labels=labels)).items

    async def log(
        self, namespace: str, pod: str, *, container: str, tail_lines: int, limit_bytes: int
    ) -> str:
        """The last lines that a container has written; not more than so many bytes of them."""
        with _told():
            return await self._client.log(
                pod,
                namespace,
                container=container,
                tail_lines=tail_lines,
                limit_bytes=limit_bytes,
            )

    async def _delete(self, namespace: str, name: str, propagation: Propagation) -> None:
        with _told():
            try:
                await self._client.delete(JOBS, name, namespace, propagation)
            except ClusterRefused as error:
                if error.status != NOT_FOUND:
                    raise


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ClusterUnavailable as error:
        raise ProviderUnreachable(str(error)) from error
    except ClusterRefused as error:
        if error.status == UNAUTHORIZED:
            # It says nothing about this Job: a token that is being rotated, or revoked.
            raise ProviderUnreachable(str(error)) from error
        kind = AlreadyThere if error.status == CONFLICT else ProviderRejected
        raise kind(str(error)) from error
