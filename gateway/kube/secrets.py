"""Secrets of a cluster, by key, from the namespaces that are switched on."""

import asyncio
import binascii
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.args import MissingKey, MissingSecret, UnusableSecret
from gateway.errors import ClusterRefused, ClusterUnavailable
from gateway.gotext import quote
from gateway.kube import resources
from gateway.kube.faults import FORBIDDEN, NOT_FOUND
from gateway.kubernetes_settings import Kubernetes
from gateway.names import is_namespace, is_object_name
from gateway.newest import remember
from gateway.secrets import Secret
from gateway.single_flight import Flights, shared
from gateway.template import SecretKeyRef

MAX_KEPT: Final = 1_000
"""How many Secrets are remembered; the one that was read first goes first."""
_Key = tuple[str, str]
"""Namespace and name."""


class SecretApi(Protocol):
    """What is asked of an API server."""

    async def read(self, kind: resources.Kind, name: str, namespace: str) -> resources.Object:
        """An object by its name. Raises ClusterRefused, ClusterUnavailable."""


@dataclass(frozen=True, slots=True)
class _Content:
    """The keys of a Secret, in base64, and until when they serve."""

    data: Mapping[str, object] = field(repr=False)
    until_s: float


class ClusterSecrets:
    """Reads Secrets, each once for a while, and for all who ask meanwhile."""

    def __init__(self, api: SecretApi, settings: Kubernetes, *, now_s: Callable[[], float]) -> None:
        self._api = api
        self._settings = settings
        self._now_s = now_s
        self._kept: OrderedDict[_Key, _Content] = OrderedDict()
        self._under_way: Flights[_Key, _Content | MissingSecret] = {}

    async def read(
        self, namespace: str, refs: Sequence[SecretKeyRef]
    ) -> Mapping[SecretKeyRef, Secret | MissingSecret]:
        """The content of each key, verbatim, or why there is none.

        Raises:
            ClusterUnavailable: the API server does not say.

        """
        names = list(dict.fromkeys(ref.name for ref in refs))
        contents = await asyncio.gather(*(self._content(namespace, name) for name in names))
        by_name = dict(zip(names, contents, strict=True))
        return {ref: _value(by_name[ref.name], ref) for ref in refs}

    async def close(self) -> None:
        """End what is under way, and forget everything."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()

    async def _content(self, namespace: str, name: str) -> _Content | MissingSecret:
        # Only names that Kubernetes allows become part of a path: none of them leads elsewhere.
        if not (is_namespace(namespace) and is_object_name(name)):
            return _not_found(name)
        if not self._settings.may_read_secrets_of(namespace):
            return MissingSecret(
                f"{_not_found(name).message}: reading Secrets of namespace '{namespace}' from the"
                " cluster is not switched on (kubernetes.secrets)"
            )
        key = namespace, name
        self._drop_what_is_over()
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        return await shared(self._under_way, key, lambda: self._fetched(key))

    async def _fetched(self, key: _Key) -> _Content | MissingSecret:
        namespace, name = key
        # Its age is counted from before it was asked for, never from later.
        until_s = self._now_s() + self._settings.secrets_ttl_s
        try:
            found = await self._api.read(resources.SECRETS, name, namespace)
        except ClusterRefused as error:
            if error.status == NOT_FOUND:
                return _not_found(name)
            if error.status == FORBIDDEN:
                return MissingSecret(str(error))
            # Nothing about this Secret: the gateway's own credentials, or a proxy.
            raise ClusterUnavailable(f"the API server refuses to answer: {error}") from error
        content = _Content(_data(found), until_s)
        remember(self._kept, key, content, at_most=MAX_KEPT)
        return content

    def _drop_what_is_over(self) -> None:
        now_s = self._now_s()
        for key in [key for key, kept in self._kept.items() if kept.until_s <= now_s]:
            del self._kept[key]


def _data(found: resources.Object) -> Mapping[str, object]:
    match found:
        case {"data": dict(data)}:
            return data
        case _:
            # A Secret without any key has no such field.
            return {}


def _not_found(name: str) -> MissingSecret:
    return MissingSecret(f"secrets {quote(name)} not found")


def _value(content: _Content | MissingSecret, ref: SecretKeyRef) -> Secret | MissingSecret:
    if isinstance(content, MissingSecret):
        return content
    if ref.key not in content.data:
        return MissingKey(f"key '{ref.key}' does not exist in secret '{ref.name}'")
    try:
        return Secret(b64decode(str(content.data[ref.key]), validate=True).decode())
    except UnicodeDecodeError:
        return UnusableSecret(f"key '{ref.key}' in secret '{ref.name}' is not UTF-8")
    except binascii.Error:
        return UnusableSecret(f"key '{ref.key}' in secret '{ref.name}' is not base64")
