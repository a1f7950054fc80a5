"""The Kubernetes cluster of a test: its objects, its users, its faults."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from kube.access import Access
from kube.backend import Backend
from kube.client import MERGE, Client
from kube.kinds import EVERYTHING, KINDS, Object, Right
from kube.kubelet import Kubelet
from kube.plays import JOBS, PODS
from kube.wire import Gone


class Cluster:
    """A cluster that an admin looks at; kinds are named by their plural, such as ``jobs``.

    Methods about objects raise ``ApiError`` where the API server refuses.
    """

    def __init__(
        self, backend: Backend, access: Access, client: Client, kubelet: Kubelet, folder: Path
    ) -> None:
        self.kind = backend.kind
        self.can_be_hurt = backend.can_be_hurt
        """Whether it can be frozen and stopped, and its history expired."""
        self.can_rotate = backend.can_rotate
        """Whether tokens can be revoked."""
        self.url = access.url
        self.kubelet = kubelet
        self.client = client
        """For requests that the methods here do not make."""
        self.backend = backend
        self._access = access
        self._folder = folder
        self.kubeconfig = access.write(folder / "admin.yaml", access.user())

    async def namespace(self) -> str:
        """A fresh namespace."""
        name = f"ns-{secrets.token_hex(4)}"
        self.kubelet.namespaces.add(name)
        await self.backend.add_namespace(self.client, name)
        return name

    async def kubeconfig_of(self, rights: Sequence[Right]) -> Path:
        """The kubeconfig of a user who may do only this; namespaces must exist."""
        access = self._access.with_token(await self.issue(rights))
        return access.write(self._file("kubeconfig"), access.user())

    async def kubeconfig_with_token_file(
        self, rights: Sequence[Right] = EVERYTHING
    ) -> tuple[Path, Path]:
        """A kubeconfig whose user's token is in a file, and that file, for a test to rotate."""
        token_file = self._file("token")
        token_file.write_text(await self.issue(rights))
        user = {"tokenFile": str(token_file)}
        return self._access.write(self._file("kubeconfig"), user), token_file

    async def issue(self, rights: Sequence[Right] = EVERYTHING) -> str:
        """The token of a user who may do only this."""
        return await self.backend.issue(self.client, rights)

    async def revoke(self, token: str) -> None:
        """Make a token worthless, where ``can_rotate``."""
        await self.backend.revoke(token)

    async def create(self, kind: str, namespace: str, manifest: Object) -> Object:
        """Create an object; ``apiVersion`` and ``kind`` may be left out."""
        known = KINDS[kind]
        whole = {"apiVersion": known.api_version, "kind": known.kind, **manifest}
        return await self.client.json("POST", known.path(namespace), whole)

    async def get(self, kind: str, namespace: str, name: str) -> Object:
        """One object."""
        return await self.client.json("GET", KINDS[kind].path(namespace, name))

    async def list(self, kind: str, namespace: str, labels: str = "") -> Sequence[Object]:
        """The objects of a namespace that have these labels."""
        params = {"labelSelector": labels} if labels else {}
        answer = await self.client.json("GET", KINDS[kind].path(namespace), params=params)
        found: Sequence[Object] = answer["items"]
        return found

    async def replace(self, kind: str, namespace: str, manifest: Object) -> Object:
        """Put an object in the place of the one with its name."""
        known = KINDS[kind]
        whole = {"apiVersion": known.api_version, "kind": known.kind, **manifest}
        path = known.path(namespace, manifest["metadata"]["name"])
        return await self.client.json("PUT", path, whole)

    async def patch(self, kind: str, namespace: str, name: str, changes: Object) -> Object:
        """Change some fields of an object by a merge patch."""
        path = KINDS[kind].path(namespace, name)
        return await self.client.json("PATCH", path, changes, content_type=MERGE)

    async def delete(
        self, kind: str, namespace: str, name: str, propagation: str = "Background"
    ) -> None:
        """Delete an object; what depends on it follows, or goes first if ``Foreground``."""
        options = {"propagationPolicy": propagation}
        await self.client.json("DELETE", KINDS[kind].path(namespace, name), options)

    async def log(self, namespace: str, pod: str, **params: str) -> str:
        """What a Pod's container has printed."""
        return await self.client.text("GET", PODS.path(namespace, pod, "log"), params=params)

    async def jobs_created(self, namespace: str) -> int:
        """How many Jobs there have ever been."""
        return await self.kubelet.created(JOBS, namespace)

    async def pods_created(self, namespace: str) -> int:
        """How many Pods there have ever been."""
        return await self.kubelet.created(PODS, namespace)

    async def freeze(self) -> None:
        """Let connections be accepted and nothing be answered."""
        await self.backend.freeze()

    async def thaw(self) -> None:
        """Let the API server go on."""
        await self.backend.thaw()

    async def stop(self) -> None:
        """Kill the API server."""
        await self.backend.stop()

    async def start(self) -> None:
        """Bring the API server back, on the same port, with its data."""
        await self.backend.start()

    async def expire_history(self, gone: Gone = Gone.AS_EVENT) -> None:
        """Let versions known so far be too old for a watch; open watches end."""
        await self.backend.expire_history(self.client, gone)

    def _file(self, suffix: str) -> Path:
        return self._folder / f"{secrets.token_hex(4)}.{suffix}"


@asynccontextmanager
async def cluster_on(backend: Backend, folder: Path) -> AsyncIterator[Cluster]:
    """A cluster with its stand-in for controllers and kubelet, left in good health."""
    access = await backend.open()
    client = Client(access)
    try:
        kubelet = Kubelet(client, backend.logs, await backend.join(client))
        await kubelet.open()
        try:
            yield Cluster(backend, access, client, kubelet, folder)
        finally:
            await backend.thaw()
            await kubelet.close()
        await _mend(backend, client)
    finally:
        await client.aclose()
        await backend.close()


async def _mend(backend: Backend, client: Client) -> None:
    if backend.can_be_hurt and backend.kind != "kmock":
        await backend.start()
    await backend.leave(client)
