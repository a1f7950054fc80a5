"""One cluster's API: every call has a time limit, and what fails is one of two errors.

What the API server refuses carries its status and its own sentence; a right that is missing is
named by verb, resource and namespace. What brings no answer is ``ClusterUnavailable``.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

import httpx2
import orjson
from lightkube.config.client_adapter import ConnectionParams
from lightkube.core.exceptions import ConfigError
from lightkube.core.generic_client import BasicRequest, GenericAsyncClient
from lightkube.resources.core_v1 import PodLog
from msgspec import MsgspecError

from gateway.errors import ClusterRefused, ClusterUnavailable
from gateway.kube.connection import LoadConfig
from gateway.kube.decoding import decoded, lines
from gateway.kube.resources import Kind, Object, shown
from gateway.kubernetes_settings import EVERY_NAMESPACE
from gateway.settings import SettingsInvalid

Propagation = Literal["Background", "Foreground"]
"""Whether what an object owns goes after it or before it."""
GONE: Final = 410
NOT_FOUND: Final = 404
CONFLICT: Final = 409
FORBIDDEN: Final = 403
_UNAUTHORIZED: Final = 401
_PASSING: Final = frozenset({429, 500, 502, 503, 504})
"""What may be over soon: the API server is overloaded, or starts."""
_CONNECT_SHARE: Final = 0.4
"""The part of a call's time that a connection may take, and TLS on it once more."""
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

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def create(self, kind: Kind, manifest: Mapping[str, object], namespace: str) -> Object:
        """A new object as the API server has it."""

        async def call(client: GenericAsyncClient) -> Object:
            made = kind(dict(manifest))  # type: ignore[call-arg] # all kinds are dicts
            created: Object = await client.request("post", kind, made, namespace=namespace)
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
        with _told("watch", kind, namespace):
            async with asyncio.timeout(self._timeout_s):
                response = await self._sent(request)
        try:
            events = lines(response.aiter_bytes())
            while True:
                # No time limit may be open while the caller works with what it got.
                with _told("watch", kind, namespace):
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
        with _told(verb, kind, namespace):
            async with asyncio.timeout(self._timeout_s):
                used = self._client
                try:
                    return await call(used)
                except httpx2.HTTPStatusError as error:
                    if error.response is None or error.response.status_code != _UNAUTHORIZED:
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
            if response.status_code == _UNAUTHORIZED:
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
        if self._client is used:
            # Else another call has done so, and may be busy with what it got.
            self._client = self._connected()
            await used.close()

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


@contextmanager
def _told(verb: str, kind: Kind, namespace: str) -> Iterator[None]:
    """Turn whatever a call may raise into one of two errors."""
    try:
        yield
    except SettingsInvalid as error:
        # They could be read at the start: whoever asks now has done nothing wrong.
        raise ClusterUnavailable(str(error)) from error
    except httpx2.HTTPStatusError as error:
        raise _refused(error, verb, kind, namespace) from error
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise ClusterUnavailable("the API server did not answer in time") from error
    except ConfigError as error:
        # Its text may hold what a credential plugin has printed.
        raise ClusterUnavailable("the credentials for the API server cannot be had") from error
    except (httpx2.HTTPError, OSError) as error:
        why = str(error) or type(error).__name__
        raise ClusterUnavailable(f"the API server cannot be reached: {why}") from error
    except (MsgspecError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ClusterUnavailable("what answered does not speak as an API server does") from error


def _refused(
    error: httpx2.HTTPStatusError, verb: str, kind: Kind, namespace: str
) -> ClusterRefused | ClusterUnavailable:
    status = error.response.status_code
    text = _message(error.response) or f"the API server answered with status {status}"
    if status in _PASSING:
        return ClusterUnavailable(f"the API server cannot answer now: {text}")
    if status == FORBIDDEN:
        where = {"": "in the cluster", EVERY_NAMESPACE: "in all namespaces"}.get(
            namespace, f"in namespace '{namespace}'"
        )
        text = f"the gateway has no right to {verb} {shown(kind)} {where}: {text}"
    return ClusterRefused(text, status=status)


def _message(response: httpx2.Response) -> str:
    try:
        content = response.json()
    except ValueError:
        return ""
    return str(content.get("message", "")) if isinstance(content, dict) else ""
