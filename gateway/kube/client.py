"""One cluster's API: every call has a time limit, and what fails is one of two errors.

What the API server refuses carries its status and its own sentence; a right that is missing is
named by verb, resource and namespace. What brings no answer is ``ClusterUnavailable``.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

import httpx2
from lightkube.config.client_adapter import ConnectionParams
from lightkube.core.generic_client import BasicRequest, GenericAsyncClient
from lightkube.resources.core_v1 import PodLog

from gateway.errors import ClusterRefused
from gateway.kube.connection import LoadConfig
from gateway.kube.decoding import decoded, lines
from gateway.kube.faults import UNAUTHORIZED, told
from gateway.kube.resources import Kind, Object

Propagation = Literal["Background", "Foreground"]
"""Whether what an object owns goes after it or before it."""
_CONNECT_SHARE: Final = 0.4
"""The part of a call's time that a connection may take, and TLS on it once more."""
_REPLACE_PAUSE_S: Final = 5.0
"""From one reading of the credentials to the next."""
_RETIRED_FOR_S: Final = 120.0
"""Longer than a watch lasts."""
_PAGE: Final = 500
_GRACE_S: Final = 10.0
"""How much longer than it was asked to a watch may last before it is taken for dead."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects of one moment."""

    version: str
    """From which on a watch misses nothing."""
    items: list[Object]


@dataclass(frozen=True, slots=True)
class Event:
    """A change."""

    type: str
    """``ADDED``, ``MODIFIED`` or ``DELETED``."""
    object: Object


@dataclass
class _Params(ConnectionParams):
    # Every watch has a connection of its own.
    limits: httpx2.Limits = field(default_factory=httpx2.Limits)


class KubeClient:
    """Calls one API server; open it inside the event loop that uses it."""

    def __init__(self, load: LoadConfig, *, timeout_s: float) -> None:
        # It tells a line for each request.
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        self._load = load
        self._timeout_s = timeout_s
        self._client = self._connected()
        self._replaced_at_s = -math.inf
        self._retired: list[tuple[float, GenericAsyncClient]] = []
        """Those that were replaced, until the time when nothing of theirs is under way any more."""

    async def close(self) -> None:
        """Close all connections."""
        for _, retired in self._retired:
            await retired.close()
        await self._client.close()

    async def create(self, kind: Kind, manifest: Mapping[str, object], namespace: str) -> Object:
        """A new object as the API server has it; one of the cluster has an empty namespace."""

        async def call(client: GenericAsyncClient) -> Object:
            made = kind(dict(manifest))  # type: ignore[call-arg] # all kinds are dicts
            created: Object = await client.request("post", kind, made, namespace=namespace or None)
            return created

        return await self._answer("create", kind, namespace, call)

    async def read(self, kind: Kind, name: str, namespace: str) -> Object:
        """An object by its name."""

        async def call(client: GenericAsyncClient) -> Object:
            found: Object = await client.request("get", kind, name=name, namespace=namespace)
            return found

        return await self._answer("get", kind, namespace, call)

    async def delete(self, kind: Kind, name: str, namespace: str, propagation: Propagation) -> None:
        """Have an object go."""

        async def call(client: GenericAsyncClient) -> None:
            params = {"propagationPolicy": propagation}
            await client.request("delete", kind, name=name, namespace=namespace, params=params)

        await self._answer("delete", kind, namespace, call)

    async def list(self, kind: Kind, namespace: str, *, labels: str = "") -> Listed:
        """All objects of a namespace, of all with ``*``, of the cluster with an empty text."""
        params = {"limit": str(_PAGE), "labelSelector": labels or None}

        async def call(client: GenericAsyncClient) -> Listed:
            request = client.prepare_request(
                "list", kind, namespace=namespace or None, params=params
            )
            items = list[Object]()
            while True:
                response = await client.send(client.build_adapter_request(request))
                client.raise_for_status(response)
                page = decoded(response.content)
                # Go writes an empty list as null.
                items += page["items"] or ()
                rest = page["metadata"].get("continue")
                if not rest:
                    return Listed(page["metadata"].get("resourceVersion", ""), items)
                request.params["continue"] = rest

        return await self._answer("list", kind, namespace, call)

    async def watch(
        self, kind: Kind, namespace: str, version: str, *, lasts_s: float
    ) -> AsyncIterator[Event]:
        """The changes after a version, for so many seconds.

        Raises:
            ClusterRefused: 410, the version is too old: list again.
            ClusterUnavailable: the line was cut, or is silent for longer than it was to last.

        """
        params = {"resourceVersion": version, "timeoutSeconds": str(int(lasts_s))}
        request = self._client.prepare_request(
            "list", kind, namespace=namespace or None, watch=True, params=params
        )
        request.timeout = self._limits(read_s=None)
        deadline_s = asyncio.get_running_loop().time() + lasts_s + _GRACE_S
        with told("watch", kind, namespace):
            async with asyncio.timeout(self._timeout_s):
                response = await self._sent(request)
        try:
            events = lines(response.aiter_bytes())
            while True:
                # No time limit may be open while the caller works with what it got.
                with told("watch", kind, namespace):
                    async with asyncio.timeout_at(deadline_s):
                        line = await anext(events, None)
                    if line is None:
                        return
                    event = _event(line)
                yield event
        finally:
            await response.aclose()

    async def log(
        self, pod: str, namespace: str, *, container: str, tail_lines: int, limit_bytes: int
    ) -> str:
        """The last lines that a container has written."""
        params = {
            "container": container,
            "tailLines": str(tail_lines),
            "limitBytes": str(limit_bytes),
        }

        async def call(client: GenericAsyncClient) -> str:
            request = client.prepare_request(
                "get", PodLog, name=pod, namespace=namespace, params=params
            )
            response = await client.send(client.build_adapter_request(request))
            client.raise_for_status(response)
            return str(response.content.decode("utf-8", "replace"))

        return await self._answer("get", PodLog, namespace, call)

    async def _answer(
        self,
        verb: str,
        kind: Kind,
        namespace: str,
        call: Callable[[GenericAsyncClient], Awaitable[Answer]],
    ) -> Answer:
        with told(verb, kind, namespace):
            async with asyncio.timeout(self._timeout_s):
                used = self._client
                try:
                    return await call(used)
                except httpx2.HTTPStatusError as error:
                    if error.response is None or error.response.status_code != UNAUTHORIZED:
                        raise
                    await self._replace(used)
                    return await call(self._client)

    async def _sent(self, request: BasicRequest) -> httpx2.Response:
        used = self._client
        sending = used.build_adapter_request(request)
        response: httpx2.Response = await used.send(sending, stream=True)
        if response.is_error:
            await response.aread()
            await response.aclose()
            if response.status_code == UNAUTHORIZED:
                await self._replace(used)
            used.raise_for_status(response)
        return response

    def _limits(self, *, read_s: float | None) -> httpx2.Timeout:
        # A connection that the client gives up by itself it also closes.
        return httpx2.Timeout(
            self._timeout_s, connect=_CONNECT_SHARE * self._timeout_s, read=read_s
        )

    async def _replace(self, used: GenericAsyncClient) -> None:
        """Read the credentials anew: those that were used have been revoked, or have expired."""
        now_s = asyncio.get_running_loop().time()
        # Another call may have done so, or one that failed just now: each costs a TLS context.
        if self._client is used and now_s >= self._replaced_at_s + _REPLACE_PAUSE_S:
            self._replaced_at_s = now_s
            self._client = self._connected()
            self._retired.append((now_s + _RETIRED_FOR_S, used))
        while self._retired and self._retired[0][0] < now_s:
            await self._retired.pop(0)[1].close()

    def _connected(self) -> GenericAsyncClient:
        # A proxy from the environment would see every secret.
        params = _Params(timeout=self._limits(read_s=self._timeout_s), trust_env=False)
        return GenericAsyncClient(params, self._load())


def _event(line: bytes) -> Event:
    content = decoded(line)
    if content["type"] != "ERROR":
        return Event(content["type"], content["object"])
    status = content["object"]
    raise ClusterRefused(str(status.get("message", "")), status=int(status.get("code", 500)))
